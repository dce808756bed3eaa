"""`GET /v1/jobs/{id}/events`: a job's changes as they happen."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from scenescore_api.following import QUEUE_EVENT, JobStream
from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import FOR_JOBS, CallerOf, Service, Streams, Watch
from scenescore_api.routes.jobs import JobId

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=FOR_JOBS)


class EventStream(StreamingResponse):
    """Not FastAPI's own class: with that a route can't answer 404 or 204 any more."""

    media_type = "text/event-stream"


_MESSAGE = {
    "type": "object",
    "description": "Each message of the stream",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": ["message", QUEUE_EVENT]},
        "data": {"type": "string", "description": "JSON"},
        "retry": {"type": "integer"},
    },
}
_EXAMPLE = """retry: 1000

id: 1
data: {"status":"queued","step":"classify","progress":0.0,"at":"2026-03-01T12:00:00.123456Z"}

event: queue
data: {"queue_position":3}

id: 2
data: {"status":"running","step":"classify","progress":0.0,"at":"2026-03-01T12:00:04.200000Z"}

"""


@router.get(
    "/{job_id}/events",
    summary="Follow a job",
    response_class=EventStream,
    responses={
        200: {
            "description": "Server-Sent Events. Each change of the job is a message whose `id` counts up and whose "
            "data is a `JobEventData`; where it waits is an event `queue` without an id, whose data is a "
            "`QueueEventData`. Comments keep the connection alive. The stream ends when the job has.",
            "content": {"text/event-stream": {"schema": _MESSAGE, "example": _EXAMPLE}},
        },
        204: {"description": "The job has ended and there is nothing after `Last-Event-ID`: don't come back"},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def follow_job(
    *,
    job_id: JobId,
    service: Service,
    watch: Watch,
    streams: Streams,
    caller: CallerOf,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event seen: the stream goes on after it")
    ] = None,
) -> Response:
    """From any replica, resumable on any other."""
    job = await run_in_threadpool(service.get, job_id, caller)
    # an id that is not one of ours is no reason to tell nothing
    seen = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    if job.finished and seen >= job.seq:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    stream = JobStream(job, min(seen, job.seq), service, watch, caller)
    # nginx would else collect the events before it sends them on
    return EventStream(
        streams.counted(stream), headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )
