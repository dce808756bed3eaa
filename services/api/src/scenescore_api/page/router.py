"""`/`, `/jobs/{id}`, `/listening`, `/listening/{id}` and `/listen/{token}`: one page for all, which asks the API for
the rest. It holds nothing of anybody's.
"""

from importlib.resources import files

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from scenescore_api.assets import ASK_AGAIN, FOR_EVER, assets_in

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # pictures that were just chosen, and the small copies that the browser keeps of them
    "img-src": "'self' blob: data:",
    "media-src": "blob:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {allowed}" for name, allowed in _SOURCES.items()),
    # for taking a picture; the browser asks the user
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}

_UNLISTED = {
    **_HEADERS,
    # a link's address is what lets listeners in: neither other sites nor search engines learn it
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def page_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    static = files("scenescore_api.page") / "static"
    index = assets_in(static)["index.html"]
    assets = assets_in(static / "assets")

    @router.get("/")
    async def get_page(request: Request) -> Response:
        return index.answer(request, cache_control=ASK_AGAIN, headers=_HEADERS)

    @router.get("/listening")
    @router.get("/jobs/{job_id}")
    @router.get("/listening/{session_id}")
    @router.get("/listen/{token}")
    async def get_unlisted_page(request: Request) -> Response:
        return index.answer(request, cache_control=ASK_AGAIN, headers=_UNLISTED)

    @router.get("/assets/{name}")
    async def get_asset(request: Request, name: str) -> Response:
        if name not in assets:
            raise HTTPException(404)
        return assets[name].answer(request, cache_control=FOR_EVER)

    return router


def is_page(path: str) -> bool:
    """Whether what lies there is the same for everybody."""
    return path in {"/", "/listening"} or path.startswith(("/jobs/", "/listening/", "/listen/"))
