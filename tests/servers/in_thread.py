"""An application behind a real socket, in a thread of the test's own process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from scenescore_api.serving import server_config


@contextmanager
def served(app: ASGIApp) -> Iterator[int]:
    """The port on 127.0.0.1."""
    server = uvicorn.Server(server_config(app, lifespan="off"))
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
