"""What routes take from the application, and who may take it: put on its state by `create_app`.

These are coroutines, so that a stranger is refused without waiting for the thread pool, where uploads may queue; what
asks a database or Redis goes there.
"""

import math
import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query as QueryParameter
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from scenescore_api import page_tokens
from scenescore_api.callers import Caller, Scope
from scenescore_api.doors import Doors, check_scope, check_standings
from scenescore_api.openapi_security import SCHEME
from scenescore_api.preferences import Preferences, parse_prefer
from scenescore_api.problems import FieldError, FieldErrorsError
from scenescore_api.ratings.service import RatingService
from scenescore_api.service import JobService
from scenescore_api.sessions import token_of
from scenescore_api.settings import ApiSettings
from scenescore_api.watching import JobWatch, OpenStreams
from scenescore_shared.errors import InvalidRequestError
from scenescore_shared.listening import ListeningSession
from scenescore_shared.rate_limits import Standing

_LONGEST_NAME_SHOWN = 64
_QUOTED = re.compile(r'"(.*)"')
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")

_key = HTTPBearer(scheme_name=SCHEME, description="A key: `scs_…`", auto_error=False)
"""For OpenAPI alone: the header is read below."""


async def _service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


async def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


async def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


async def _watch(request: Request) -> JobWatch:
    watch: JobWatch = request.app.state.watch
    return watch


async def _streams(request: Request) -> OpenStreams:
    streams: OpenStreams = request.app.state.streams
    return streams


async def _ratings(request: Request) -> RatingService:
    service: RatingService = request.app.state.ratings
    return service


async def _preferences(
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N` answers when the job has ended, or after N seconds (at most 60); "
            "`respond-async` at once (RFC 7240)",
            examples=["wait=5"],
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
            # told, not enforced: below it has a code and a sentence of its own
            json_schema_extra={"pattern": r"^[\x21-\x7e]{1,255}$"},
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


DoorsOf = Annotated[Doors, Depends(_doors)]
Watch = Annotated[JobWatch, Depends(_watch)]
Streams = Annotated[OpenStreams, Depends(_streams)]
Ratings = Annotated[RatingService, Depends(_ratings)]
PageSize = Annotated[int, Query(ge=1, le=100)]
PageToken = Annotated[
    str | None,
    Query(
        max_length=200,
        description="From the page before",
        # told, not enforced: the token says what is wrong with it better
        json_schema_extra={"pattern": page_tokens.PATTERN},
    ),
]
PreferencesOf = Annotated[Preferences, Depends(_preferences)]
IdempotencyKeyOf = Annotated[str | None, Depends(_idempotency_key)]


async def _caller(request: Request) -> Caller:
    """Known before anything of the body is read."""
    doors: Doors = request.app.state.doors
    authorization = request.headers.getlist("authorization")
    token = None if authorization else token_of(request)
    caller: Caller | None = None
    if authorization:
        caller = await run_in_threadpool(doors.holder, authorization)
    elif token:
        caller = await run_in_threadpool(doors.visitor, token)
    if caller is None:
        return doors.stranger()
    request.state.key_id = caller.key_id
    return caller


async def count_request(request: Request, caller: Caller) -> None:
    """Counts the request, and has the answer tell its key's limits, an error too. Without a key there are none."""
    if caller.key_id is None:
        return
    doors: Doors = request.app.state.doors
    submitting = (request.method, request.url.path) == ("POST", request.app.state.paths("create_job"))
    standings = await run_in_threadpool(doors.count, caller.key_id, submitting=submitting)
    if standings:
        request.state.answer_headers = _rate_limit_headers(standings)
    check_standings(standings)


async def count_listening(request: Request, session: ListeningSession) -> None:
    """Counts a listener's request, and has the answer tell the session's limits. Its listeners share them."""
    doors: Doors = request.app.state.doors
    standings = await run_in_threadpool(doors.count_listening, session.id)
    if standings:
        request.state.answer_headers = _rate_limit_headers(standings)
    check_standings(standings)


async def _admitted(request: Request, _: Annotated[object, Security(_key)]) -> Caller:
    """One dependency for all of it: FastAPI takes longer to call one than most of these take."""
    caller = await _caller(request)
    await count_request(request, caller)
    check_scope(caller, Scope.JOBS)
    _check_query(request)
    return caller


async def _may_administer(request: Request, _: Annotated[object, Security(_key)]) -> None:
    check_scope(await _caller(request), Scope.ADMIN)


async def _counted_if_known(request: Request) -> None:
    """Open to everybody; a key that is sent is checked and counted all the same."""
    if request.headers.getlist("authorization"):
        await count_request(request, await _caller(request))
    _check_query(request)


async def no_query(request: Request) -> None:
    """For routes that ask nothing else of a request."""
    _check_query(request)


def _check_query(request: Request) -> None:
    """A misspelt parameter must not be silent."""
    route = request.scope["route"]
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = sorted(
        field.alias
        for field in get_flat_params(route.dependant)
        if isinstance(field.field_info, QueryParameter)
    )
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        message = f"There is no such query parameter here; {takes}"
        errors = [
            FieldError(field=f"query.{name[:_LONGEST_NAME_SHOWN]}", message=message) for name in unknown
        ]
        raise FieldErrorsError(f"{errors[0].field}: {message}.", errors[:10])


def _rate_limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """As in draft-ietf-httpapi-ratelimit-headers-10: `t` is when the limit is whole again."""
    policy = (f'"{s.limit.name}";q={s.limit.requests};w={s.limit.window_seconds}' for s in standings)
    state = (f'"{s.limit.name}";r={s.remaining};t={math.ceil(s.full_in)}' for s in standings)
    return {"RateLimit-Policy": ", ".join(policy), "RateLimit": ", ".join(state)}


FOR_JOBS = [Depends(_admitted)]
"""Of every route about jobs, before the route's own."""
FOR_ADMINISTRATORS = [Depends(_may_administer)]
WITH_A_KEY = [Security(_key), Depends(no_query)]
"""Checked by the route itself."""
FOR_EVERYBODY = [Security(_key), Depends(_counted_if_known)]

Service = Annotated[JobService, Depends(_service)]
Settings = Annotated[ApiSettings, Depends(_settings)]
CallerOf = Annotated[Caller, Depends(_admitted)]
