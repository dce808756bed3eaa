"""Errors as problem documents (RFC 9457). Only here do error codes meet HTTP statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from scenescore_shared.errors import (
    IllegalMoveError,
    InvalidRequestError,
    NotFoundError,
    PermanentError,
    ScenescoreError,
    TransientError,
)
from scenescore_shared.logs import get_logger

_log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TRY_AGAIN_SECONDS = 5

_STATUS_BY_CODE = {
    "picture_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "request_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "picture_type_unsupported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "malformed_request": HTTPStatus.BAD_REQUEST,
}
_STATUS_BY_ERROR: Sequence[tuple[type[ScenescoreError], HTTPStatus]] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
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
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        all_headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
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
    return problem_response(request, status, code=error.code, detail=detail, errors=errors)


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
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (allowed := _allowed(request)):
        headers["Allow"] = allowed
    return problem_response(request, status, code=code, detail=detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of every documented route at this path. Starlette names those of the first one only."""
    methods = {
        method.upper()
        for template, operations in request.app.openapi()["paths"].items()
        if compile_path(template)[0].match(request.url.path)
        for method in operations
    }
    return ", ".join(sorted(methods))


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
