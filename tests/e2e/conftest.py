"""Scenescore as its users run it: embedded, and as a stack on private PostgreSQL, Redis and S3."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples.midi import write_corpus
from samples.soundfonts import write_soundfont
from selenium.webdriver import Chrome
from servers.browser import browser
from servers.postgres import Postgres
from servers.process import ServerMissingError
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Embedded, Stack, processes_on, stack_settings


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "tiny")


@pytest.fixture(scope="session")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_soundfont(tmp_path_factory.mktemp("soundfont") / "tiny.sf2")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    folder = tmp_path_factory.mktemp("browser")
    try:
        opened = browser(folder)
        with opened as driver:
            yield driver
    except ServerMissingError as error:
        if os.environ.get("TESTS_REQUIRE_SERVERS"):
            raise
        pytest.skip(f"the page in a browser: {error}")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, corpus: Path, soundfont: Path) -> Iterator[Embedded]:
    # for a receiver of the tests' own
    settings = {
        "SCENESCORE_WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.0/8",
        "SCENESCORE_RENDER__SOUNDFONT": str(soundfont),
    }
    folder = tmp_path_factory.mktemp("embedded")
    up = Embedded(folder, settings)
    up.run("scenescore_standalone", "corpus", "import", str(corpus))
    try:
        up.start()
        yield up
    finally:
        statuses = up.stop()
    assert statuses == {"up": 0}
    assert processes_on(folder) == []


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: Path,
    soundfont: Path,
    postgres: Postgres,
    redis_server: Redis,
    s3: S3,
) -> Iterator[Stack]:
    settings = {
        **stack_settings(postgres, redis_server, s3),
        # a killed worker's job shall not be waited for long
        "SCENESCORE_JOBS__LEASE_SECONDS": "4",
        "SCENESCORE_SWEEPER__GRACE_SECONDS": "1",
        "SCENESCORE_RENDER__SOUNDFONT": str(soundfont),
    }
    servers = Stack(tmp_path_factory.mktemp("stack"), settings)
    servers.run("scenescore_shared.provision")
    servers.run("scenescore_standalone", "corpus", "import", str(corpus))
    try:
        servers.start()
        yield servers
    finally:
        statuses = servers.stop()
    # uvicorn shuts down in order and then ends by the signal that asked it to
    assert statuses == {
        "api": -signal.SIGTERM,
        "sweeper": 0,
        "webhooks": 0,
        "classify": 0,
        "compose": 0,
        "render": 0,
    }
