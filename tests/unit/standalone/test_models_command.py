"""`scenescore models`: what can be used, and fetching what can't yet."""

import json
from pathlib import Path

import pytest

from scenescore_classifier.models import backbone_files, registry
from scenescore_standalone.main import main


def test_list_says_what_is_ready_and_what_others_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: None)
    assert main(["models", "list", "--json", "--data-dir", str(tmp_path)]) == 0
    lines = {item["name"]: item for item in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines["thesis-relu"] == {"name": "thesis-relu", "weights_shipped": True, "missing": []}
    assert lines["scene"] == {"name": "scene", "weights_shipped": True, "missing": []}
    assert lines["mobilenet"]["weights_shipped"] is True
    assert lines["mobilenet"]["missing"] == [
        "pip install 'scenescore-classifier[mobilenet]'",
        "scenescore models pull mobilenet",
    ]
    assert main(["models", "list", "--data-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["thesis", "to", "be", "trained", "ready"]
    (timm,) = [line for line in said if line.startswith("timm:NAME")]
    assert "missing: pip install 'scenescore-classifier[timm]'" in timm


def test_pull_puts_the_backbones_into_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.tflite").write_bytes(b"a")
    known = backbone_files.BackboneFile(
        "a.tflite", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 1, 1
    )
    monkeypatch.setattr(backbone_files, "BACKBONES", (known,))
    command = ["models", "pull", "mobilenet", "--from", str(tmp_path), "--data-dir", str(tmp_path / "data")]
    assert main(command) == 0
    place = tmp_path / "data" / "models" / "mobilenet" / "a.tflite"
    assert capsys.readouterr().out == f"{place}\n"
    assert place.read_bytes() == b"a"


def test_another_file_is_refused_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in backbone_files.BACKBONES:
        (tmp_path / file.name).write_bytes(b"something else")
    command = ["models", "pull", "mobilenet", "--from", str(tmp_path), "--data-dir", str(tmp_path / "data")]
    assert main(command) == 1
    assert "is not the file that Scenescore knows" in capsys.readouterr().err
