"""Answers that say no, as errors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2

from scenescore_client.errors import (
    ConflictError,
    ExpiredError,
    FieldError,
    InvalidRequestError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    PictureRefusedError,
    ProblemError,
    ServerFailedError,
    TooManyRequestsError,
)

_ERRORS: Mapping[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: NotAuthenticatedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    413: PictureRefusedError,
    415: PictureRefusedError,
    422: InvalidRequestError,
    429: TooManyRequestsError,
}
_SERVER_ERRORS = 500
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
_IN_FLIGHT = "idempotency_key_in_flight"
"""The first try with this key is still at work: its answer is worth waiting for."""


def problem_of(response: httpx2.Response) -> ProblemError:
    """The error of an answer that was read. One that is no problem document, as a proxy's, is told by its status."""
    told = _document(response)
    status = response.status_code
    kind = _ERRORS.get(status, ServerFailedError if status >= _SERVER_ERRORS else ProblemError)
    code = str(told.get("code", f"http_{status}"))
    return kind(
        str(told.get("detail") or f"The server answered {status} {_phrase(status)}.".replace(" .", ".")),
        status=status,
        code=code,
        errors=_field_errors(told.get("errors")),
        request_id=response.headers.get("X-Request-ID"),
        retry_after=retry_after(response, now=datetime.now(UTC)),
        transient=status in TRANSIENT_STATUSES or code == _IN_FLIGHT,
    )


def retry_after(response: httpx2.Response, *, now: datetime) -> float | None:
    """Seconds, 0 or more, of the header `Retry-After`, which may name a date as well (RFC 9110, 10.2.3)."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    # a date without a zone, which HTTP does not have, counts as UTC
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def _document(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _field_errors(told: Any) -> tuple[FieldError, ...]:
    items = told if isinstance(told, list) else []
    return tuple(
        FieldError(str(item["field"]), str(item["message"]))
        for item in items
        if isinstance(item, dict) and {"field", "message"} <= item.keys()
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
