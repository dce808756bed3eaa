"""A job, its legal moves, and the rules of a lease. Pure: no clock, no database, no framework.

Nothing else in Scenescore writes a status. A repository loads a `Job`, lets one of these functions make the
next one, and saves it, all under one lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from scenescore_shared.emotions import Mix
from scenescore_shared.errors import IllegalMoveError, LeaseLostError


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
    }
)
"""The whole table. A pair that is not in it is illegal."""

UNFINISHED: frozenset[Status] = frozenset({Status.QUEUED, Status.RUNNING})

STEP_SHARE: Mapping[Step, tuple[float, float]] = MappingProxyType(
    {Step.CLASSIFY: (0.0, 0.1), Step.COMPOSE: (0.1, 1.0)}
)
"""The stretch of a job's progress that each step covers."""


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
    step_started_at: datetime | None = None
    step_seconds: Mapping[str, float] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
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
    """What the step `compose` made."""

    outputs: tuple[Output, ...]
    music: Music
    provenance: Mapping[str, Any]


StepResult = Classified | Composed


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
) -> Job:
    """A queued job. A mix asked for replaces the classifier's, so such a job starts at `compose`."""
    return Job(
        id=job_id,
        created_at=now,
        updated_at=now,
        request_id=request_id,
        options=options,
        picture=picture,
        step=Step.CLASSIFY if emotions is None else Step.COMPOSE,
        next_attempt_at=now,
        emotions=emotions,
    )


def claim(job: Job, *, now: datetime, token: str, policy: LeasePolicy) -> Job:
    """A due job in the hands of the worker that made up `token`.

    A job whose lease ran out `max_attempts` times has killed its workers: it comes back `failed` with the code
    `worker_lost`. One whose cancellation nobody lived to carry out comes back `canceled`.
    """
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    if job.attempts >= policy.max_attempts:
        lost = JobError(
            code="worker_lost",
            message=f"The {job.step} worker was lost {job.attempts} times while working on this job. "
            "Submit it again; if it happens again, report the job's id.",
        )
        return _ended(job, Move.FAIL, now, error=lost)
    return job.moved(
        Move.CLAIM,
        now,
        lease=Lease(token=token, expires_at=now + policy.duration),
        next_attempt_at=None,
        woken_at=None,
        attempts=job.attempts + 1,
        step_started_at=now,
        started_at=job.started_at or now,
    )


def renew(job: Job, *, now: datetime, token: str, policy: LeasePolicy, step_progress: float) -> Job:
    """The job with its lease prolonged. `step_progress` in [0, 1] is of the present step."""
    _check_fence(job, token)
    progress = max(job.progress, _overall_progress(job.step, step_progress))
    renewed = job.moved(
        Move.RENEW, now, lease=Lease(token=token, expires_at=now + policy.duration), progress=progress
    )
    # a heartbeat without news is no event
    return renewed if progress > job.progress else replace(renewed, seq=job.seq)


def hand_back(job: Job, *, now: datetime, token: str) -> Job:
    """The job due again at once: a worker that shuts down gives its attempt back."""
    _check_fence(job, token)
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    return job.moved(Move.HAND_BACK, now, lease=None, next_attempt_at=now, attempts=max(0, job.attempts - 1))


def complete(job: Job, *, now: datetime, token: str, result: StepResult) -> Job:
    """The job after its step: on to the next one, or `succeeded`. A cancellation asked for meanwhile wins."""
    _check_fence(job, token)
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    seconds = {**job.step_seconds, str(job.step): _seconds_since(job.step_started_at, now)}
    match result:
        case Classified():
            return job.moved(
                Move.ADVANCE,
                now,
                step=Step.COMPOSE,
                progress=STEP_SHARE[Step.COMPOSE][0],
                attempts=0,
                lease=None,
                next_attempt_at=now,
                emotions=result.emotions,
                provenance={**job.provenance, "classifier": result.classifier},
                step_seconds=seconds,
            )
        case Composed():
            return _ended(
                job,
                Move.SUCCEED,
                now,
                progress=1.0,
                outputs=result.outputs,
                music=result.music,
                provenance={**job.provenance, **result.provenance},
                step_seconds=seconds,
            )


def retry_or_fail(
    job: Job, *, now: datetime, token: str, error: JobError, policy: LeasePolicy, backoff: timedelta
) -> Job:
    """The job due again after `backoff`, or `failed` when this was the last attempt of its step."""
    _check_fence(job, token)
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    if job.attempts >= policy.max_attempts:
        return _ended(job, Move.FAIL, now, error=error)
    return job.moved(Move.RETRY, now, lease=None, next_attempt_at=now + backoff)


def fail(job: Job, *, now: datetime, token: str, error: JobError) -> Job:
    _check_fence(job, token)
    return _ended(job, Move.FAIL, now, error=error)


def request_cancel(job: Job, *, now: datetime) -> Job:
    """Canceled at once when nobody holds a live lease, else flagged for the holder's next checkpoint.

    Canceling twice is no error. Raises IllegalMoveError for a job that has ended otherwise.
    """
    if job.status is Status.CANCELED or (job.cancel_requested and _lease_is_live(job, now)):
        return job
    if _lease_is_live(job, now):
        return job.moved(Move.REQUEST_CANCEL, now, cancel_requested=True)
    return _ended(job, Move.CANCEL, now)


def cancel_now(job: Job, *, now: datetime) -> Job:
    """Canceled even under a live lease: its holder is fenced off. For jobs that are about to be deleted."""
    return job if job.finished else _ended(job, Move.CANCEL, now)


def carry_out_cancel(job: Job, *, now: datetime, token: str) -> Job:
    """The holder of the lease has stopped its work. A job that nobody asked to cancel is handed back."""
    if not job.cancel_requested:
        return hand_back(job, now=now, token=token)
    _check_fence(job, token)
    return _ended(job, Move.CANCEL, now)


def backoff(attempt: int, *, base: float, cap: float, jitter: float) -> timedelta:
    """Exponential backoff with full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015).

    `attempt` counts from 1; `base` and `cap` are seconds; `jitter` in [0, 1) is the random draw.
    """
    ceiling = min(cap, base * 2 ** (attempt - 1))
    return timedelta(seconds=ceiling * (0.5 + jitter / 2))


def event_data(job: Job) -> dict[str, Any]:
    """What an event tells of the job: enough to follow it, small enough to keep each one."""
    return {"status": str(job.status), "step": job.step and str(job.step), "progress": job.progress}


def _check_fence(job: Job, token: str) -> None:
    if job.lease is None or job.lease.token != token:
        raise LeaseLostError(job.id)


def _lease_is_live(job: Job, now: datetime) -> bool:
    return job.lease is not None and job.lease.expires_at > now


def _ended(job: Job, move: Move, now: datetime, **changes: Any) -> Job:
    return job.moved(
        move,
        now,
        **{"step": None, "lease": None, "next_attempt_at": None, "finished_at": now, **changes},
    )


def _overall_progress(step: Step | None, step_progress: float) -> float:
    if step is None:
        return 1.0
    start, end = STEP_SHARE[step]
    return round(start + (end - start) * min(1.0, max(0.0, step_progress)), 3)


def _seconds_since(start: datetime | None, now: datetime) -> float:
    return round((now - start).total_seconds(), 3) if start else 0.0
