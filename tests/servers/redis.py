"""A private Redis with the settings that production asks for: append-only file, no eviction."""

import signal
from pathlib import Path

import redis

from servers.process import ServerProcess, find_program, free_port


class Redis:
    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        options = {
            "port": self._port,
            "bind": "127.0.0.1",
            "dir": folder,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        self._server = ServerProcess(
            [
                find_program("redis-server"),
                *(part for name, value in options.items() for part in (f"--{name}", str(value))),
            ],
            log=folder / "redis.log",
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._server.start()
        self._server.wait_until(self._answers)

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.stop(signal.SIGKILL)

    @property
    def running(self) -> bool:
        return self._server.running

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._server.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._server.send(signal.SIGCONT)

    def waiting(self, queue: str) -> int:
        """Messages that nobody has taken."""
        with redis.Redis.from_url(self.url) as client:
            return int(client.llen(queue))

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
