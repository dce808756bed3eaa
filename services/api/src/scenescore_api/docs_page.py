"""`/docs`: FastAPI's page around Swagger UI, whose files come from the package fastapi-offline by way of this server,
not from a CDN. The page may run that script and its own, and nothing else.
"""

import base64
import hashlib
import re
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException

from scenescore_api.assets import ASK_AGAIN, Asset

_PATH = "/docs"
_SCRIPT = "swagger-ui-bundle.js"
_STYLE = "swagger-ui.css"
_FAVICON = "favicon.png"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def docs_router(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    static = files("fastapi_offline") / "static"
    assets = {name: Asset(name, (static / name).read_bytes()) for name in (_SCRIPT, _STYLE, _FAVICON)}
    html = bytes(
        get_swagger_ui_html(
            openapi_url=app.openapi_url or "",
            title=f"{app.title} {app.version}",
            swagger_js_url=f"{_PATH}/{_SCRIPT}",
            swagger_css_url=f"{_PATH}/{_STYLE}",
            swagger_favicon_url=f"{_PATH}/{_FAVICON}",
        ).body
    )
    page = Asset("docs.html", html)
    headers = {"Content-Security-Policy": content_security_policy(html.decode())}

    @router.get(_PATH)
    async def get_docs(request: Request) -> Response:
        return page.answer(request, cache_control=ASK_AGAIN, headers=headers)

    @router.get(_PATH + "/{name}")
    async def get_docs_asset(request: Request, name: str) -> Response:
        if name not in assets:
            raise HTTPException(404)
        return assets[name].answer(request, cache_control=ASK_AGAIN)

    return router


def content_security_policy(html: str) -> str:
    """What this page needs and no more: files of this server's, and the script that stands in the page itself."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(html))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes}",
            # Swagger UI writes style attributes into its own HTML
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
