"""Stored files as answers."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

FILE_HEADERS = {
    "ETag": {"description": "Names the file's bytes", "schema": {"type": "string"}},
    "Cache-Control": {"description": "private, no-cache: keep it, and ask", "schema": {"type": "string"}},
}
"""For OpenAPI."""


def file_answer(
    request: Request,
    chunks: Iterator[bytes],
    *,
    media_type: str,
    etag: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A file that a browser may keep and must ask about: it goes when its job is deleted."""
    kept = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or kept["ETag"] in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
    return StreamingResponse(chunks, media_type=media_type, headers={**kept, **(headers or {})})
