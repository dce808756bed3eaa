"""The HTTP server: uvicorn on uvloop and httptools, which take half the time of asyncio's loop and h11."""

from collections.abc import Callable
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES = 64 * 1024
"""As much as h11 takes."""

_TOO_LARGE = "The request's headers are too large."


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    # named, so that a server without them does not start, rather than being slow
    return uvicorn.Config(app, loop="uvloop", http=CarefulHttpProtocol, log_config=None, **options)


class CarefulHttpProtocol(HttpToolsProtocol):
    """httptools's with two things that h11 brings: a bound on headers and trailers, which it would keep for as long as
    they go on; and an answer to a request that was whole, whatever nonsense follows it. That request may have been
    carried out: "400" would be a lie.
    """

    _pending = 0
    """Bytes that came since the last end of headers or piece of a body, and so may be kept."""

    def data_received(self, data: bytes) -> None:
        self._pending += len(data)
        super().data_received(data)
        if self._pending > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.logger.warning(_TOO_LARGE)
            self.send_400_response(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._pending = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        # None before the first request, whatever its annotation says
        cycle: RequestResponseCycle | None = self.cycle
        if cycle and not cycle.response_complete and not cycle.more_body:
            cycle.keep_alive = False
            self.flow.pause_reading()
        else:
            super().send_400_response(msg)


class Server(uvicorn.Server):
    """Lets those go who only wait, before it waits for those who are being answered."""

    def __init__(self, config: uvicorn.Config, *, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._on_shutdown()
        await super().shutdown(sockets)
