import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from scenescore_shared.logs import configure_logging, get_logger, log_context
from scenescore_shared.settings import LogSettings


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, configured = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**configured)
    structlog.contextvars.clear_contextvars()


def test_every_record_carries_the_ids_also_those_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"), service="tests")
    with log_context(job_id="j", request_id="r"):
        get_logger("scenescore").info("claimed", step="classify")
        logging.getLogger("celery").warning("lost %s", "it")
    get_logger("scenescore").info("after")
    ours, celery, after = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    for record in (ours, celery):
        assert (record["service"], record["job_id"], record["request_id"]) == ("tests", "j", "r")
    assert (ours["event"], ours["step"], ours["level"]) == ("claimed", "classify", "info")
    assert celery["event"] == "lost it"
    assert "job_id" not in after


def test_an_exception_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="json"), service="tests")
    try:
        raise ValueError("broken")
    except ValueError as error:
        get_logger("x").error("failed", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]


def test_a_console_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="console"), service="tests")
    password = "hush"
    try:
        raise ValueError(f"{len(password)} letters")
    except ValueError as error:
        get_logger("x").error("failed", exc_info=error)
    shown = capsys.readouterr().err
    assert "4 letters" in shown
    assert "hush" not in shown.replace('password = "hush"', "")


def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(LogSettings(format="console", level="error"), service="tests")
    get_logger("x").warning("quiet")
    assert capsys.readouterr().err == ""
