"""`/v1/jobs`: submit, read, list, cancel, delete, and the job's files."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from scenescore_api import page_tokens
from scenescore_api.pictures import STORED_CONTENT_TYPE
from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import CallerOf, Service
from scenescore_api.routes.links import LINKS_OF_A_JOB, LINKS_OF_A_NEW_JOB
from scenescore_api.schemas import JobList, JobView, job_view
from scenescore_api.service import JobService
from scenescore_api.submissions import REQUEST_BODY, Submission, read_submission
from scenescore_shared.jobs import Job, Status

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

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
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

JobId = Annotated[str, Path(description="The job's id", examples=["0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"])]


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Submit a picture",
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        202: {
            "description": "Accepted: the job is safe and will be worked on",
            "headers": _LOCATION | _RETRY_AFTER,
            "links": LINKS_OF_A_NEW_JOB,
        },
        **documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions={
                HTTPStatus.UNPROCESSABLE_ENTITY: "An option is wrong or not available yet, or the picture is damaged",
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The file is no picture of a kind that is taken",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The picture has too many bytes",
            },
        ),
    },
)
def create_job(
    submission: Annotated[Submission, Depends(read_submission)],
    service: Service,
    caller: CallerOf,
    request: Request,
    response: Response,
) -> JobView:
    """Takes a picture (or a mix of emotions), answers at once, and composes in the background."""
    job = service.submit(
        submission.image, submission.options, caller=caller, request_id=request.state.request_id
    )
    # relative (RFC 9110 §10.2.2): neither a forged Host nor a proxy can bend it
    response.headers["Location"] = str(request.app.url_path_for("get_job", job_id=job.id))
    return _answer(job, service, request, response)


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
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    page_token: Annotated[
        str | None,
        Query(
            max_length=200,
            description="From the page before",
            json_schema_extra={"pattern": page_tokens.PATTERN},
        ),
    ] = None,
) -> JobList:
    """Newest first."""
    before_id = page_tokens.decode(page_token) if page_token is not None else None
    jobs, more = service.page(caller, status=status, page_size=page_size, before_id=before_id)
    return JobList(
        data=[_view(job, service, request) for job in jobs],
        next_page_token=page_tokens.encode(jobs[-1].id) if more else None,
    )


@router.get(
    "/{job_id}",
    summary="Read a job",
    responses={
        200: {"description": "The job as it is now", "headers": _RETRY_AFTER, "links": LINKS_OF_A_JOB},
        **documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
    },
)
def get_job(
    job_id: JobId, service: Service, caller: CallerOf, request: Request, response: Response
) -> JobView:
    """A job that failed while running is a `200` with `error`."""
    return _answer(service.get(job_id, caller), service, request, response)


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
        200: {"description": "A JPEG", "content": {STORED_CONTENT_TYPE: {}}},
        **documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
    },
)
def get_image(job_id: JobId, service: Service, caller: CallerOf) -> StreamingResponse:
    return StreamingResponse(service.picture(job_id, caller), media_type=STORED_CONTENT_TYPE)


@router.get(
    "/{job_id}/outputs/{name}",
    summary="A file that the job made",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file",
            "content": {"audio/midi": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "ETag": {"schema": {"type": "string"}, "description": "The file's sha256"},
                "Content-Disposition": {"schema": {"type": "string"}, "description": "The file's name"},
                "Content-Length": {"schema": {"type": "integer"}, "description": "In bytes"},
            },
        },
        307: {
            "description": "It lies in the object store: a URL that is good for some minutes",
            "headers": _LOCATION
            | {"Cache-Control": {"schema": {"type": "string"}, "description": "no-store: the URL runs out"}},
        },
        **documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
    },
)
def get_output(
    job_id: JobId,
    name: Annotated[str, Path(examples=["music.mid"])],
    service: Service,
    caller: CallerOf,
) -> Response:
    """Readable as soon as it exists."""
    download = service.output(job_id, name, caller)
    if download.url is not None:
        return RedirectResponse(download.url, headers={"Cache-Control": "no-store"})
    output = download.output
    headers = {
        "Content-Disposition": f'attachment; filename="{output.name}"',
        "Content-Length": str(output.bytes),
        "ETag": f'"{output.sha256}"',
    }
    return StreamingResponse(download.chunks, media_type=output.content_type, headers=headers)


def _answer(job: Job, service: JobService, request: Request, response: Response) -> JobView:
    view = _view(job, service, request)
    if not job.finished:
        seconds = 1 + (view.queue_position or 0)
        response.headers["Retry-After"] = str(min(_MAX_RETRY_AFTER_SECONDS, seconds))
    return view


def _view(job: Job, service: JobService, request: Request) -> JobView:
    def url_for(route: str, **path: str) -> str:
        return str(request.app.url_path_for(route, **path))

    return job_view(job, queue_position=service.queue_position(job), url_for=url_for)
