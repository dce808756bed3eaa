"""A job, and the table of its legal moves. Pure: no clock, no database, no framework. `moves` makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from scenescore_shared.emotions import Mix
from scenescore_shared.errors import IllegalMoveError


class Status(StrEnum):
    """`running` lasts from the first claim to the end."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Step(StrEnum):
    """What a job is waiting for or in the middle of. Each step has a queue and a worker of its own."""

    CLASSIFY = "classify"
    COMPOSE = "compose"
    RENDER = "render"
    """Sound and pictures of music that is there already: nothing that befalls this step can fail the job."""


class Move(StrEnum):
    CLAIM = "claim"
    RENEW = "renew"
    HAND_BACK = "hand_back"
    ADVANCE = "advance"
    RETRY = "retry"
    SUCCEED = "succeed"
    FAIL = "fail"
    REQUEST_CANCEL = "request_cancel"
    CANCEL = "cancel"
    EXPIRE = "expire"


LEGAL_MOVES: Mapping[tuple[Status, Move], Status] = MappingProxyType(
    {
        (Status.QUEUED, Move.CLAIM): Status.RUNNING,
        (Status.QUEUED, Move.CANCEL): Status.CANCELED,
        (Status.RUNNING, Move.CLAIM): Status.RUNNING,
        (Status.RUNNING, Move.RENEW): Status.RUNNING,
        (Status.RUNNING, Move.HAND_BACK): Status.RUNNING,
        (Status.RUNNING, Move.ADVANCE): Status.RUNNING,
        (Status.RUNNING, Move.RETRY): Status.RUNNING,
        (Status.RUNNING, Move.SUCCEED): Status.SUCCEEDED,
        (Status.RUNNING, Move.FAIL): Status.FAILED,
        (Status.RUNNING, Move.REQUEST_CANCEL): Status.RUNNING,
        (Status.RUNNING, Move.CANCEL): Status.CANCELED,
        (Status.SUCCEEDED, Move.EXPIRE): Status.EXPIRED,
        # of these only the picture goes; what became of them stays true
        (Status.FAILED, Move.EXPIRE): Status.FAILED,
        (Status.CANCELED, Move.EXPIRE): Status.CANCELED,
    }
)
"""The whole table. A pair that is not in it is illegal."""

UNFINISHED: frozenset[Status] = frozenset({Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The uploaded picture. `sha256`, `content_type` and `bytes` are of the upload; `width` and `height` are
    in pixels, upright; `blob_key` is where the upright copy without metadata lies.
    """

    sha256: str
    content_type: str
    width: int
    height: int
    bytes: int
    blob_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that a job made. `blob_key` carries the lease's token, so two attempts never share one."""

    name: str
    content_type: str
    bytes: int
    sha256: str
    blob_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """Facts of the piece: sounding length in seconds, tempo in quarter notes a minute, key, number of notes."""

    seconds: float
    tempo_bpm: float
    key: str
    notes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWarning:
    """What is missing from a job that succeeded all the same, and why."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to a job. Whoever does not know the token can write nothing (fencing)."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture on its way to music. Times are aware and in UTC."""

    id: str
    created_at: datetime
    request_id: str
    owner: str | None
    """Whose key submitted it; None where the server asks for no key."""
    options: Mapping[str, Any]
    picture: Picture | None
    status: Status = Status.QUEUED
    step: Step | None
    progress: float = 0.0
    attempts: int = 0
    """Claims of the present step so far, handed-back ones not counted."""
    lease: Lease | None = None
    next_attempt_at: datetime | None
    """From when on the present step may be claimed; None once the job has ended."""
    woken_at: datetime | None = None
    """When the sweeper last sent a wake-up again, since the last claim."""
    cancel_requested: bool = False
    emotions: Mix | None = None
    outputs: tuple[Output, ...] = ()
    music: Music | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    error: JobError | None = None
    warnings: tuple[JobWarning, ...] = ()
    step_started_at: datetime | None = None
    step_seconds: Mapping[str, float] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    files_gone_at: datetime | None = None
    """When the files of an ended job went, after their time."""
    updated_at: datetime
    seq: int = 1
    """Number of the newest event: each visible change counts one up."""

    @property
    def finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def due_at(self) -> datetime | None:
        """When a worker may claim the job: the lease's end, else the time of the next attempt."""
        if self.finished:
            return None
        return self.lease.expires_at if self.lease else self.next_attempt_at

    def moved(self, move: Move, now: datetime, **changes: Any) -> Self:
        """This job after `move`. Raises IllegalMoveError where the table does not allow it."""
        target = LEGAL_MOVES.get((self.status, move))
        if target is None:
            raise IllegalMoveError(f"A job that is {self.status} can't {move.replace('_', ' ')}.")
        return replace(self, status=target, updated_at=now, seq=self.seq + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """What the step `classify` found: the mix, and the name of the model that spoke."""

    emotions: Mix
    classifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What the step `compose` made. `to_render`: the step `render` comes next, else the job has succeeded."""

    outputs: tuple[Output, ...]
    music: Music
    provenance: Mapping[str, Any]
    to_render: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What the step `render` adds to the music, and what it could not make."""

    outputs: tuple[Output, ...]
    warnings: tuple[JobWarning, ...] = ()


StepResult = Classified | Composed | Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasePolicy:
    """How long a claim lasts, and how often a step is tried."""

    seconds: float
    max_attempts: int

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=self.seconds)


def new_job(
    job_id: str,
    *,
    now: datetime,
    request_id: str,
    options: Mapping[str, Any],
    picture: Picture | None,
    emotions: Mix | None,
    owner: str | None = None,
) -> Job:
    """A queued job. A mix asked for replaces the classifier's, so such a job starts at `compose`."""
    return Job(
        id=job_id,
        created_at=now,
        updated_at=now,
        request_id=request_id,
        owner=owner,
        options=options,
        picture=picture,
        step=Step.CLASSIFY if emotions is None else Step.COMPOSE,
        next_attempt_at=now,
        emotions=emotions,
    )


def event_data(job: Job) -> dict[str, Any]:
    """What an event tells of the job: enough to follow it, small enough to keep each one."""
    return {"status": str(job.status), "step": job.step and str(job.step), "progress": job.progress}
