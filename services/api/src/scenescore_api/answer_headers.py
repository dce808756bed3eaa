"""What every answer tells a browser, and where answers to HEAD end."""

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    # answers are data: nothing in them may run, load or be framed
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # one user's jobs are nothing for a shared cache
    "Cache-Control": "no-store",
}


class AnswerHeaders:
    """Adds the headers of every answer, where the route has not set its own, and those that a dependency left in
    `request.state.answer_headers`, which so are on errors too.
    """

    def __init__(self, app: ASGIApp, *, hsts_seconds: int) -> None:
        self._app = app
        self._defaults = dict(_ALWAYS)
        if hsts_seconds:
            self._defaults["Strict-Transport-Security"] = f"max-age={hsts_seconds}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._defaults.items():
                    headers.setdefault(name, value)
                headers.update(scope.get("state", {}).get("answer_headers", {}))
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _BodyNotWantedError(OSError):
    """Ends whoever streams a body that nobody reads, as a client does that has gone."""


class Heads:
    """Answers HEAD as GET would be answered, up to the headers (RFC 9110 §9.3.2). No body is read to be dropped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        # a copy: the server looks at the method of its own to know that no body follows
        as_get = {**scope, "method": "GET"}
        answered = False

        async def send_head(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body"):
                raise _BodyNotWantedError

        try:
            await self._app(as_get, receive, send_head)
        except (_BodyNotWantedError, ClientDisconnect):
            if not answered:
                raise
        finally:
            if "route" in as_get:
                scope["route"] = as_get["route"]
