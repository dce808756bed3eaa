"""Fixtures of every test: the private servers, started when first asked for, and what was left out without them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from servers.postgres import Postgres
from servers.private import started
from servers.redis import Redis
from servers.s3 import S3

from scenescore_shared.adapters.s3 import S3BlobStore, make_client
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.migrate import migrate

_left_out: dict[str, int] = {}
_said: list[str] = []

# where nobody configures it: structlog's own choice prints every local variable of a traceback, for many seconds
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


_LOGGING = structlog.get_config()


@pytest.fixture(scope="session", autouse=True)
def _no_logger_is_kept() -> Iterator[None]:
    """A logger that keeps what it found at its first use would keep it through all tests."""
    configure = structlog.configure

    def uncached(*arguments: Any, **named: Any) -> None:
        configure(*arguments, **{**named, "cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", uncached)
        yield


@pytest.fixture(scope="module", autouse=True)
def _logging_of_a_module(_no_logger_is_kept: None) -> None:
    structlog.configure(**_LOGGING)


@pytest.fixture(autouse=True)
def _logging_of_a_test(_logging_of_a_module: None) -> Iterator[None]:
    """A command under test sets up logging for its whole process: the next test finds it as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    yield from started(Postgres, tmp_path_factory.mktemp("postgres"))


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    name = postgres.create_database()
    engine = make_engine(postgres.url(name), application="tests")
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_template: str) -> str:
    """A fresh database at the newest schema."""
    return postgres.url(postgres.create_database(template=migrated_template))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of SQLite's."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{path}", application="tests")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A fresh database at the newest schema."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'fresh.db')}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    yield from started(Redis, tmp_path_factory.mktemp("redis"))


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    yield from started(S3, tmp_path_factory.mktemp("s3"))


@pytest.fixture
def s3_store(s3: S3) -> S3BlobStore:
    """A fresh bucket, whose URLs can be signed."""
    client = make_client(
        endpoint_url=s3.endpoint_url,
        region=s3.region,
        access_key_id=s3.access_key_id,
        secret_access_key=s3.secret_access_key,
    )
    store = S3BlobStore(client, s3.new_bucket_name(), public_client=client)
    store.create_bucket()
    return store


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Tells the terminal a line at the end, whether the test passed or not, whichever process it ran in."""

    def tell(line: str) -> None:
        record_property("said", line)

    return tell


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        _left_out[reason] = _left_out.get(reason, 0) + 1
    if report.when == "call":
        _said.extend(str(line) for name, line in report.user_properties if name == "said")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests had to say, and one clear line of what did not run."""
    for line in _said:
        terminalreporter.write_line(line)
    what = "; ".join(f"{count} tests ({reason})" for reason, count in _left_out.items()) or "nothing"
    terminalreporter.write_line(f"left out: {what}")
