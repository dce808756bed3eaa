"""Scenescore itself as real processes: the whole stack, or `scenescore up`."""

import os
import signal
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from urllib.error import URLError

from servers.postgres import Postgres
from servers.process import ServerProcess, free_port
from servers.redis import Redis
from servers.s3 import S3

TINY_COMPOSER = {
    # seconds count here, music does not
    "SCENESCORE_COMPOSER__TRAINING_TOKENS": "3000",
    "SCENESCORE_COMPOSER__CANDIDATES": "2",
    "SCENESCORE_COMPOSER__CLIPS": "12",
}


def stack_settings(postgres: Postgres, redis_server: Redis, s3: S3) -> dict[str, str]:
    """The environment of a stack on these servers, with a database and a bucket of its own."""
    return {
        "SCENESCORE_DATABASE__URL": postgres.url(postgres.create_database()),
        "SCENESCORE_BROKER__URL": redis_server.url,
        "SCENESCORE_STORAGE__BUCKET": s3.new_bucket_name(),
        "SCENESCORE_STORAGE__ENDPOINT_URL": s3.endpoint_url,
        "SCENESCORE_STORAGE__ACCESS_KEY_ID": s3.access_key_id,
        "SCENESCORE_STORAGE__SECRET_ACCESS_KEY": s3.secret_access_key,
        "SCENESCORE_WEBHOOKS__SIGNING_KEY": token_hex(32),
    }


class Stack:
    """uvicorn, the sweeper, the deliverer of webhooks and both Celery workers, each a process that can be killed."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._port = free_port()
        self.environment = {
            **os.environ,
            **TINY_COMPOSER,
            "SCENESCORE_DATA_DIR": str(folder),
            "SCENESCORE_API__PORT": str(self._port),
            "SCENESCORE_LOG__FORMAT": "json",
            **settings,
        }
        self.processes: dict[str, ServerProcess] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def run(self, *command: str) -> str:
        """Runs a command of Scenescore's to its end in this stack's environment; returns its output."""
        once = ServerProcess([sys.executable, "-m", *command], self.log(command[0]), self.environment)
        once.start()
        once.wait_until(lambda: not once.running, seconds=120)
        assert once.wait() == 0, once.tail()
        return once.tail()

    def start(self, *names: str) -> None:
        modules = {
            "api": "scenescore_api",
            "sweeper": "scenescore_api.sweeper",
            "webhooks": "scenescore_api.webhooks",
            "classify": "scenescore_classifier.worker",
            "compose": "scenescore_composer.worker",
        }
        for name in names or modules:
            self.processes[name] = ServerProcess(
                [sys.executable, "-m", modules[name]], self.log(name), self.environment
            )
            self.processes[name].start()
        for name in names or modules:
            self._wait_for(name)

    def kill(self, name: str) -> None:
        self.processes.pop(name).stop(signal.SIGKILL)

    def stop(self) -> dict[str, int]:
        """Ends every process with SIGTERM; returns each one's exit status."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        return {name: process.wait() for name, process in self.processes.items()}

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _wait_for(self, name: str) -> None:
        process = self.processes[name]
        if name == "api":
            process.wait_until(lambda: answers(f"{self.url}/readyz"))
        elif name in {"classify", "compose"}:
            process.wait_until((self._folder / "state" / name / "ready").exists)


class Embedded(Stack):
    """`scenescore up`: the same as one command, without servers."""

    def start(self, *names: str) -> None:
        assert not names
        self.processes["up"] = ServerProcess(
            [sys.executable, "-m", "scenescore_standalone", "up", "--port", str(self._port)],
            self.log("up"),
            self.environment,
        )
        self.processes["up"].start()
        self.processes["up"].wait_until(lambda: "Scenescore is up" in self.log("up").read_text())


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the tests' own server
            return True
    except (URLError, OSError):
        return False
