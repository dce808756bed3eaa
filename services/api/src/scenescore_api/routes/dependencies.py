"""What routes take from the application: put on its state by `create_app`."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from scenescore_api.callers import LOCAL, Caller
from scenescore_api.preferences import Preferences, parse_prefer
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings
from scenescore_api.watching import JobWatch, OpenStreams
from scenescore_shared.errors import InvalidRequestError

_QUOTED = re.compile(r'"(.*)"')
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


# coroutines, since the others cost a way to the thread pool and back each
async def _service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


async def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


async def _watch(request: Request) -> JobWatch:
    watch: JobWatch = request.app.state.watch
    return watch


async def _streams(request: Request) -> OpenStreams:
    streams: OpenStreams = request.app.state.streams
    return streams


async def _preferences(
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N` answers when the job has ended, or after N seconds (at most 60); "
            "`respond-async` at once (RFC 7240)",
            examples=["wait=30"],
        ),
    ] = None,
) -> Preferences:
    return parse_prefer(prefer)


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Yours, 1 to 255 visible ASCII characters, new for each request. The same request sent again "
            "with it within 24 hours gets the first answer and makes no second job",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> str | None:
    if idempotency_key is None:
        return None
    # a string of RFC 8941 in quotes, as the draft has it, or bare, as most send it
    quoted = _QUOTED.fullmatch(idempotency_key)
    key = quoted[1] if quoted else idempotency_key
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequestError(
            "The Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.",
            code="invalid_idempotency_key",
        )
    return key


async def _caller(_: Request) -> Caller:
    return LOCAL


Watch = Annotated[JobWatch, Depends(_watch)]
Streams = Annotated[OpenStreams, Depends(_streams)]
PreferencesOf = Annotated[Preferences, Depends(_preferences)]
IdempotencyKeyOf = Annotated[str | None, Depends(_idempotency_key)]
Service = Annotated[JobService, Depends(_service)]
Settings = Annotated[ApiSettings, Depends(_settings)]
CallerOf = Annotated[Caller, Depends(_caller)]
