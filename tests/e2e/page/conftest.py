"""One browser, and Scenescore on SQLite and files, whose processes can be frozen one by one."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples.midi import write_corpus
from servers.browser import browser
from servers.process import ServerMissingError
from servers.scenescore import Stack
from servers.visitor import Visitor

NAMES = ("api", "sweeper", "classify", "compose", "render")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, soundfont: Path) -> Iterator[Stack]:
    corpus = write_corpus(tmp_path_factory.mktemp("corpus") / "tiny")
    # so that there is a mix for which nothing can be composed
    shutil.rmtree(corpus / "calm")
    settings = {
        "SCENESCORE_RENDER__SOUNDFONT": str(soundfont),
        "SCENESCORE_EMOTIONS": "happy,angry,sad,calm",
        # frozen workers shall not lose their jobs
        "SCENESCORE_JOBS__LEASE_SECONDS": "120",
    }
    stack = Stack(tmp_path_factory.mktemp("page"), settings)
    stack.run("scenescore_shared.provision")
    stack.run("scenescore_standalone", "corpus", "import", str(corpus))
    try:
        stack.start(*NAMES)
        yield stack
    finally:
        for process in stack.processes.values():
            process.thaw()
        statuses = stack.stop()
    assert set(statuses.values()) <= {0, -signal.SIGTERM}


@pytest.fixture(scope="session")
def visitor(tmp_path_factory: pytest.TempPathFactory, running: Stack) -> Iterator[Visitor]:
    folder = tmp_path_factory.mktemp("browser")
    try:
        opened = browser(folder)
        with opened as driver:
            yield Visitor(driver, running.url)
    except ServerMissingError as error:
        if os.environ.get("TESTS_REQUIRE_SERVERS"):
            raise
        pytest.skip(f"the page in a browser: {error}")


@pytest.fixture(autouse=True)
def _fresh(visitor: Visitor, running: Stack) -> Iterator[None]:
    visitor.forget()
    yield
    for name in NAMES:
        running.processes[name].thaw()
    visitor.driver.delete_network_conditions()
    assert visitor.complaints() == []
