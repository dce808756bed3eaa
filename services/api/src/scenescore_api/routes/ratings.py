"""`/v1/jobs/{id}/ratings`: what listeners say of a job's music."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from scenescore_api import page_tokens
from scenescore_api.problems import documented
from scenescore_api.ratings.schemas import (
    JOB_EXAMPLE,
    MUSIC_PATTERN,
    SESSION_EXAMPLE,
    Listener,
    ListenerName,
    RatingIn,
    RatingList,
    RatingView,
    rating_view,
)
from scenescore_api.routes.dependencies import FOR_JOBS, CallerOf, PageSize, PageToken, Ratings
from scenescore_shared.outputs import MIDI

router = APIRouter(prefix="/v1/jobs/{job_id}/ratings", tags=["ratings"], dependencies=FOR_JOBS)

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
WRONG_GRADES = {HTTPStatus.UNPROCESSABLE_ENTITY: "A grade, or a name, is none, or `fit` doesn't suit the job"}

JobId = Annotated[str, Path(description="The job's id", examples=[JOB_EXAMPLE])]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Rate a job's music",
    responses={
        200: {"description": "This listener had rated it before: changed", "model": RatingView},
        201: {"description": "Rated"},
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.GONE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions={
                HTTPStatus.CONFLICT: "The job has no music, or none yet",
                HTTPStatus.GONE: "The job's files have gone: nobody can hear its music any more",
                **WRONG_GRADES,
            },
        ),
    },
)
def rate_job(
    job_id: JobId, rating: RatingIn, service: Ratings, caller: CallerOf, response: Response
) -> RatingView:
    """Once for each listener and output: a second time changes it. Ratings outlast the job's files, not its row."""
    kept, new = service.rate(
        job_id, caller, listener=rating.listener, output=rating.output, grades=rating.grades
    )
    if not new:
        response.status_code = HTTPStatus.OK
    return rating_view(kept)


@router.get(
    "",
    summary="List a job's ratings",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
)
def list_ratings(
    *,
    job_id: JobId,
    service: Ratings,
    caller: CallerOf,
    listener: Annotated[
        ListenerName | None,
        Query(description="Only this listener's", examples=["ann"]),
    ] = None,
    page_size: PageSize = 20,
    page_token: PageToken = None,
) -> RatingList:
    """Newest first, those given in listening sessions among them."""
    before_id = page_tokens.decode(page_token) if page_token is not None else None
    found, more = service.page(job_id, caller, listener=listener, page_size=page_size, before_id=before_id)
    return RatingList(
        data=[rating_view(rating) for rating in found],
        next_page_token=page_tokens.encode(found[-1].id) if more else None,
    )


@router.delete(
    "/{listener}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Take a rating back",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
)
def delete_rating(
    *,
    job_id: JobId,
    listener: Annotated[Listener, Path()],
    service: Ratings,
    caller: CallerOf,
    output: Annotated[str, Query(pattern=MUSIC_PATTERN, description="Which variation")] = MIDI,
    session: Annotated[
        str | None,
        Query(
            max_length=64,
            description="The listening session in which it was given; without it, the one given outside of any",
            examples=[SESSION_EXAMPLE],
        ),
    ] = None,
) -> None:
    service.delete(job_id, caller, listener=listener, output=output, session_id=session)
