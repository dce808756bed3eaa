"""`/v1/listening-sessions`: for those who ask others to listen."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from scenescore_api import page_tokens
from scenescore_api.problems import documented
from scenescore_api.ratings.schemas import (
    SESSION_EXAMPLE,
    NewSessionView,
    SessionIn,
    SessionList,
    SessionView,
    session_view,
)
from scenescore_api.ratings.service import RatingService
from scenescore_api.routes.dependencies import FOR_JOBS, CallerOf, PageSize, PageToken, Ratings
from scenescore_shared.listening import ListeningSession

router = APIRouter(prefix="/v1/listening-sessions", tags=["listening"], dependencies=FOR_JOBS)

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

SessionId = Annotated[str, Path(description="The listening session's id", examples=[SESSION_EXAMPLE])]


def _link(route: str, path: str, method: str, description: str) -> dict[str, Any]:
    return {
        "operationId": f"{route}_v1_listening_sessions__session_id__{path}{method}",
        "parameters": {"session_id": "$response.body#/id"},
        "description": description,
    }


_LINKS = {
    "read": _link("get_listening_session", "", "get", "How far its listeners are"),
    "report": _link("get_session_report", "report_", "get", "What they said"),
    "chart": _link("get_session_chart", "report_grades_svg_", "get", "The same as a picture"),
    "close": _link("close_listening_session", "close_", "post", "End its link"),
    "delete": _link("delete_listening_session", "", "delete", "Take it and its ratings out"),
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Make a listening session",
    responses={
        201: {
            "description": "Made. Its link is not shown again",
            "headers": {
                "Location": {
                    "description": "Where to ask for the session",
                    "schema": {"type": "string", "format": "uri-reference"},
                }
            },
            "links": _LINKS,
        },
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions={
                HTTPStatus.NOT_FOUND: "One of the jobs is not there",
                HTTPStatus.CONFLICT: "One of the jobs has no music, or none yet",
                HTTPStatus.GONE: "The files of one of the jobs have gone",
                HTTPStatus.UNPROCESSABLE_ENTITY: "A job is there twice, `closes_at` is past, or a field is wrong",
            },
        ),
    },
)
def create_listening_session(
    asked: SessionIn, service: Ratings, caller: CallerOf, request: Request
) -> NewSessionView:
    """A fixed set of pieces behind a link that needs no key. Each listener gets them in an order of his own, with
    nothing said of how they were made, and may come back to go on.
    """
    session, token = service.make_session(
        caller, title=asked.title, job_ids=asked.jobs, closes_at=asked.closes_at
    )
    view = _view(session, service, request)
    request.state.answer_headers = {
        **getattr(request.state, "answer_headers", {}),
        "Location": view.links.self,
    }
    return NewSessionView(**view.model_dump(), link=f"/listen/{token}")


@router.get(
    "",
    summary="List your listening sessions",
    responses=documented(HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
)
def list_listening_sessions(
    *,
    service: Ratings,
    caller: CallerOf,
    request: Request,
    page_size: PageSize = 20,
    page_token: PageToken = None,
) -> SessionList:
    """Newest first."""
    before_id = page_tokens.decode(page_token) if page_token is not None else None
    sessions, more = service.session_page(caller, page_size=page_size, before_id=before_id)
    progress = service.progress(sessions)
    return SessionList(
        data=[
            session_view(session, progress.get(session.id, ()), url_for=request.app.state.paths)
            for session in sessions
        ],
        next_page_token=page_tokens.encode(sessions[-1].id) if more else None,
    )


@router.get(
    "/{session_id}",
    summary="Read a listening session",
    responses={
        200: {"description": "The session, and how far its listeners are", "links": _LINKS},
        **documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
    },
)
def get_listening_session(
    session_id: SessionId, service: Ratings, caller: CallerOf, request: Request
) -> SessionView:
    return _view(service.session(session_id, caller), service, request)


@router.post(
    "/{session_id}/close",
    summary="End a listening session's link",
    responses=documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
)
def close_listening_session(
    session_id: SessionId, service: Ratings, caller: CallerOf, request: Request
) -> SessionView:
    """From now on it opens nothing. What was said stays, for reports. Closing twice is no error."""
    return _view(service.close_session(session_id, caller), service, request)


@router.delete(
    "/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete a listening session and its ratings",
    responses=documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
)
def delete_listening_session(session_id: SessionId, service: Ratings, caller: CallerOf) -> None:
    """The jobs stay."""
    service.delete_session(session_id, caller)


def _view(session: ListeningSession, service: RatingService, request: Request) -> SessionView:
    progress = service.progress([session]).get(session.id, ())
    return session_view(session, progress, url_for=request.app.state.paths)
