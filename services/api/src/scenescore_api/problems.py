"""Errors as problem documents (RFC 9457). Only here do error codes meet HTTP statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from scenescore_shared.errors import (
    CrossSiteError,
    ExpiredError,
    IllegalMoveError,
    InvalidRequestError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    PermanentError,
    ScenescoreError,
    TooManyRequestsError,
    TransientError,
)
from scenescore_shared.logs import get_logger

_log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TRY_AGAIN_SECONDS = 5
_CHALLENGE = 'Bearer realm="scenescore"'

_STATUS_BY_CODE = {
    "picture_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "request_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "picture_type_unsupported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "malformed_request": HTTPStatus.BAD_REQUEST,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "idempotency_key_in_flight": HTTPStatus.CONFLICT,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
}
_RETRY_AFTER_BY_CODE = {"idempotency_key_in_flight": 1}
_STATUS_BY_ERROR: Sequence[tuple[type[ScenescoreError], HTTPStatus]] = (
    (NotAuthenticatedError, HTTPStatus.UNAUTHORIZED),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (CrossSiteError, HTTPStatus.FORBIDDEN),
    (TooManyRequestsError, HTTPStatus.TOO_MANY_REQUESTS),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ExpiredError, HTTPStatus.GONE),
    (IllegalMoveError, HTTPStatus.CONFLICT),
    (PermanentError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
)


class FieldError(BaseModel):
    field: Annotated[str, Field(examples=["options.seconds"])]
    message: str


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable and for machines, `detail` says what to do."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["There is no job 0197f2a0-0000-7000-8000-000000000000."])]
    code: Annotated[str, Field(examples=["not_found"])]
    request_id: str | None = None
    errors: Annotated[list[FieldError] | None, Field(description="Which fields are wrong, where known")] = (
        None
    )


class FieldErrorsError(InvalidRequestError):
    """Some fields of the request are wrong, each with its own sentence."""

    def __init__(self, message: str, errors: Sequence[FieldError]) -> None:
        super().__init__(message)
        self.errors = list(errors)


def problem_response(
    request: Request,
    status: HTTPStatus,
    *,
    code: str,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        title=status.phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=getattr(request.state, "request_id", None),
        errors=errors,
    )
    all_headers = dict(headers or {})
    if code in _RETRY_AFTER_BY_CODE:
        all_headers["Retry-After"] = str(_RETRY_AFTER_BY_CODE[code])
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        all_headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
    if status is HTTPStatus.REQUEST_TIMEOUT:
        # RFC 9110, 15.5.9: nobody waits for the rest
        all_headers["Connection"] = "close"
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True), status, all_headers, media_type=MEDIA_TYPE
    )


def documented(
    *statuses: HTTPStatus, descriptions: Mapping[HTTPStatus, str] | None = None
) -> dict[int | str, Any]:
    """The `responses` of a route that may answer with these problems, for OpenAPI."""
    return {
        int(status): {
            "description": (descriptions or {}).get(status, status.phrase),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def status_of(error: ScenescoreError) -> HTTPStatus:
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    for kind, status in _STATUS_BY_ERROR:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ScenescoreError, _on_scenescore_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


def _on_scenescore_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ScenescoreError):
        raise error
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request_failed", code=error.code, reason=error.message)
    detail = error.message
    if isinstance(error, TransientError):
        # what a vendor's client says is for the log
        detail = f"A part of Scenescore does not answer just now. Try again in {TRY_AGAIN_SECONDS} s."
    errors = error.errors if isinstance(error, FieldErrorsError) else None
    return problem_response(
        request, status, code=error.code, detail=detail, errors=errors, headers=_headers_of(error)
    )


def _headers_of(error: ScenescoreError) -> dict[str, str]:
    if isinstance(error, NotAuthenticatedError):
        return {"WWW-Authenticate": _CHALLENGE + (', error="invalid_token"' if error.key_sent else "")}
    if isinstance(error, NotAllowedError):
        return {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(error.retry_after)}
    return {}


def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    detail = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path[:200]}; the API is described at /docs.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method[:16]} is not possible here; see the header Allow.",
    }.get(status, str(error.detail))
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_at(request))
    return problem_response(request, status, code=code, detail=detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """All that the path takes: the framework names those of the first route alone that has it."""
    found = set()
    for method in ("DELETE", "GET", "PATCH", "POST", "PUT"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            found |= {"GET", "HEAD"} if method == "GET" else {method}
    return sorted(found)


def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = field_errors(error.errors())
    return problem_response(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code=InvalidRequestError.code,
        detail=sentence_of(errors),
        errors=errors,
    )


def field_errors(errors: Sequence[Any], *, within: str = "") -> list[FieldError]:
    """Pydantic's errors, at most ten of them, without the values that caused them."""
    return [
        FieldError(
            field=".".join([*([within] if within else []), *(str(part)[:64] for part in item["loc"])]),
            message=str(item["msg"]).removeprefix("Value error, "),
        )
        for item in errors[:10]
    ]


def sentence_of(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{item.field}: {item.message}" for item in errors) + "."


def unexpected_error(request: Request) -> Response:
    """The answer to what nobody foresaw. The cause is for the log alone."""
    return problem_response(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code=ScenescoreError.code,
        detail="Something went wrong on our side. Try again; if it stays so, report the request's id.",
    )
