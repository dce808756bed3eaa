"""`/v1/session`: a key is exchanged for a cookie, so that pictures, audio and event streams of the page are let in."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from scenescore_api.callers import Caller, Scope
from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import WITH_A_KEY, DoorsOf, Settings, count_request, no_query
from scenescore_api.sessions import COOKIE, forget, remember, token_of

router = APIRouter(prefix="/v1/session", tags=["session"])

_SET_COOKIE = {
    "Set-Cookie": {
        "description": f"`{COOKIE}`: HttpOnly, SameSite=Strict, and Secure over HTTPS",
        "schema": {"type": "string"},
    }
}
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_CROSS_SITE = {HTTPStatus.FORBIDDEN: "The cookie came from elsewhere, or without the header X-Requested-With"}


class SessionView(BaseModel):
    """Who the browser is to this server."""

    object: Literal["session"] = "session"
    keys_required: Annotated[bool, Field(description="Whether jobs need a key, or a session made with one")]
    signed_in: bool
    owner: Annotated[
        str | None, Field(description="Whose jobs it sees; null without a session", examples=["ann"])
    ]
    scopes: list[Scope]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Exchange a key for a session",
    dependencies=WITH_A_KEY,
    responses={
        201: {"description": "Signed in: the cookie now does what the key does", "headers": _SET_COOKIE},
        **documented(HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
    },
)
async def create_session(
    request: Request, response: Response, doors: DoorsOf, settings: Settings
) -> SessionView:
    """For pages: scripts send their key each time. The session ends with its time, with the key, or by DELETE."""
    token, caller = await run_in_threadpool(doors.sign_in, request.headers.getlist("authorization"))
    await count_request(request, caller)
    remember(
        response, token, request, seconds=settings.api.session_seconds, hsts=bool(settings.api.hsts_seconds)
    )
    return _view(caller, settings)


@router.get(
    "",
    summary="Who this browser is",
    dependencies=[Depends(no_query)],
    responses=documented(
        HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE, descriptions=_CROSS_SITE
    ),
)
async def get_session(request: Request, doors: DoorsOf, settings: Settings) -> SessionView:
    """Open to everybody; looks at the cookie alone."""
    token = token_of(request)
    return _view(await run_in_threadpool(doors.visitor, token) if token else None, settings)


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Sign out",
    dependencies=[Depends(no_query)],
    responses={
        204: {"description": "There is no session any more", "headers": _SET_COOKIE},
        **documented(
            HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE, descriptions=_CROSS_SITE
        ),
    },
)
async def delete_session(request: Request, response: Response, doors: DoorsOf) -> None:
    token = token_of(request)
    if token:
        await run_in_threadpool(doors.sign_out, token)
    forget(response)


def _view(caller: Caller | None, settings: Settings) -> SessionView:
    return SessionView(
        keys_required=settings.api.require_keys,
        signed_in=caller is not None,
        owner=caller.owner if caller else None,
        scopes=sorted(caller.scopes) if caller else [],
    )
