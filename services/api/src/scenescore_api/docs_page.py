"""`/docs`: FastAPI's page around Swagger UI, which may run that page's own script and nothing else."""

import base64
import hashlib
import re

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

_CDN = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/"
_SCRIPT = f"{_CDN}swagger-ui-bundle.js"
_STYLE = f"{_CDN}swagger-ui.css"
_FAVICON = "https://fastapi.tiangolo.com/img/favicon.png"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def docs_router(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "",
        title=f"{app.title} {app.version}",
        swagger_js_url=_SCRIPT,
        swagger_css_url=_STYLE,
        swagger_favicon_url=_FAVICON,
    )
    html = bytes(page.body).decode()
    headers = {"Content-Security-Policy": content_security_policy(html)}

    @router.get("/docs")
    async def get_docs() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)

    return router


def content_security_policy(html: str) -> str:
    """What this page needs and no more: the files of Swagger UI, and the script that stands in the page itself."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(html))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_SCRIPT} {hashes}",
            # Swagger UI writes style attributes into its own HTML
            f"style-src {_STYLE} 'unsafe-inline'",
            f"img-src data: {_FAVICON}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
