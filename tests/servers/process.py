"""A server process of the tests: found on this machine, started, awaited, stopped or killed."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 120.0

_BELOW_OUTGOING = range(10_000, 32_768)
"""From 32768 on Linux takes the near ends of connections (ip_local_port_range)."""


class ServerMissingError(Exception):
    """The server's program is not installed here."""


def find_program(name: str, *patterns: str) -> str:
    """The path of an installed program, on the PATH or matching a pattern. Raises ServerMissingError."""
    matching = sorted(path for pattern in patterns for path in Path("/").glob(pattern.lstrip("/")))
    found = shutil.which(name) or (str(matching[-1]) if matching else None)
    if found is None:
        raise ServerMissingError(f"{name} is not installed")
    return found


def free_port() -> int:
    """One that no outgoing connection takes, so that a killed server finds it free when it starts anew."""
    while True:
        port = random.SystemRandom().choice(_BELOW_OUTGOING)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class ServerProcess:
    """`command` runs in its own session; its output goes to `log`."""

    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    user: str | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(self.environment) if self.environment is not None else None,
                start_new_session=True,
                user=self.user,
                extra_groups=[] if self.user else None,
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, kind: signal.Signals = signal.SIGTERM) -> None:
        """SIGKILL goes to the process's whole session, anything else to the process alone."""
        assert self._process is not None
        if self._process.poll() is None:
            if kind is signal.SIGKILL:
                os.killpg(self._process.pid, kind)
            else:
                self._process.send_signal(kind)

    def freeze(self) -> None:
        """The whole session stands still; what it holds open stays open."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Also of one that is dead or was never frozen: then nothing happens."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)

    def children(self) -> list[int]:
        """The pids of the process's own children."""
        try:
            found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in found.split()]

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and returns its exit status."""
        self.send(kind)
        return self.wait()

    def wait(self, seconds: float = 60.0) -> int:
        """The exit status of a process that is ending. Fails when it does not end in time."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise AssertionError(
                f"{self.command[0]} did not stop within {seconds} s:\n{self.tail()}"
            ) from None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise AssertionError(f"{self.command} ended at its start:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.command} was not ready within {seconds} s:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
