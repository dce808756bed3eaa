"""`submit`, against the API itself: every result a file or an object, every mistake a sentence and an exit status."""

import io
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from samples.jobs import job_id
from samples.pictures import jpeg
from servers.process import free_port
from servers.working_api import WorkingApi, working_api

from scenescore_client.bar import said
from scenescore_client.jobs import Progress
from scenescore_client.main import main
from scenescore_shared.jobs import Status

MUSIC = b"MThd-music"
RUN = [sys.executable, "-m", "scenescore_client", "submit"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return painted(tmp_path / "scene.jpg", 1)


@pytest.fixture
def submit(working: WorkingApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    monkeypatch.setenv("SCENESCORE_CLIENT__SERVER", working.url)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main(["submit", *map(str, arguments)])


def painted(path: Path, seed: int) -> Path:
    path.write_bytes(jpeg(seed))
    return path


def until(look: Callable[[], object], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_picture_becomes_files_here(
    submit: Callable[..., int], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit(picture, "--seconds", 20, "--seed", 7, "--music-key", "F# minor") == 0
    captured = capsys.readouterr()
    assert "sad     70.0%" in captured.out
    assert "96 bpm, A minor, 120 notes, learnt from 1 clips (seed 7)" in captured.out
    assert "MIDI: music.mid" in captured.out
    # nobody looks, so there is no bar
    assert captured.err == ""
    assert (tmp_path / "music.mid").read_bytes() == MUSIC


def test_every_wish_reaches_the_server(
    submit: Callable[..., int], working: WorkingApi, tmp_path: Path
) -> None:
    wishes = [
        "--temperature",
        "0.9",
        "--tempo-bpm",
        "88",
        "--music-key",
        "F# minor",
        "--instrument",
        "violin",
    ]
    assert submit("--emotions", "happy=1", "--variations", "2", *wishes, "-o", tmp_path / "mine") == 0
    (job,) = working.jobs()
    asked = {"temperature": 0.9, "tempo_bpm": 88, "key": "F# minor", "instrument": "violin", "variations": 2}
    assert asked.items() <= dict(job.options).items()
    assert job.picture is None
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["music.mid"]


def test_each_of_many_pictures_gets_a_folder(
    submit: Callable[..., int], working: WorkingApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    pictures = [painted(tmp_path / f"{name}.jpg", seed) for seed, name in enumerate("abcde")]
    pictures.append(painted(tmp_path / "other" / "a.jpg", 9))
    assert submit(*pictures, "-o", tmp_path / "out", "--json") == 0
    jobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [job["picture"] for job in jobs] == [str(picture) for picture in pictures]
    places = [tmp_path / "out" / name / "music.mid" for name in ("a", "b", "c", "d", "e", "a-2")]
    assert [job["files"] for job in jobs] == [{"music.mid": str(place)} for place in places]
    assert {place.read_bytes() for place in places} == {MUSIC}
    assert len(working.jobs()) == 6


def test_names_that_no_encoding_has_are_told_and_come_back(
    submit: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = painted(tmp_path / os.fsdecode(b"sc\xe8ne.jpg"), 1)
    assert submit(picture, picture, "-o", "a", "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [job["picture"] for job in told] == [str(picture), str(picture)]
    assert Path(told[0]["files"]["music.mid"]).read_bytes() == MUSIC
    assert submit(picture, picture, "-o", "b") == 0
    assert capsys.readouterr().out.startswith("sc\ufffdne.jpg\nHow it feels:\n")


def test_an_output_of_few_letters_gets_what_it_can_show(
    submit: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = painted(tmp_path / "scène.jpg", 1)
    for arguments, shown in (([], "sc?ne.jpg\nHow it feels:\n  happy"), (["--json"], '{"id": ')):
        shell = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", shell)
        assert submit(picture, picture, "-o", tmp_path / f"out{len(arguments)}", *arguments) == 0
        shell.seek(0)
        assert shell.read().startswith(shown)


def test_one_broken_picture_costs_no_other(
    submit: Callable[..., int], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(jpeg()[:500])
    assert submit(broken, picture, "-o", tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "scenescore-client: broken.jpg: " in captured.err
    assert captured.out.startswith("scene.jpg\nHow it feels:\n")
    assert (tmp_path / "out" / "scene" / "music.mid").read_bytes() == MUSIC


def test_nothing_is_overwritten_unless_asked_and_nothing_sent_for_it(
    submit: Callable[..., int],
    working: WorkingApi,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "music.mid").write_bytes(b"mine")
    assert submit(picture) == 2
    assert "music.mid is there already" in capsys.readouterr().err
    assert working.jobs() == []
    assert submit(picture, "--overwrite") == 0
    assert (tmp_path / "music.mid").read_bytes() == MUSIC


def test_only_what_was_asked_for_is_saved(
    submit: Callable[..., int], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit(picture, "--only", "music.mid", "-o", tmp_path / "a") == 0
    assert submit(picture, "--only", "music.ogg", "-o", tmp_path / "b") == 1
    assert "no music.ogg; it has: music.mid" in capsys.readouterr().err


def test_what_is_not_waited_for_is_resumed(
    submit: Callable[..., int], working: WorkingApi, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    working.held.set()
    assert submit(picture, picture, "--no-wait") == 0
    ids = capsys.readouterr().out.split()
    assert ids == [job.id for job in working.jobs()]
    working.held.clear()
    assert submit("--resume", *ids, "-o", "out") == 0
    assert [Path("out", job, "music.mid").read_bytes() for job in ids] == [MUSIC, MUSIC]
    assert len(working.jobs()) == 2


def test_a_resumed_job_takes_what_it_saved_before_and_nothing_else(
    submit: Callable[..., int],
    working: WorkingApi,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert submit(picture) == 0
    (job,) = working.jobs()
    capsys.readouterr()
    assert submit("--resume", job.id, "--only", "music.mid") == 0
    assert "MIDI: music.mid" in capsys.readouterr().out
    (tmp_path / "music.mid").write_bytes(b"mine")
    assert submit("--resume", job.id) == 1
    assert "music.mid is there already" in capsys.readouterr().err
    assert (tmp_path / "music.mid").read_bytes() == b"mine"


def test_a_job_that_did_not_succeed_is_a_failure(
    submit: Callable[..., int], working: WorkingApi, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    working.held.set()
    assert submit(picture, "--no-wait") == 0
    job = capsys.readouterr().out.strip()
    working.api.client.post(f"/v1/jobs/{job}/cancel")
    assert submit("--resume", job, "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["status"] == "canceled"
    assert "the job was canceled" in captured.err
    assert submit("--resume", job_id(99)) == 1
    assert "There is no job" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a picture"),
        (["nowhere.jpg"], "nowhere.jpg is no file"),
        (["scene.jpg", "--resume", "x"], "--resume"),
        (["scene.jpg", "-o", "scene.jpg"], "scene.jpg is a file"),
        (["scene.jpg", "--server", "scenescore.example"], "no server's address"),
        (["scene.jpg", "--key", "F# minor"], "no key of a server's"),
        (["scene.jpg", "--only", "../music.mid"], "no name"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    submit: Callable[..., int],
    working: WorkingApi,
    picture: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    assert picture.exists()
    assert submit(*arguments) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.err.startswith("scenescore-client: ")
    assert captured.out == ""
    assert working.jobs() == []


@pytest.mark.parametrize("arguments", [["--emotions", "happy"], ["--seed", "x"], ["--fly"]])
def test_a_mistyped_argument_ends_with_2(submit: Callable[..., int], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        submit(*arguments)
    assert ended.value.code == 2


def test_a_misspelt_variable_is_not_silent(
    submit: Callable[..., int],
    picture: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCENESCORE_CLIENT__KYE", "hush")
    assert submit(picture) == 2
    said = capsys.readouterr().err
    assert "SCENESCORE_CLIENT__KYE" in said
    assert "hush" not in said


def test_the_key_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with working_api(require_keys=True) as working:
        monkeypatch.setenv("SCENESCORE_CLIENT__SERVER", working.url)
        assert main(["submit", str(picture), "-o", str(tmp_path / "a")]) == 1
        told = capsys.readouterr().err
        assert "This needs a key." in told
        assert "SCENESCORE_CLIENT__KEY" in told
        monkeypatch.setenv("SCENESCORE_CLIENT__KEY", working.api.key())
        assert main(["submit", str(picture), "-o", str(tmp_path / "a")]) == 0
        assert main(["submit", str(picture), "-o", str(tmp_path / "b"), "--key", "scs_wrong"]) == 1
        assert "no key of Scenescore's" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_tried_again_and_it_is_said(picture: Path, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    command = [*RUN, str(picture), "--server", nobody, "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert f"{nobody} does not answer" in line
    assert "Trying again in" in line
    assert process.returncode == 130
    assert "scene.jpg was being sent: it may have become a job all the same." in rest
    assert "Traceback" not in rest


@pytest.mark.parametrize("cancels", [False, True])
def test_an_interrupt_says_how_to_go_on_or_cancels(
    working: WorkingApi, picture: Path, tmp_path: Path, *, cancels: bool
) -> None:
    working.held.set()
    command = [*RUN, str(picture), "--server", working.url, "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        [*command, *(["--cancel-on-interrupt"] if cancels else [])],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        # it reads its events
        until(lambda: working.api.app.state.streams.open == 1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    (job,) = working.jobs()
    if cancels:
        assert (job.status, "canceled" in told) == (Status.CANCELED, True)
        assert "--resume" not in told
    else:
        assert job.status is Status.QUEUED
        assert (
            f"scenescore-client submit --resume {job.id} --server {working.url} -o {tmp_path / 'out'}" in told
        )


def test_who_goes_on_after_an_interrupt_gets_what_was_asked_for_at_first(
    working: WorkingApi,
    picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    working.held.set()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(jpeg()[:500])
    wishes = ["-o", str(tmp_path / "my out"), "--only", "music.mid", "--overwrite", "--json"]
    command = [*RUN, str(broken), str(picture), "--server", working.url, *wishes]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        until(lambda: working.api.app.state.streams.open == 1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    working.held.clear()
    # of two pictures this one is left: it goes where it would have gone
    place = tmp_path / "my out" / "scene" / "music.mid"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"to be replaced")
    program, *resume = shlex.split(told.partition("wait for it again with: ")[2])
    assert program == "scenescore-client"
    assert resume[resume.index("--only") :][:2] == ["--only", "music.mid"]
    monkeypatch.chdir(tmp_path)
    assert main(resume) == 0
    assert json.loads(capsys.readouterr().out)["files"] == {"music.mid": str(place)}
    assert place.read_bytes() == MUSIC


def test_an_interrupt_cancels_what_can_be_whatever_has_ended_or_gone(
    working: WorkingApi, tmp_path: Path
) -> None:
    working.held.set()
    pictures = [str(painted(tmp_path / f"{name}.jpg", seed)) for seed, name in enumerate("abcd")]
    command = [*RUN, *pictures, "--server", working.url, "-o", str(tmp_path), "--cancel-on-interrupt"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        until(lambda: working.api.app.state.streams.open == 1)
        first, second, third, fourth = working.jobs()
        working.api.advance(second.id, to="succeeded")
        assert working.api.client.delete(f"/v1/jobs/{third.id}").is_success
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert [(job.id, job.status) for job in working.jobs()] == [
        (first.id, Status.CANCELED),
        (second.id, Status.SUCCEEDED),
        (fourth.id, Status.CANCELED),
    ]
    assert f"c.jpg, job {third.id}: There is no job" in told
    # its files can still be had
    assert f"submit --resume {second.id} --server" in told


def test_a_person_at_a_terminal_sees_the_progress_and_is_asked(working: WorkingApi, picture: Path) -> None:
    working.held.set()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [*RUN, str(picture), "--server", working.url]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            _read(ours, "scene.jpg, waiting, next:   0%")
            (job,) = working.jobs()
            working.api.advance(job.id, to="classified")
            _read(ours, r"scene.jpg, waiting, next: +\d\d% \|.*█")
            process.send_signal(signal.SIGINT)
            _read(ours, r"\[y/N\]")
            os.write(ours, b"y\n")
            _read(ours, "canceled")
            assert process.wait(30) == 130
        finally:
            process.kill()
            os.close(ours)
    assert working.jobs()[0].status is Status.CANCELED


def _read(terminal: int, wanted: str, *, seconds: float = 30.0) -> None:
    """Until what is wanted, a pattern, is shown."""
    text, deadline = b"", time.monotonic() + seconds
    while not re.search(wanted, text.decode(errors="replace")):
        assert select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0], text
        text += os.read(terminal, 4096)


@pytest.mark.parametrize(
    ("status", "step", "position", "told"),
    [
        ("queued", "classify", 0, "waiting, next"),
        ("queued", "classify", 1, "waiting, 1 job ahead"),
        ("running", "compose", 12, "waiting, 12 jobs ahead"),
        ("running", "classify", None, "looking at it"),
        ("running", "compose", None, "composing"),
        ("running", "render", None, "rendering"),
        ("running", "master", None, "master"),
        ("succeeded", None, None, "succeeded"),
    ],
)
def test_what_a_job_is_at_is_said(status: str, step: str | None, position: int | None, told: str) -> None:
    assert said(Progress(status=status, step=step, progress=0, queue_position=position)) == told
