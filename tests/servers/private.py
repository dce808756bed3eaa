"""The life of a private server in a fixture."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from servers.postgres import Postgres
from servers.process import ServerMissingError
from servers.redis import Redis
from servers.s3 import S3

Server = TypeVar("Server", Postgres, Redis, S3)


def started(make: Callable[[Path], Server], folder: Path) -> Iterator[Server]:
    """The server while the fixture lives; skips where it is not installed, unless the run must not skip."""
    try:
        server = make(folder)
    except ServerMissingError as error:
        if os.environ.get("TESTS_REQUIRE_SERVERS"):
            raise
        pytest.skip(f"{make.__name__}: {error}")
    server.start()
    yield server
    server.stop()
