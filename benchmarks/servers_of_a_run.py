"""The private servers of a benchmark, of which every commit reaches the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.postgres import Postgres
from servers.redis import Redis
from servers.s3 import S3


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`folder` is for the programs that are measured on them."""

    postgres: Postgres
    redis: Redis
    s3: S3
    folder: Path


@contextmanager
def running_servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        # PostgreSQL runs as another user
        Path(name).chmod(0o755)
        folders = {part: Path(name) / part for part in ("postgres", "redis", "s3", "stack")}
        for path in folders.values():
            path.mkdir()
        servers = Servers(
            postgres=Postgres(folders["postgres"], durable=True),
            redis=Redis(folders["redis"]),
            s3=S3(folders["s3"]),
            folder=folders["stack"],
        )
        for server in (servers.postgres, servers.redis, servers.s3):
            server.start()
            stack.callback(server.stop)
        yield servers
