from pathlib import Path

import pytest
from pydantic import ValidationError

from scenescore_shared.adapters.sql.engine import sqlite_file
from scenescore_shared.contracts import WakeUp
from scenescore_shared.jobs import Step
from scenescore_shared.provision import provision
from scenescore_shared.settings import CommonSettings
from scenescore_shared.wiring import build_publisher


def test_with_nothing_set_everything_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCENESCORE_DATA_DIR", str(tmp_path))
    settings = CommonSettings()
    assert sqlite_file(settings.database_url) == tmp_path / "scenescore.db"
    assert settings.broker_url == f"filesystem://{tmp_path}/broker"
    assert settings.storage.bucket is None
    assert settings.emotions == ("happy", "angry", "sad")


def test_groups_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENESCORE_DATABASE__URL", "postgresql+psycopg://u:hush@h/d")
    monkeypatch.setenv("SCENESCORE_JOBS__LEASE_SECONDS", "5")
    monkeypatch.setenv("SCENESCORE_EMOTIONS", "sad, calm")
    settings = CommonSettings()
    assert settings.database_url.endswith("@h/d")
    assert "hush" not in repr(settings)
    assert (settings.jobs.lease_seconds, settings.jobs.max_attempts) == (5, 3)
    assert settings.emotions == ("sad", "calm")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCENESCORE_DATABSE__URL", "x"),
        ("SCENESCORE_DATABASE__URLS", "x"),
        ("SCENESCORE_JOBS__LEASE_SECONDS", "-1"),
        ("SCENESCORE_EMOTIONS", "bored"),
        ("SCENESCORE_EMOTIONS", "sad,sad"),
        ("SCENESCORE_EMOTIONS", ""),
        ("SCENESCORE_LOG__LEVEL", "loud"),
        ("SCENESCORE_STORAGE__BUCKET", "without-keys"),
    ],
)
def test_unknown_and_wrong_settings_are_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError):
        CommonSettings()


def test_what_the_client_reads_stands_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENESCORE_CLIENT__SERVER", "https://scenescore.example")
    monkeypatch.setenv("SCENESCORE_CLIENT__KEY", "scs_…")
    assert CommonSettings().emotions == ("happy", "angry", "sad")


@pytest.mark.parametrize(
    "variable", ["SCENESCORE_DATABASE__URI", "SCENESCORE_STORAGE__SECRET_ACCESS_KEY", "SCENESCORE_EMOTIONS"]
)
def test_an_error_tells_no_value(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv("SCENESCORE_STORAGE__BUCKET", "needs-two-keys")
    monkeypatch.setenv(variable, "postgresql://user:hush@host/name")
    with pytest.raises(ValidationError) as caught:
        CommonSettings()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["plain", "with space", "a#b", "a?b", "100%25", "é"])
def test_a_data_folder_may_have_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("SCENESCORE_DATA_DIR", str(tmp_path / name))
    settings = CommonSettings()
    provision(settings)
    build_publisher(settings, name="tests").wake(Step.CLASSIFY, WakeUp(job_id="a", request_id="b"))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "scenescore.db").is_file()
    assert len(list((tmp_path / name / "broker" / "messages").iterdir())) == 1


def test_settings_of_another_service_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENESCORE_CLASSIFIER__DEVICE", "cuda")
    CommonSettings()


def test_no_secret_has_a_default() -> None:
    settings = CommonSettings()
    assert settings.storage.secret_access_key is None
    assert settings.database.url is None
    assert settings.broker.url is None
