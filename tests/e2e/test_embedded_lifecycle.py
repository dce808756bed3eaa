"""How `scenescore up` and its workers start and end: by signals, anew on the same folder, with something missing."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from samples.client import Client
from servers.process import ServerProcess
from servers.scenescore import Embedded, Stack, answers, processes_on


@pytest.fixture
def up(tmp_path: Path, corpus: Path) -> Iterator[Embedded]:
    """Started by nobody yet; what a test that fails leaves running is killed."""
    up = Embedded(tmp_path, {})
    up.run("scenescore_standalone", "corpus", "import", str(corpus))
    yield up
    if up.runs("up"):
        up.kill("up")


# the fixture `embedded` ends by SIGTERM
def test_its_terminal_closes_and_it_leaves_no_process(up: Embedded) -> None:
    up.start()
    assert ended_by(up, signal.SIGHUP) == 0


def test_killed_it_leaves_no_process_and_started_anew_it_makes_the_same_bytes(up: Embedded) -> None:
    up.start()
    music = a_piece(up)
    assert ended_by(up, signal.SIGKILL) == -signal.SIGKILL
    up.log("up").unlink()  # else it would say at once that the second one is up
    up.start()
    try:
        assert a_piece(up) == music
    finally:
        assert up.stop() == {"up": 0}


def test_a_worker_that_can_not_load_its_model_ends(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    stack = Stack(tmp_path, {"SCENESCORE_CLASSIFIER__WEIGHTS_DIR": str(tmp_path / "empty")})
    stack.run("scenescore_shared.provision")
    worker = ServerProcess(
        [sys.executable, "-m", "scenescore_classifier.worker"], stack.log("classify"), stack.environment
    )
    worker.start()
    worker.wait()
    assert "worker_could_not_start" in worker.log.read_text()
    assert not (tmp_path / "state" / "classify" / "ready").exists()
    assert processes_on(tmp_path) == []


def test_the_composer_is_ready_only_once_there_is_a_corpus(tmp_path: Path, corpus: Path) -> None:
    stack = Stack(tmp_path, {})
    stack.run("scenescore_shared.provision")
    worker = ServerProcess(
        [sys.executable, "-m", "scenescore_composer.worker"], stack.log("compose"), stack.environment
    )
    worker.start()
    try:
        worker.wait_until(lambda: "waiting_for_corpus" in worker.log.read_text())
        assert not (tmp_path / "state" / "compose" / "ready").exists()
        stack.run("scenescore_standalone", "corpus", "import", str(corpus))
        worker.wait_until((tmp_path / "state" / "compose" / "ready").exists)
        worker.wait_until((tmp_path / "state" / "compose" / "alive").exists)
    finally:
        assert worker.stop() == 0


def a_piece(up: Embedded) -> bytes:
    """The music of one seed, for one mix of emotions."""
    with closing(Client(up.url)) as client:
        asked = client.submit(None, seed=11, seconds=12, emotions={"happy": 0.6, "sad": 0.4})
        return client.music(client.wait(asked["id"]))


def ended_by(up: Embedded, kind: signal.Signals) -> int:
    """The exit status, once none of its processes is left and nothing says that one would be ready."""
    assert len(processes_on(up.folder)) >= 8
    os.kill(up.processes["up"].pid, kind)
    status = up.processes["up"].wait()
    deadline = time.monotonic() + 60
    while left := processes_on(up.folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert not answers(f"{up.url}/healthz")
    assert not (up.folder / "state" / "classify" / "ready").exists()
    return status
