"""`scenescore submit`: the client's command, without what the other commands need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from samples.pictures import jpeg
from servers.working_api import working_api

from scenescore_standalone.main import main

_WITHOUT_TORCH = """
import sys
from scenescore_standalone.main import main
status = main(sys.argv[1:])
heavy = {"torch", "music21", "numpy", "celery", "sqlalchemy"} & sys.modules.keys()
assert not heavy, heavy
sys.exit(status)
"""


def test_it_submits_without_torch_and_beside_settings_of_services(tmp_path: Path) -> None:
    (tmp_path / "scene.jpg").write_bytes(jpeg(1))
    with working_api() as working:
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_TORCH, "submit", "scene.jpg", "--seed", "7"],
            cwd=tmp_path,
            # a service would refuse this one
            env=os.environ | {"SCENESCORE_CLIENT__SERVER": working.url, "SCENESCORE_FLY": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MIDI: music.mid" in done.stdout
    assert (tmp_path / "music.mid").read_bytes() == b"MThd-music"


def test_its_complaints_bear_the_commands_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCENESCORE_CLIENT__SERVER", raising=False)
    assert main(["submit"]) == 2
    assert capsys.readouterr().err == "scenescore: name a picture, or give a mix with --emotions\n"
