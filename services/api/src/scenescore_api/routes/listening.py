"""`/v1/listening/{token}`: for listeners, who have a link and no key. Nothing here says how a piece was made."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from scenescore_api.pictures import STORED_CONTENT_TYPE
from scenescore_api.problems import documented
from scenescore_api.ratings.listening import ListeningService
from scenescore_api.ratings.schemas import (
    ITEM_EXAMPLE,
    TOKEN_EXAMPLE,
    BlindRatingView,
    GradesIn,
    Listener,
    ListenerName,
    ListeningView,
    blind_rating_view,
    listening_view,
)
from scenescore_api.routes.dependencies import count_listening, no_query
from scenescore_api.routes.files import FILE_HEADERS, file_answer
from scenescore_api.routes.ratings import WRONG_GRADES
from scenescore_shared.listening import ListeningSession
from scenescore_shared.outputs import MIDI, MP3, OGG, OUTPUT_TYPES, WAV

router = APIRouter(prefix="/v1/listening/{token}", tags=["listening"])

Music = Literal["music.mid", "music.ogg", "music.mp3", "music.wav"]
_MUSIC = (MIDI, OGG, MP3, WAV)

_NOT_FOUND = {
    HTTPStatus.NOT_FOUND: "There is nothing behind this link, or it is over, or there is no such piece"
}
_GONE = {HTTPStatus.GONE: "The piece was kept for its time and has gone"}


def _documented(*statuses: HTTPStatus, **options: Any) -> dict[int | str, dict[str, Any]]:
    descriptions = {**_NOT_FOUND, **_GONE, **options.pop("descriptions", {})}
    always = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    return documented(*always, *statuses, descriptions=descriptions)


async def _listening(request: Request) -> ListeningService:
    service: ListeningService = request.app.state.listening
    return service


Listening = Annotated[ListeningService, Depends(_listening)]


async def _session(
    request: Request,
    service: Listening,
    token: Annotated[str, Path(description="From the link", max_length=64, examples=[TOKEN_EXAMPLE])],
) -> ListeningSession:
    """The token is the key here. A stranger's guess costs a hash and a look, and is counted nowhere."""
    session = await run_in_threadpool(service.session, token)
    await count_listening(request, session)
    return session


Session = Annotated[ListeningSession, Depends(_session)]
Item = Annotated[
    str, Path(description="The piece's id in this session", max_length=64, examples=[ITEM_EXAMPLE])
]


@router.get("", summary="What there is to hear", dependencies=[Depends(no_query)], responses=_documented())
def get_listening(
    session: Session,
    service: Listening,
    listener: Annotated[
        ListenerName | None,
        Query(description="Who listens: without it the items are left out", examples=["ann"]),
    ] = None,
) -> ListeningView:
    """The pieces in an order of the listener's own, the same whenever he comes back, with what he said before."""
    return listening_view(session, service.pieces(session, listener) if listener is not None else [])


@router.get(
    "/items/{item}/image",
    summary="A piece's picture",
    dependencies=[Depends(no_query)],
    response_class=StreamingResponse,
    responses={
        200: {"description": "A JPEG", "content": {STORED_CONTENT_TYPE: {}}, "headers": FILE_HEADERS},
        304: {"description": "It is still the one that If-None-Match names", "headers": FILE_HEADERS},
        **_documented(HTTPStatus.GONE),
    },
)
def get_piece_image(session: Session, item: Item, service: Listening, request: Request) -> Response:
    return file_answer(request, service.picture(session, item), media_type=STORED_CONTENT_TYPE, etag=item)


@router.get(
    "/items/{item}/{name}",
    summary="A piece's music",
    dependencies=[Depends(no_query)],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file: every piece's has the same name",
            "content": {
                OUTPUT_TYPES[name]: {"schema": {"type": "string", "format": "binary"}} for name in _MUSIC
            },
            "headers": {
                **FILE_HEADERS,
                "Content-Disposition": {"schema": {"type": "string"}, "description": "inline"},
                "Content-Length": {"schema": {"type": "integer"}, "description": "In bytes"},
            },
        },
        304: {"description": "It is still the one that If-None-Match names", "headers": FILE_HEADERS},
        **_documented(HTTPStatus.GONE),
    },
)
def get_piece_music(
    session: Session,
    item: Item,
    name: Annotated[Music, Path(examples=[MIDI])],
    service: Listening,
    request: Request,
) -> Response:
    """Its notes, or its sound in the kind that `sound` names."""
    output, opened = service.music(session, item, name)
    headers = {"Content-Disposition": "inline", "Content-Length": str(output.bytes)}
    return file_answer(
        request, opened, media_type=output.content_type, etag=f"{item}-{name}", headers=headers
    )


@router.put(
    "/items/{item}/ratings/{listener}",
    summary="Rate a piece",
    dependencies=[Depends(no_query)],
    responses={
        200: {"description": "This listener had rated it before: changed"},
        201: {"description": "Rated", "model": BlindRatingView},
        **_documented(
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            descriptions={
                HTTPStatus.CONFLICT: "The session has as many listeners as it takes",
                **WRONG_GRADES,
            },
        ),
    },
)
def rate_piece(
    *,
    session: Session,
    item: Item,
    listener: Annotated[Listener, Path()],
    given: GradesIn,
    service: Listening,
    response: Response,
) -> BlindRatingView:
    """Once for each listener: a second time changes it."""
    rating, new = service.rate(session, item, listener=listener, grades=given.grades)
    if new:
        response.status_code = HTTPStatus.CREATED
    return blind_rating_view(item, rating)
