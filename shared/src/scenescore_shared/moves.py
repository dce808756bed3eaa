"""The moves of a job: claims, heartbeats, results, retries, cancellation, all under a lease. Pure.

Nothing else in Scenescore writes a status. A repository loads a `Job`, lets one of these functions make the
next one, and saves it, all under one lock. What a worker calls names its lease's token (fencing).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from scenescore_shared.errors import LeaseLostError
from scenescore_shared.jobs import (
    Classified,
    Composed,
    Job,
    JobError,
    JobWarning,
    Lease,
    LeasePolicy,
    Move,
    Rendered,
    Status,
    Step,
    StepResult,
)

STEP_SHARE: Mapping[Step, tuple[float, float]] = MappingProxyType(
    {Step.CLASSIFY: (0.0, 0.1), Step.COMPOSE: (0.1, 0.9), Step.RENDER: (0.9, 1.0)}
)
"""The stretch of a job's progress that each step covers."""

_NOBODY_RENDERS = JobError(
    code="not_rendered",
    message="No worker took it up in time. Whoever runs the server should see whether a render worker is there.",
)


def claim(job: Job, *, now: datetime, token: str, policy: LeasePolicy) -> Job:
    """A due job in the hands of the worker that made up `token`.

    A job whose lease ran out `max_attempts` times has killed its workers: it comes back `failed` with the code
    `worker_lost`, or `succeeded` with that warning where only its rendering killed them. One whose cancellation
    nobody lived to carry out comes back `canceled`.
    """
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    if job.attempts >= policy.max_attempts:
        lost = JobError(
            code="worker_lost",
            message=f"The {job.step} worker was lost {job.attempts} times while working on this job. "
            "Submit it again; if it happens again, report the job's id.",
        )
        return _failed(job, now, lost)
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
            return _advanced(
                job,
                Step.COMPOSE,
                now,
                emotions=result.emotions,
                provenance={**job.provenance, "classifier": result.classifier},
                step_seconds=seconds,
            )
        case Composed():
            made: dict[str, Any] = {
                "outputs": result.outputs,
                "music": result.music,
                "provenance": {**job.provenance, **result.provenance},
                "step_seconds": seconds,
            }
            if result.to_render:
                return _advanced(job, Step.RENDER, now, **made)
            return _ended(job, Move.SUCCEED, now, progress=1.0, **made)
        case Rendered():
            return _ended(
                job,
                Move.SUCCEED,
                now,
                progress=1.0,
                outputs=(*job.outputs, *result.outputs),
                warnings=(*job.warnings, *result.warnings),
                step_seconds=seconds,
            )


def retry_or_fail(
    job: Job, *, now: datetime, token: str, error: JobError, policy: LeasePolicy, backoff: timedelta
) -> Job:
    """The job due again after `backoff`; when this was the last attempt of its step, as `fail` makes it."""
    _check_fence(job, token)
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    if job.attempts >= policy.max_attempts:
        return _failed(job, now, error)
    return job.moved(Move.RETRY, now, lease=None, next_attempt_at=now + backoff)


def fail(job: Job, *, now: datetime, token: str, error: JobError) -> Job:
    """The job `failed`; one whose music is there `succeeded`, with a warning."""
    _check_fence(job, token)
    return _failed(job, now, error)


def do_without_rendering(job: Job, *, now: datetime) -> Job:
    """A job that nobody has rendered for too long, as it is; one that is not waiting for that stays unchanged."""
    if job.step is not Step.RENDER or _lease_is_live(job, now):
        return job
    if job.cancel_requested:
        return _ended(job, Move.CANCEL, now)
    return _failed(job, now, _NOBODY_RENDERS)


def request_cancel(job: Job, *, now: datetime) -> Job:
    """Canceled at once when nobody holds a live lease, else flagged for the holder's next checkpoint.

    What is made already stays. Canceling twice is no error. Raises IllegalMoveError for a job that has ended otherwise.
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


def expire(job: Job, *, now: datetime) -> Job:
    """An ended job whose files go: what succeeded is `expired`, what else became of it stays true."""
    expired = job.moved(Move.EXPIRE, now, outputs=(), files_gone_at=now)
    # an end that stays what it was is told once
    return expired if expired.status is not job.status else replace(expired, seq=job.seq)


def backoff(attempt: int, *, base: float, cap: float, jitter: float) -> timedelta:
    """Exponential backoff with equal jitter (M. Brooker, "Exponential Backoff and Jitter", 2015).

    `attempt` counts from 1; `base` and `cap` are seconds; `jitter` in [0, 1) is the random draw.
    """
    ceiling = min(cap, base * 2 ** (attempt - 1))
    return timedelta(seconds=ceiling * (0.5 + jitter / 2))


def _advanced(job: Job, step: Step, now: datetime, **changes: Any) -> Job:
    return job.moved(
        Move.ADVANCE,
        now,
        step=step,
        progress=STEP_SHARE[step][0],
        attempts=0,
        lease=None,
        next_attempt_at=now,
        **changes,
    )


def _failed(job: Job, now: datetime, error: JobError) -> Job:
    """The job whose step has failed for good. To have the music and no sound of it is no failure."""
    if job.step is not Step.RENDER:
        return _ended(job, Move.FAIL, now, error=error)
    warning = JobWarning(
        code=error.code, message=f"The music is complete, but was not rendered to sound. {error.message}"
    )
    return _ended(job, Move.SUCCEED, now, progress=1.0, warnings=(*job.warnings, warning))


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
