"""Following a job to its end: by its events, or by asking from time to time where those don't come through."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx2

from scenescore_client.connection import Connection, timeouts
from scenescore_client.errors import (
    ConnectionFailedError,
    ProblemError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)
from scenescore_client.jobs import Job, Progress
from scenescore_client.problems import retry_after
from scenescore_client.retrying import Retrying

SILENCE_SECONDS = 45.0
"""A stream that says nothing for so long is dead: the server says something every 20 s."""
_LATE_SECONDS = 5.0
"""So much too late a silent stream may be given up at the deadline."""
_FRUITLESS_STREAMS = 3
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Follower:
    """Of one job. `look` reads it; `deadline` is a time of the retries' clock, None for never."""

    job_id: str
    path: str
    connection: Connection
    retrying: Retrying
    look: Callable[[], tuple[Job, httpx2.Response]]
    on_progress: Callable[[Progress], None] | None = None
    deadline: float | None = None
    _seen: str = ""
    """The id of the last event: the next stream goes on after it."""
    _pause: float = _PAUSE_SECONDS
    _fruitless: int = 0
    _now: Progress | None = None

    def until_ended(self) -> Job:
        """The job once it has ended. Raises WaitTimeoutError, or what `look` raises."""
        while True:
            if self._streams:
                self._stream()
            job, response = self.look()
            if job.ended or not self._streams:
                self._tell(job.state)
            if job.ended:
                return job
            asked = retry_after(response, now=datetime.now(UTC)) if not self._streams else None
            self._rest(min(_LONGEST_PAUSE_SECONDS, asked or self._pause))

    @property
    def _streams(self) -> bool:
        return self._fruitless < _FRUITLESS_STREAMS

    def _stream(self) -> None:
        """Tells what comes, until the job has ended or the stream breaks off."""
        self._fruitless += 1
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._seen:
            headers["Last-Event-ID"] = self._seen
        silence = self._left(SILENCE_SECONDS)
        request: dict[str, Any] = {"headers": headers, "timeout": timeouts(silence)}
        try:
            with self.connection.answer("GET", self.path, **request) as response:
                if response.status_code == HTTPStatus.NO_CONTENT:
                    return
                for event in httpx2.EventSource(self._timed(response, silence)):
                    self._take(event)
                    if self._now is not None and self._now.ended:
                        return
        except (ConnectionFailedError, ProblemError, UnexpectedAnswerError):
            # `look` is next, and tells what is wrong if it is more than the stream
            return

    def _timed(self, response: httpx2.Response, silence: float) -> httpx2.Response:
        """The answer, which ends where `silence`, how long it may say nothing, would last beyond the deadline: the
        next stream has less. What merely keeps it alive counts as well, though it makes no event.
        """

        def chunks() -> Iterator[bytes]:
            for chunk in response.iter_raw():
                yield chunk
                if silence - self._left(silence) > _LATE_SECONDS:
                    self._fruitless = 0
                    return

        return httpx2.Response(
            response.status_code, headers=response.headers, content=chunks(), request=response.request
        )

    def _take(self, event: httpx2.ServerSentEvent) -> None:
        self._seen = event.id or self._seen
        if event.retry is not None:
            self._pause = min(_LONGEST_PAUSE_SECONDS, max(0.1, event.retry / 1000))
        told: Mapping[str, Any] = {}
        # an event of a kind that is not known yet is none of ours
        with suppress(ValueError):
            told = dict(json.loads(event.data)) if event.data else {}
        if told:
            self._fruitless = 0
        if event.event == "queue":
            now = self._now or Progress(status="queued", step=None, progress=0.0, queue_position=None)
            self._tell(replace(now, queue_position=told.get("queue_position")))
        elif "status" in told:
            position = self._now.queue_position if self._now else None
            self._tell(
                Progress(
                    status=str(told["status"]),
                    step=told.get("step"),
                    progress=float(told.get("progress") or 0),
                    queue_position=position,
                )
            )

    def _tell(self, now: Progress) -> None:
        if now != self._now:
            self._now = now
            if self.on_progress is not None:
                self.on_progress(now)

    def _left(self, seconds: float) -> float:
        """So many seconds, or fewer where the deadline is nearer. Raises WaitTimeoutError at the deadline."""
        if self.deadline is None:
            return seconds
        left = self.deadline - self.retrying.clock()
        if left <= 0:
            raise WaitTimeoutError(f"Job {self.job_id} has not ended yet; it goes on.")
        return min(seconds, left)

    def _rest(self, seconds: float) -> None:
        jittered = seconds * (1 + self.retrying.luck() / 10)
        self.retrying.sleep(self._left(jittered))
