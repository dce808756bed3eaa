"""Around every request: its id, a bound on its body, its log line and its figures."""

import asyncio
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scenescore_api.problems import unexpected_error
from scenescore_shared.errors import InvalidRequestError, ScenescoreError
from scenescore_shared.logs import get_logger, log_context

_log = get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CONCEALED = frozenset({"token", "listener"})
"""What stands in paths and not in logs: what lets listeners in, and their names."""
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestContext:
    """Gives each request an id (the client's `X-Request-ID` where it is a tame one), logs and counts it."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "scenescore_http_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "scenescore_http_request_seconds", "Time to answer", ["method", "route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        answering = False
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                answering = True
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
            await send(message)

        with log_context(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                # here and not in the framework's outermost layer, so that id and headers are on this answer too
                _log.error("request_crashed", exc_info=error)
                if answering:
                    raise
                await unexpected_error(Request(scope))(scope, receive, send_with_id)
            finally:
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # the route's template, not the path: ids would make a series each, and so would made-up methods
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)
        if scope["path"] not in _QUIET:
            key_id = scope["state"].get("key_id")
            concealed = not _CONCEALED.isdisjoint(scope.get("path_params", ()))
            # the path without its query, which may hold anything
            _log.info(
                "request",
                method=scope["method"],
                path=route if concealed else scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
                **({"key_id": key_id} if key_id else {}),
            )


class BodyLimit:
    """Stops reading a body that is larger than `max_bytes`, whatever its Content-Length says, or is not there
    `seconds` after its first piece was asked for: a client that trickles holds a form and its file open.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, seconds: float, too_large: Callable[[], ScenescoreError]
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._too_large = too_large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0
        whole = False
        ends_at: float | None = None

        async def bounded() -> Message:
            nonlocal read, whole, ends_at
            if whole:
                # what comes now is the client's leaving, for which a stream may wait for an hour
                return await receive()
            now = asyncio.get_running_loop().time()
            ends_at = ends_at or now + self._seconds
            try:
                async with asyncio.timeout_at(ends_at):
                    message = await receive()
            except TimeoutError:
                raise InvalidRequestError(
                    f"The request's body did not arrive within {self._seconds:g} s. Send it again, or a smaller one.",
                    code="request_timeout",
                ) from None
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise self._too_large()
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)
