"""A TCP relay in front of a server: it remembers what was asked, and meddles with answers."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_READ = 65_536

Meddle = Callable[[bytes], bytes | None]
"""Gets the first bytes of an answer. What it returns is sent, and then the line is cut; None leaves it as it is."""


@dataclass
class Relay:
    """Listens on 127.0.0.1. Each of `meddling` is done once, for the first answer of the next connection."""

    upstream: int
    meddling: list[Meddle] = field(default_factory=list)
    asked: bytearray = field(default_factory=bytearray)
    port: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a thread that waits in accept() wakes by this, not by close()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # a server that is away, or a side that hangs up: then the other one is hung up on
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.upstream)) as server:
            threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
            self._answer(server, client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(_READ):
                self.asked += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        data = server.recv(_READ)
        sent = self.meddling.pop(0)(data) if data and self.meddling else None
        if sent is not None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_RDWR)
            return
        while data:
            client.sendall(data)
            data = server.recv(_READ)
