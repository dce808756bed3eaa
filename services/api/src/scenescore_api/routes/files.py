"""Stored files as answers."""

from collections.abc import Callable, Iterator, Mapping
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
    opened: Callable[[], Iterator[bytes]],
    *,
    media_type: str,
    etag: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A file that a browser may keep and must ask about: it goes when its job is deleted. It is opened only where the
    browser has it no more: in an object store each opening is a request.
    """
    kept = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or kept["ETag"] in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
    return StreamingResponse(opened(), media_type=media_type, headers={**kept, **(headers or {})})
