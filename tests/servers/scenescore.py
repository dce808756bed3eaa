"""Scenescore itself as real processes: the whole stack, or `scenescore up`."""

import os
import signal
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex
from urllib.error import URLError

from servers.postgres import Postgres
from servers.process import ServerProcess, free_port
from servers.redis import Redis
from servers.s3 import S3

TINY_COMPOSER = {
    # seconds count here, music does not
    "SCENESCORE_COMPOSER__TRAINING_TOKENS": "700",
    "SCENESCORE_COMPOSER__CANDIDATES": "1",
    "SCENESCORE_COMPOSER__CLIPS": "12",
}


def stack_settings(
    postgres: Postgres, redis_server: Redis, s3: S3, *, template: str = "template1"
) -> dict[str, str]:
    """The environment of a stack on these servers, with a database and a bucket of its own."""
    return {
        "SCENESCORE_DATABASE__URL": postgres.url(postgres.create_database(template=template)),
        "SCENESCORE_BROKER__URL": redis_server.url,
        "SCENESCORE_STORAGE__BUCKET": s3.new_bucket_name(),
        "SCENESCORE_STORAGE__ENDPOINT_URL": s3.endpoint_url,
        "SCENESCORE_STORAGE__ACCESS_KEY_ID": s3.access_key_id,
        "SCENESCORE_STORAGE__SECRET_ACCESS_KEY": s3.secret_access_key,
        "SCENESCORE_WEBHOOKS__SIGNING_KEY": token_hex(32),
    }


_COMMANDS = {
    "api": ("scenescore_api",),
    "sweeper": ("scenescore_api.sweeper",),
    "webhooks": ("scenescore_api.webhooks",),
    "classify": ("scenescore_classifier.worker",),
    "compose": ("scenescore_composer.worker",),
    "render": ("scenescore_composer.rendering.worker",),
}
_STATE_DIRS = {
    "sweeper": "SCENESCORE_SWEEPER__STATE_DIR",
    "webhooks": "SCENESCORE_WEBHOOKS__STATE_DIR",
    "classify": "SCENESCORE_CLASSIFIER__STATE_DIR",
    "compose": "SCENESCORE_COMPOSER__STATE_DIR",
    "render": "SCENESCORE_RENDER__STATE_DIR",
}


class Stack:
    """uvicorn, the sweeper, the deliverer of webhooks and the Celery workers, each a process that can be killed.

    Processes go by their kind, further ones of a kind with a number: `compose`, `compose-2`. Each has a state
    directory and a log of its own, each API a port.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self._port = free_port()
        self._ports = {"api": self._port}
        self.commands: dict[str, Sequence[str]] = dict(_COMMANDS)
        """What `python -m` runs, by kind, or by name where one process shall differ."""
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
        return self.url_of("api")

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def run(self, *command: str) -> str:
        """Runs a command of Scenescore's to its end in this stack's environment; returns its output."""
        once = ServerProcess([sys.executable, "-m", *command], self.log(command[0]), self.environment)
        once.start()
        once.wait_until(lambda: not once.running, seconds=120)
        assert once.wait() == 0, once.tail()
        return once.tail()

    def start(self, *names: str) -> None:
        for name in names or _COMMANDS:
            self.spawn(name)
        for name in names or _COMMANDS:
            self._wait_for(name)

    def spawn(self, name: str) -> None:
        """As `start`, but waits for nothing."""
        environment = dict(self.environment)
        kind = _kind_of(name)
        if kind == "api":
            environment["SCENESCORE_API__PORT"] = str(self._ports.setdefault(name, free_port()))
        else:
            environment[_STATE_DIRS[kind]] = str(self._state_dir(name))
            # what a killed one left there
            (self._state_dir(name) / "ready").unlink(missing_ok=True)
        command = self.commands.get(name, self.commands[kind])
        self.processes[name] = ServerProcess([sys.executable, "-m", *command], self.log(name), environment)
        self.processes[name].start()

    def kill(self, name: str) -> None:
        self.processes.pop(name).stop(signal.SIGKILL)

    def end(self, name: str) -> int:
        """SIGTERM; returns the exit status."""
        return self.processes.pop(name).stop()

    def runs(self, name: str) -> bool:
        return name in self.processes and self.processes[name].running

    def stop(self) -> dict[str, int]:
        """Ends every process with SIGTERM; returns each one's exit status."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        return {name: process.wait() for name, process in self.processes.items()}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _state_dir(self, name: str) -> Path:
        return self.folder / "state" / name

    def _wait_for(self, name: str) -> None:
        process = self.processes[name]
        match _kind_of(name):
            case "api":
                process.wait_until(lambda: answers(f"{self.url_of(name)}/readyz"))
            case "classify" | "compose" | "render":
                process.wait_until((self._state_dir(name) / "ready").exists)


def _kind_of(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


class Embedded(Stack):
    """`scenescore up`: the same as one command, without servers. Its one process is called `up`."""

    def start(self, *names: str) -> None:
        assert not names
        self.processes["up"] = ServerProcess(
            [sys.executable, "-m", "scenescore_standalone", "up", "--port", str(self._port)],
            self.log("up"),
            self.environment,
        )
        self.processes["up"].start()
        self.processes["up"].wait_until(lambda: "Scenescore is up" in self.log("up").read_text())

    def freeze(self, kind: str) -> None:
        """What `up` runs of that kind stands still; what it holds open stays open, but for the database's one lock for
        writing: with that nobody else would get any further.
        """
        pid = self._child(kind)
        deadline = time.monotonic() + 30
        while True:
            os.killpg(pid, signal.SIGSTOP)
            if self._takes_writes():
                return
            os.killpg(pid, signal.SIGCONT)
            assert time.monotonic() < deadline, "the database is locked at every look"
            time.sleep(0.05)

    def _takes_writes(self) -> bool:
        with closing(
            sqlite3.connect(self.folder / "scenescore.db", timeout=1, isolation_level=None)
        ) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    def thaw(self) -> None:
        """Everything goes on that was frozen."""
        for pid in self.processes["up"].children():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    def _child(self, kind: str) -> int:
        """Its pid, which is its session's, too."""
        (module,) = _COMMANDS[kind]
        command = f"\0scenescore_standalone.child\0{module}\0".encode()
        (pid,) = [
            pid
            for pid in self.processes["up"].children()
            if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(command)
        ]
        return pid


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the tests' own server
            return True
    except (URLError, OSError):
        return False


def processes_on(data_dir: Path) -> list[str]:
    """Command lines of the processes whose environment names the folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if f"SCENESCORE_DATA_DIR={data_dir}\0".encode() in environment and command:
            found.append(command.replace(b"\0", b" ").decode())
    return found
