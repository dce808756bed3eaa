"""What belongs to this machine alone: addresses, names, and requests that only its own user can have made."""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from scenescore_api.problems import problem_response

NEEDS_KEYS = (
    "refusing to listen on {host} without keys: whoever reaches it could use it. Set"
    " SCENESCORE_API__REQUIRE_KEYS=true and make a key with `scenescore keys create NAME`, or listen on 127.0.0.1."
)

_WRONG_HOST = (
    "Without keys this server answers to 127.0.0.1, [::1] and localhost only."
    " To reach it under another name, set SCENESCORE_API__REQUIRE_KEYS=true."
)
_CROSS_SITE = "Without keys this server takes no request that a page of another site makes."


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, can only mean this machine."""
    name = host.removesuffix(".").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class LoopbackOnly:
    """Turns away what a web page elsewhere could have sent, where no key tells its sender from the user.

    Binding to 127.0.0.1 keeps other machines out, not the browser on this one. A page may point its own name at
    127.0.0.1 (DNS rebinding) and then read the answers; `Host` gives it away. Or it may post a form to 127.0.0.1
    (CSRF), whose answer it cannot read but whose job would run; `Origin` and `Sec-Fetch-Site`, which no page can
    set, give that away. A link elsewhere may still open the page itself (`is_page` of a path), which holds nothing of
    anybody's and cannot be framed.
    """

    def __init__(self, app: ASGIApp, *, is_page: Callable[[str], bool]) -> None:
        self._app = app
        self._is_page = is_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, code, detail = refusal
        await problem_response(Request(scope), status, code=code, detail=detail)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str, str] | None:
        headers = Headers(scope=scope)
        opened = scope["method"] == "GET" and headers.get("sec-fetch-dest") == "document"
        return _refusal(headers, followed=opened and self._is_page(scope["path"]))


def _refusal(headers: Headers, *, followed: bool) -> tuple[HTTPStatus, str, str] | None:
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(_host_of(f"//{hosts[0]}")):
        return HTTPStatus.MISDIRECTED_REQUEST, "wrong_host", _WRONG_HOST
    origins = headers.getlist("origin")
    elsewhere = any(not is_loopback(_host_of(origin)) for origin in origins)
    if elsewhere or ("cross-site" in headers.getlist("sec-fetch-site") and not followed):
        return HTTPStatus.FORBIDDEN, "cross_site", _CROSS_SITE
    return None


def _host_of(url: str) -> str:
    """The host in it, without port and brackets; empty where there is none, as in the origin `null`."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
