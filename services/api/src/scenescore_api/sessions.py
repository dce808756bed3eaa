"""A browser's session: the cookie that stands for a key, and what a request with it must show."""

from http import HTTPMethod

from starlette.requests import Request
from starlette.responses import Response

from scenescore_shared.errors import CrossSiteError

COOKIE = "scenescore_session"
PROOF = "X-Requested-With"
"""No page of another site can send a header of its own here: the browser would ask this server first (CORS)."""

_SAFE = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
_OWN = frozenset({"same-origin", "none"})


def token_of(request: Request) -> str | None:
    """The token in the request's cookie.

    Raises CrossSiteError when a page of another site may have made the browser send it (CSRF): `SameSite=Strict`
    keeps the cookie from other sites, but not from other hosts and ports of the same one.
    """
    token = request.cookies.get(COOKIE)
    if token is None:
        return None
    if request.headers.get("sec-fetch-site", "same-origin") not in _OWN:
        raise CrossSiteError("This server's session is for its own page. Send a key instead.")
    if request.method not in _SAFE and not request.headers.get(PROOF):
        raise CrossSiteError(f"With a session this needs the header `{PROOF}`, or send a key instead.")
    return token


def remember(response: Response, token: str, request: Request, *, seconds: int, hsts: bool) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=hsts or _came_by_https(request),
    )


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _came_by_https(request: Request) -> bool:
    """A proxy says so in a header, which a client can forge for its own cookie alone."""
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in {request.url.scheme, forwarded}
