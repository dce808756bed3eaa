"""Reads `POST /v1/jobs`: a multipart form with a picture and, as JSON, the options."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from scenescore_api.pictures import CONTENT_TYPES
from scenescore_api.problems import FieldErrorsError, field_errors, sentence_of
from scenescore_shared.errors import InvalidRequestError, TransientError
from scenescore_shared.options import JobOptions

_FIELDS = ("image", "options")
_MAX_OPTIONS_BYTES = 64 * 1024
_CUT_OFF = "The upload was cut off: the form has no end. Send it again, whole."

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {
                    "image": {
                        "type": "string",
                        "format": "binary",
                        "description": "A JPEG, PNG, WebP, GIF (first frame), BMP or TIFF picture. May be left out "
                        "when the option `emotions` is given.",
                    },
                    "options": {"$ref": "#/components/schemas/JobOptions"},
                },
            },
            "encoding": {
                "image": {"contentType": ", ".join(sorted(set(CONTENT_TYPES.values())))},
                "options": {"contentType": "application/json"},
            },
        }
    },
}
"""OpenAPI's description of the form, which FastAPI can't derive: the route reads the form itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    image: bytes | None
    options: JobOptions


async def read_submission(request: Request) -> Submission:
    """The form's parts. Raises InvalidRequestError that says what is wrong with which part."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        raise _malformed("Send a multipart form (multipart/form-data) with the picture in the field `image`.")
    async with _form(request) as form:
        parts = form.multi_items()
        if not parts:
            raise _malformed("The form is empty. Send the picture in the field `image`.")
        _check_fields([name for name, _ in parts])
        found = dict(parts)
        return Submission(
            image=await _image(found.get("image")), options=await _options(found.get("options"))
        )


class _FormParser(MultiPartParser):
    """Takes a form only whole: Starlette's own takes one that is cut off for one without its last part."""

    _ended = False

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        self.stream = self._to_its_end(self.stream)
        return await super().parse()

    async def _to_its_end(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in body:
            yield chunk
        if not self._ended:
            # here, so that the parser closes the files that it has begun
            raise _malformed(_CUT_OFF)


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    parser = _FormParser(
        request.headers, request.stream(), max_files=2, max_fields=4, max_part_size=_MAX_OPTIONS_BYTES
    )
    try:
        form = await parser.parse()
    except (UnicodeError, LookupError):
        # of a charset parameter that names no charset, or one that the form is not in
        raise _malformed("The form's text is not in the charset that its Content-Type names.") from None
    except MultiPartException as error:
        raise _malformed(f"The form can't be read. {error.message}") from None
    except ClientDisconnect:
        # nobody is left to read the answer, but the log shall not call it our fault
        raise _malformed(_CUT_OFF) from None
    except OSError as error:
        raise TransientError(f"the upload can't be kept: {error}") from error
    try:
        yield form
    finally:
        await form.close()


def _malformed(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, code="malformed_request")


def _check_fields(names: list[str]) -> None:
    unknown = sorted(set(names) - set(_FIELDS))
    if unknown:
        raise InvalidRequestError(
            f"The form has no field {unknown[0][:64]!r}; its fields are {', '.join(_FIELDS)}."
        )
    twice = [name for name in _FIELDS if names.count(name) > 1]
    if twice:
        raise InvalidRequestError(
            f"The field {twice[0]} was sent {names.count(twice[0])} times; send it once."
        )


async def _image(part: UploadFile | str | None) -> bytes | None:
    if part is None:
        return None
    if isinstance(part, str):
        raise InvalidRequestError(
            "The field image must be a file: with curl, `-F image=@picture.jpg` (mind the @)."
        )
    data = await part.read()
    if not data:
        raise InvalidRequestError("The picture is an empty file.")
    return data


async def _options(part: UploadFile | str | None) -> JobOptions:
    if part is None:
        return JobOptions()
    if isinstance(part, UploadFile) and (part.size or 0) > _MAX_OPTIONS_BYTES:
        raise InvalidRequestError(f"The options are larger than {_MAX_OPTIONS_BYTES // 1024} kB.")
    raw = await part.read() if isinstance(part, UploadFile) else part
    try:
        options = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidRequestError("The field options is no valid JSON.") from None
    if not isinstance(options, dict):
        raise InvalidRequestError('The field options must be a JSON object, such as {"seed": 7}.')
    try:
        return JobOptions.model_validate(options)
    except ValidationError as error:
        errors = field_errors(error.errors(), within="options")
        raise FieldErrorsError(sentence_of(errors), errors) from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON (RFC 8259)")
