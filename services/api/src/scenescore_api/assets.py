"""Files of pages, held in memory: a name that is not among them leads nowhere."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response

FOR_EVER = "public, max-age=31536000, immutable"
"""Of files whose names change with their content."""
ASK_AGAIN = "no-cache"

_TEXT = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_COMPRESSED_ALREADY = frozenset({".png"})


class Asset:
    def __init__(self, name: str, content: bytes) -> None:
        _, dot, suffix = name.rpartition(".")
        self._suffix = dot + suffix
        self._content = content
        self.media_type = _TEXT.get(self._suffix) or guess_type(name)[0] or "application/octet-stream"

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self._content).hexdigest()[:32]}"'

    @cached_property
    def _gzipped(self) -> bytes:
        return gzip.compress(self._content, mtime=0)

    def answer(
        self, request: Request, *, cache_control: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Compressed for those who take it (RFC 9110, 12.5.3), and 304 for those who have it."""
        all_headers = {
            "ETag": self.etag,
            "Cache-Control": cache_control,
            "Vary": "Accept-Encoding",
            **(headers or {}),
        }
        if self.etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=all_headers)
        if self._suffix in _COMPRESSED_ALREADY or not _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(self._content, media_type=self.media_type, headers=all_headers)
        return Response(
            self._gzipped, media_type=self.media_type, headers={**all_headers, "Content-Encoding": "gzip"}
        )


def assets_in(folder: Traversable) -> dict[str, Asset]:
    """The files that lie directly in the folder, by name."""
    return {file.name: Asset(file.name, file.read_bytes()) for file in folder.iterdir() if file.is_file()}


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
