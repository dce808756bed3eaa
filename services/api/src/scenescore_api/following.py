"""Following one job: until its end, or event by event. Asynchronous, so that whoever waits holds no thread."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field

from scenescore_api.callers import Caller
from scenescore_api.service import JobService
from scenescore_api.watching import JobWatch
from scenescore_shared.errors import NotFoundError, TransientError
from scenescore_shared.jobs import UNFINISHED, Job, Status, Step
from scenescore_shared.ports import JobEvent

_ENDS = frozenset(Status) - UNFINISHED
_POSITION_SECONDS = 5.0
_SILENCE_SECONDS = 15.0
"""Proxies cut connections that say nothing for a while; a comment is something."""
_LIFE_SECONDS = 3600.0
"""Then the client connects again with its last id, and its key is looked at again."""
_RECONNECT_MILLISECONDS = 1000
_TROUBLE_SECONDS = 1.0

QUEUE_EVENT = "queue"


class JobEventData(BaseModel):
    """The data of an event without a name: a change of the job. Its id is the change's number within the job."""

    status: Status
    step: Step | None
    progress: float = Field(ge=0, le=1)
    at: str = Field(description="RFC 3339", examples=["2026-03-01T12:00:00.123456Z"])


class QueueEventData(BaseModel):
    """The data of an event `queue`, which has no id: how many jobs of the same step come first; null when claimed."""

    queue_position: int | None


async def ended_within(
    seconds: float, job_id: str, service: JobService, watch: JobWatch, caller: Caller
) -> Job | None:
    """The job as soon as it has ended, or as it is when the time is over. None when it was deleted meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            job = await run_in_threadpool(service.get, job_id, caller)
        except NotFoundError:
            return None
        left = deadline - time.monotonic()
        if job.finished or left <= 0:
            return job
        if not await watch.changed(job.id, after_seq=job.seq, seconds=left):
            return job


@dataclass(slots=True)
class JobStream:
    """The events of one job after `seq` as Server-Sent Events (WHATWG HTML, §9.2), until it has ended.

    A database that is away interrupts nothing: the stream goes on when it is back.
    """

    job: Job
    seq: int
    service: JobService
    watch: JobWatch
    caller: Caller
    _queue_position: int | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield format_sse_event(retry=_RECONNECT_MILLISECONDS)
        ends_at = time.monotonic() + _LIFE_SECONDS
        while not self.watch.closing and time.monotonic() < ends_at:
            try:
                events = await run_in_threadpool(self.service.events, self.job.id, after_seq=self.seq)
                for event in events:
                    self.seq = event.seq
                    yield _event(event)
                if events and events[-1].data["status"] in _ENDS:
                    return
                async for piece in self._until_change():
                    yield piece
            except NotFoundError:
                # deleted: nothing will ever come again, and a client that comes back is told so
                return
            except TransientError:
                yield format_sse_event(comment="the database is away; still here")
                await asyncio.sleep(_TROUBLE_SECONDS)

    async def _until_change(self) -> AsyncIterator[bytes]:
        """What there is to say until the next event: where the job waits, else that we are still here."""
        spoke = time.monotonic()
        while not self.watch.closing:
            job = await run_in_threadpool(self.service.get, self.job.id, self.caller)
            position = await run_in_threadpool(self.service.queue_position, job)
            if position != self._queue_position:
                self._queue_position = position
                data = QueueEventData(queue_position=position).model_dump_json()
                yield format_sse_event(event=QUEUE_EVENT, data_str=data)
                spoke = time.monotonic()
            elif time.monotonic() - spoke >= _SILENCE_SECONDS:
                yield format_sse_event(comment="still here")
                spoke = time.monotonic()
            if await self.watch.changed(self.job.id, after_seq=self.seq, seconds=_POSITION_SECONDS):
                return


def _event(event: JobEvent) -> bytes:
    data = JobEventData.model_validate({**event.data, "at": event.at.isoformat().replace("+00:00", "Z")})
    return format_sse_event(id=str(event.seq), data_str=data.model_dump_json())
