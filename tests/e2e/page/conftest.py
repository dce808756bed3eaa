"""`scenescore up`, whose processes can be frozen one by one, and somebody who looks at its page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples.midi import write_corpus
from selenium.webdriver import Chrome
from servers.scenescore import Embedded, processes_on
from servers.visitor import Visitor


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, soundfont: Path) -> Iterator[Embedded]:
    corpus = write_corpus(tmp_path_factory.mktemp("corpus") / "tiny")
    # so that there is a mix for which nothing can be composed
    shutil.rmtree(corpus / "calm")
    settings = {
        "SCENESCORE_RENDER__SOUNDFONT": str(soundfont),
        "SCENESCORE_EMOTIONS": "happy,angry,sad,calm",
        # frozen workers shall not lose their jobs
        "SCENESCORE_JOBS__LEASE_SECONDS": "120",
    }
    folder = tmp_path_factory.mktemp("page")
    up = Embedded(folder, settings)
    up.run("scenescore_standalone", "corpus", "import", str(corpus))
    try:
        up.start()
        yield up
    finally:
        up.thaw()
        statuses = up.stop()
    assert statuses == {"up": 0}
    assert processes_on(folder) == []


@pytest.fixture
def visitor(chromium: Chrome, running: Embedded) -> Iterator[Visitor]:
    """Somebody whose browser was never here."""
    opened = Visitor(chromium, running.url)
    opened.forget()
    yield opened
    running.thaw()
    opened.online()
    assert opened.complaints() == []
