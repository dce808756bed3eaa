"""`python -m scenescore_api.keys`: what it prints, what it keeps, and its sentences."""

import json
from pathlib import Path

import pytest

from scenescore_api.keys import main
from scenescore_shared.api_keys import hash_of, is_well_formed
from scenescore_shared.provision import provision
from scenescore_shared.settings import CommonSettings
from scenescore_shared.wiring import build_api_keys, build_engine


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCENESCORE_DATA_DIR", str(tmp_path))
    provision(CommonSettings())
    return tmp_path


def create(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["create", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_a_key_is_printed_once_and_only_its_hash_is_kept(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["create", "me", "--scopes", "jobs,admin"]) == 0
    captured = capsys.readouterr()
    key = captured.out.removesuffix("\n")
    assert is_well_formed(key)
    assert key not in captured.err
    secret = key.split("_")[2]
    assert not [
        file for file in data_dir.iterdir() if file.is_file() and secret.encode() in file.read_bytes()
    ]
    engine = build_engine(CommonSettings(), application="tests")
    kept = build_api_keys(engine).find(hash_of(key))
    engine.dispose()
    assert kept is not None
    assert (kept.name, kept.scopes, kept.owner) == ("me", frozenset({"jobs", "admin"}), kept.id)
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith(f"{kept.id}: me; admin, jobs; owner {kept.id}; made ")
    assert secret not in listed


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(create(capsys, "ann", "--owner", "ann@team", "--json"))
    assert made["key"].startswith(f"scs_{made['id']}_")
    assert (made["name"], made["owner"], made["scopes"]) == ("ann", "ann@team", ["jobs"])
    assert main(["revoke", made["id"]]) == 0
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    (listed,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed["revoked_at"] is not None
    assert "key" not in listed
    assert "hash" not in listed


def test_no_two_keys_are_alike(capsys: pytest.CaptureFixture[str]) -> None:
    keys = {create(capsys, "me") for _ in range(20)}
    assert len({part for key in keys for part in key.split("_")[1:]}) == 40


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["revoke", "nobody"], "no key nobody"),
        (["create", "me", "--scopes", "root"], "admin, jobs"),
        (["create", "me", "--scopes", ""], "no scopes"),
        (["create", " "], "name"),
        (["create", "a\nb"], "name"),
        (["create", "me", "--owner", "two words"], "owner"),
        (["create", "me", "--owner", "o" * 65], "owner"),
        (["create", "me", "--owner", ""], "owner"),
    ],
)
def test_mistakes_are_sentences(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert says in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert main(["list"]) == 0
    assert "no key yet" in capsys.readouterr().err


def test_a_database_without_a_schema_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENESCORE_DATA_DIR", str(tmp_path / "empty"))
    assert main(["list"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_wrong_setting_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENESCORE_API__REQUIRE_KEY", "true")
    assert main(["list"]) == 2
    assert "require_key" in capsys.readouterr().err
