"""The page about the client: its examples run, against the API itself."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from samples.pictures import jpeg
from servers.working_api import WorkingApi, working_api

import scenescore_client
from scenescore_client import ScenescoreError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "client.md").read_text()
DEFAULT = "http://127.0.0.1:8000"


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_commands_run(tmp_path: Path) -> None:
    (tmp_path / "scene.jpg").write_bytes(jpeg(1))
    here = f'scenescore-client() {{ "{sys.executable}" -m scenescore_client "$@"; }}\n'
    with working_api() as working:
        done = subprocess.run(
            ["bash", "-euc", here + example("sh")],
            cwd=tmp_path,
            env=os.environ | {"SCENESCORE_CLIENT__SERVER": working.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(working.jobs()) == 4
    for folder in ("music", "sketch", "mix", "later"):
        assert (tmp_path / folder / "music.mid").read_bytes() == b"MThd-music"


def test_the_class_does_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scene.jpg").write_bytes(jpeg(1))
    monkeypatch.chdir(tmp_path)
    assert DEFAULT in example("python")
    with working_api() as working:
        _run(example("python"), working, tmp_path)
    assert (tmp_path / "music.mid").read_bytes() == b"MThd-music"
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["succeeded: 100%", "music.mid"]


def _run(code: str, working: WorkingApi, folder: Path) -> None:
    script = folder / "example.py"
    script.write_text(code.replace(DEFAULT, working.url))
    runpy.run_path(str(script))


def test_the_errors_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`(\w+Error)`", PAGE))
    assert len(named) > 10
    assert all(issubclass(getattr(scenescore_client, name), ScenescoreError) for name in named)
