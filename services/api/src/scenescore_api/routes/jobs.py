"""`/v1/jobs`: submit, read, list, cancel, delete, and the job's files."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

from scenescore_api import page_tokens
from scenescore_api.following import ended_within
from scenescore_api.pictures import STORED_CONTENT_TYPE
from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import (
    FOR_JOBS,
    CallerOf,
    IdempotencyKeyOf,
    PageSize,
    PageToken,
    PreferencesOf,
    Service,
    Watch,
)
from scenescore_api.routes.files import FILE_HEADERS, file_answer
from scenescore_api.routes.links import LINKS_OF_A_JOB, LINKS_OF_A_NEW_JOB
from scenescore_api.schemas import JobList, JobView, job_view
from scenescore_api.service import Asked, JobService
from scenescore_api.submissions import REQUEST_BODY, Submission, read_submission
from scenescore_shared.jobs import Job, Status
from scenescore_shared.outputs import OUTPUT_TYPES

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=FOR_JOBS)

_MAX_RETRY_AFTER_SECONDS = 30

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until it is worth asking again; not there once the job has ended",
        "schema": {"type": "integer"},
        "example": 1,
    }
}
_LOCATION = {
    "Location": {
        "description": "Where to ask for the job",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
_PREFERENCE_APPLIED = {
    "Preference-Applied": {
        "description": "Which of the preferences were followed",
        "schema": {"type": "string"},
        "example": "wait=30",
    }
}
_REPLAYED = {
    "Idempotent-Replayed": {
        "description": "true: this is the answer to an earlier request with the same Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_GONE = {HTTPStatus.GONE: "The job's files have gone: see `expires_at`"}

JobId = Annotated[str, Path(description="The job's id", examples=["0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"])]


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Submit a picture",
    openapi_extra={"requestBody": REQUEST_BODY},
    response_model=JobView,
    responses={
        200: {
            "description": "The job has ended within the time that `Prefer: wait` gave it",
            "model": JobView,
            "headers": _LOCATION | _PREFERENCE_APPLIED | _REPLAYED,
        },
        202: {
            "description": "Accepted: the job is safe and will be worked on",
            "headers": _LOCATION | _RETRY_AFTER | _PREFERENCE_APPLIED | _REPLAYED,
            "links": LINKS_OF_A_NEW_JOB,
        },
        **documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions={
                HTTPStatus.CONFLICT: "A request with the same Idempotency-Key is being worked on",
                HTTPStatus.UNPROCESSABLE_ENTITY: "An option is wrong or not available yet, the picture is damaged, or "
                "the Idempotency-Key came with another request before",
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The file is no picture of a kind that is taken",
                HTTPStatus.REQUEST_TIMEOUT: "The form did not arrive in time",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The picture has too many bytes",
            },
        ),
    },
)
async def create_job(
    *,
    submission: Annotated[Submission, Depends(read_submission)],
    service: Service,
    watch: Watch,
    caller: CallerOf,
    request: Request,
    idempotency_key: IdempotencyKeyOf,
    preferences: PreferencesOf,
) -> Response:
    """Takes a picture (or a mix of emotions), answers at once, and composes in the background."""
    asked = Asked(
        upload=submission.image,
        options=submission.options,
        caller=caller,
        request_id=request.state.request_id,
        idempotency_key=idempotency_key,
    )

    def render(job: Job, queue_position: int | None) -> Mapping[str, Any]:
        return _rendered(job, queue_position, service, request).model_dump(mode="json")

    accepted = await run_in_threadpool(service.accept, asked, render)
    answer, ended = accepted.answer, False
    if preferences.wait:
        job = await ended_within(preferences.wait, answer["id"], service, watch, caller)
        if job is not None:
            (view,) = await run_in_threadpool(_views, [job], service, request)
            answer, ended = view.model_dump(mode="json"), job.finished
    # relative (RFC 9110 §10.2.2): neither a forged Host nor a proxy can bend it
    headers = {"Location": request.app.state.paths("get_job", job_id=answer["id"])}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    if applied := preferences.applied(ended=ended):
        headers["Preference-Applied"] = applied
    if not ended:
        headers["Retry-After"] = _retry_after(answer["queue_position"])
    return JSONResponse(answer, HTTPStatus.OK if ended else HTTPStatus.ACCEPTED, headers)


@router.get(
    "",
    summary="List jobs",
    responses=documented(HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
)
def list_jobs(
    *,
    service: Service,
    caller: CallerOf,
    request: Request,
    status: Annotated[Status | None, Query(description="Only jobs of this status")] = None,
    page_size: PageSize = 20,
    page_token: PageToken = None,
) -> JobList:
    """Newest first."""
    before_id = page_tokens.decode(page_token) if page_token is not None else None
    jobs, more = service.page(caller, status=status, page_size=page_size, before_id=before_id)
    return JobList(
        data=_views(jobs, service, request),
        next_page_token=page_tokens.encode(jobs[-1].id) if more else None,
    )


@router.get(
    "/{job_id}",
    summary="Read a job",
    responses={
        200: {
            "description": "The job as it is now",
            "headers": _RETRY_AFTER | _PREFERENCE_APPLIED,
            "links": LINKS_OF_A_JOB,
        },
        **documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
    },
)
async def get_job(
    *,
    job_id: JobId,
    service: Service,
    watch: Watch,
    caller: CallerOf,
    request: Request,
    response: Response,
    preferences: PreferencesOf,
) -> JobView:
    """A job that failed while running is a `200` with `error`. `Prefer: wait=N` answers once it has ended."""
    job = await run_in_threadpool(service.get, job_id, caller)
    if preferences.wait is not None:
        job = await ended_within(preferences.wait, job_id, service, watch, caller) or job
        response.headers["Preference-Applied"] = f"wait={preferences.wait}"
    return await run_in_threadpool(_answer, job, service, request, response)


@router.post(
    "/{job_id}/cancel",
    summary="Cancel a job",
    responses={
        200: {
            "description": "Canceled, or about to be: a worker stops at its next checkpoint",
            "headers": _RETRY_AFTER,
        },
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            _UNAVAILABLE,
            descriptions={HTTPStatus.CONFLICT: "The job has already ended"},
        ),
    },
)
def cancel_job(
    job_id: JobId, service: Service, caller: CallerOf, request: Request, response: Response
) -> JobView:
    """Exactly this job. Canceling it twice is no error."""
    return _answer(service.cancel(job_id, caller), service, request, response)


@router.delete(
    "/{job_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete a job and its files",
    responses=documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
)
def delete_job(job_id: JobId, service: Service, caller: CallerOf) -> None:
    """A job that still runs is canceled first."""
    service.delete(job_id, caller)


@router.get(
    "/{job_id}/image",
    summary="The picture, upright and without metadata",
    response_class=StreamingResponse,
    responses={
        200: {"description": "A JPEG", "content": {STORED_CONTENT_TYPE: {}}, "headers": FILE_HEADERS},
        304: {"description": "It is still the one that If-None-Match names", "headers": FILE_HEADERS},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.GONE, _UNAVAILABLE, descriptions=_GONE),
    },
)
def get_image(job_id: JobId, service: Service, caller: CallerOf, request: Request) -> Response:
    opened = service.picture(job_id, caller)
    # a job's picture never changes
    return file_answer(request, opened, media_type=STORED_CONTENT_TYPE, etag=job_id)


@router.get(
    "/{job_id}/outputs/{name}",
    summary="A file that the job made",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file",
            "content": {
                content_type: {"schema": {"type": "string", "format": "binary"}}
                for content_type in OUTPUT_TYPES.values()
            },
            "headers": {
                **FILE_HEADERS,
                "Content-Disposition": {"schema": {"type": "string"}, "description": "The file's name"},
                "Content-Length": {"schema": {"type": "integer"}, "description": "In bytes"},
            },
        },
        304: {"description": "It is still the one that If-None-Match names", "headers": FILE_HEADERS},
        307: {
            "description": "It lies in the object store: a URL that is good for some minutes",
            "headers": _LOCATION
            | {"Cache-Control": {"schema": {"type": "string"}, "description": "no-store: the URL runs out"}},
        },
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.GONE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions=_GONE,
        ),
    },
)
def get_output(
    job_id: JobId,
    name: Annotated[str, Path(examples=["music.mid"])],
    service: Service,
    caller: CallerOf,
    request: Request,
    *,
    inline: Annotated[
        bool, Query(description="For pages: streamed from here in any case, and not named as a download")
    ] = False,
) -> Response:
    """Readable as soon as it exists."""
    download = service.output(job_id, name, caller, presigned=not inline)
    if download.url is not None:
        return RedirectResponse(download.url, headers={"Cache-Control": "no-store"})
    output = download.output
    headers = {
        "Content-Disposition": "inline" if inline else f'attachment; filename="{output.name}"',
        "Content-Length": str(output.bytes),
    }
    return file_answer(
        request, download.opened, media_type=output.content_type, etag=output.sha256, headers=headers
    )


def _answer(job: Job, service: JobService, request: Request, response: Response) -> JobView:
    (view,) = _views([job], service, request)
    if not job.finished:
        response.headers["Retry-After"] = _retry_after(view.queue_position)
    return view


def _retry_after(queue_position: int | None) -> str:
    return str(min(_MAX_RETRY_AFTER_SECONDS, 1 + (queue_position or 0)))


def _views(jobs: Sequence[Job], service: JobService, request: Request) -> list[JobView]:
    return [_rendered(job, service.queue_position(job), service, request) for job in jobs]


def _rendered(job: Job, queue_position: int | None, service: JobService, request: Request) -> JobView:
    return job_view(
        job,
        queue_position=queue_position,
        expires_at=service.expires_at(job),
        url_for=request.app.state.paths,
    )
