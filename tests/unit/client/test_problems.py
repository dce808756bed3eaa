"""Problem documents, and what else may stand where one should be."""

from datetime import UTC, datetime

import httpx2
import pytest
from samples.mock_server import problem

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
from scenescore_client.problems import problem_of, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        (400, InvalidRequestError, False),
        (401, NotAuthenticatedError, False),
        (403, NotAllowedError, False),
        (404, NotFoundError, False),
        (408, ProblemError, False),
        (409, ConflictError, False),
        (410, ExpiredError, False),
        (413, PictureRefusedError, False),
        (415, PictureRefusedError, False),
        (422, InvalidRequestError, False),
        (429, TooManyRequestsError, True),
        (500, ServerFailedError, False),
        (502, ServerFailedError, True),
        (503, ServerFailedError, True),
        (504, ServerFailedError, True),
        (507, ServerFailedError, False),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[ProblemError], *, transient: bool) -> None:
    error = problem_of(problem(status, "some_code", "Do this.", X_Request_ID="r-1"))
    assert type(error) is kind
    assert (error.status, error.code, error.detail, str(error)) == (
        status,
        "some_code",
        "Do this.",
        "Do this.",
    )
    assert (error.transient, error.request_id) == (transient, "r-1")


def test_the_first_try_at_work_is_worth_waiting_for() -> None:
    error = problem_of(problem(409, "idempotency_key_in_flight", Retry_After="1"))
    assert (error.transient, error.retry_after) == (True, 1.0)


def test_wrong_fields_are_named() -> None:
    told = {
        "code": "invalid_request",
        "detail": "x",
        "errors": [{"field": "options.seed", "message": "no"}, 7],
    }
    assert problem_of(httpx2.Response(422, json=told)).errors == (FieldError("options.seed", "no"),)


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[1]", b'"text"', b"\xff\xfe{"])
def test_what_is_no_problem_document_is_told_by_its_status(body: bytes) -> None:
    error = problem_of(httpx2.Response(502, content=body))
    assert (error.detail, error.code) == ("The server answered 502 Bad Gateway.", "http_502")


def test_a_status_without_a_name_is_told_as_well() -> None:
    assert problem_of(httpx2.Response(599)).detail == "The server answered 599."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("30", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    response = httpx2.Response(503, headers=[(b"Retry-After", header.encode())])
    assert retry_after(response, now=NOW) == seconds
