"""Works off one step of jobs: claim a batch, keep the leases, hand it to the step's handler, write what came out.

This is the engine under both workers and under `scenescore compose`. It knows no model and no broker.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import uuid4

from scenescore_shared import moves
from scenescore_shared.errors import (
    JobCanceledError,
    JobInterruptedError,
    LeaseLostError,
    NotFoundError,
    PermanentError,
    ScenescoreError,
    TransientError,
    WorkerStoppingError,
)
from scenescore_shared.heartbeat import Heartbeat
from scenescore_shared.jobs import Composed, Job, JobError, Lease, Output, Rendered, Step, StepResult
from scenescore_shared.logs import get_logger, log_context
from scenescore_shared.ports import BlobStore, Change, Clock, JobRepository, TaskPublisher
from scenescore_shared.settings import JobSettings
from scenescore_shared.waking import wake_best_effort

_log = get_logger(__name__)

_COMMIT_RETRY_SECONDS = 0.5

_BATCH_ENDED = WorkerStoppingError("Another job of the batch ended it.")

Checkpoint = Callable[[Job, float], None]
"""Tells how far a job's step is, in [0, 1]; raises when the work on it should end: see `Heartbeat`."""


class StepHandler(Protocol):
    """The work of a step. Yields each job with its result or the error that ended it; may raise what ends all."""

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint, /
    ) -> Iterable[tuple[Job, StepResult | Exception]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """At most `size` jobs at once; a batch that is not full waits `wait_seconds` for more."""

    size: int = 1
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRunner:
    step: Step
    handler: StepHandler
    jobs: JobRepository
    blobs: BlobStore
    publisher: TaskPublisher
    clock: Clock
    settings: JobSettings
    batch: BatchPolicy = BatchPolicy()
    stopping: Callable[[], bool] = lambda: False

    def run_due(self, *, for_seconds: float) -> int:
        """Works off due jobs until none is left, the worker is stopping or the time is over.

        One wake-up so does for many jobs, and a lost one is made good by the next. Returns the jobs claimed.
        """
        claimed = 0
        deadline = time.monotonic() + for_seconds
        while not self.stopping() and time.monotonic() < deadline:
            batch = self._claim_batch()
            if not batch:
                break
            claimed += len(batch)
            self._work(batch)
        return claimed

    def _claim_batch(self) -> list[Job]:
        batch = self._claim(self.batch.size)
        missing = self.batch.size - len(batch)
        # one that was tried before stays alone: should it kill this worker, it takes no other along
        if batch and batch[0].attempts == 1 and missing and self.batch.wait_seconds:
            time.sleep(self.batch.wait_seconds)
            # what is already in hand is worked on, whatever becomes of the second claim
            with suppress(TransientError):
                batch += self._claim(missing, first_attempts=True)
        return batch

    def _claim(self, limit: int, *, first_attempts: bool = False) -> list[Job]:
        """Due jobs to work on. One that its claim ended (see `moves.claim`) hides none that is due behind it."""
        now = self.clock.now()

        def claim(job: Job) -> Job:
            return moves.claim(job, now=now, token=uuid4().hex, policy=self.settings.lease)

        while found := self.jobs.claim(self.step, limit, now, claim, first_attempts=first_attempts):
            for job in found:
                if job.finished:
                    _log.warning("job_ended_at_claim", job_id=job.id, status=job.status, error=job.error)
            if claimed := [job for job in found if not job.finished]:
                return claimed
        return []

    def _work(self, batch: Sequence[Job]) -> None:
        left = {job.id: job for job in batch}
        with Heartbeat(
            self.jobs, self.clock, self.settings.lease, held=batch, stopping=self.stopping
        ) as heartbeat:
            try:
                for job, outcome in self.handler(batch, heartbeat.checkpoint):
                    del left[job.id]
                    self._settle(job, outcome, heartbeat)
            except Exception as error:  # noqa: BLE001 - whatever ends the handler ends the jobs still in hand
                for job in list(left.values()):
                    others = isinstance(error, JobInterruptedError) and error.job_id != job.id
                    self._settle(job, _BATCH_ENDED if others else error, heartbeat)

    def _settle(self, job: Job, outcome: StepResult | Exception, heartbeat: Heartbeat) -> None:
        with log_context(job_id=job.id, request_id=job.request_id):
            lease = heartbeat.release(job)
            try:
                settled = self._commit(job.id, self._move_for(job, outcome), lease)
            except Exception as error:  # noqa: BLE001 - one job's trouble must not reach the others of its batch
                _log.warning("result_not_written", step=self.step, reason=str(error))
                self._drop_unwritten_outputs(job, outcome)
                return
            self._drop_outputs_but(settled.outputs, outcome)
            _log.info("step_settled", step=self.step, status=settled.status, error=settled.error)
            if settled.step is not None and settled.due_at is not None and settled.due_at <= self.clock.now():
                wake_best_effort(self.publisher, settled)

    def _move_for(self, job: Job, outcome: StepResult | Exception) -> Change:
        token = job.lease.token if job.lease else ""
        now = self.clock.now()
        match outcome:
            case JobCanceledError():
                return partial(moves.carry_out_cancel, now=now, token=token)
            case WorkerStoppingError():
                return partial(moves.hand_back, now=now, token=token)
            case LeaseLostError():
                raise outcome
            case PermanentError():
                error = JobError(code=outcome.code, message=outcome.message)
                return partial(moves.fail, now=now, token=token, error=error)
            case Exception():
                return partial(
                    moves.retry_or_fail,
                    now=now,
                    token=token,
                    error=_error_of(outcome),
                    policy=self.settings.lease,
                    backoff=moves.backoff(
                        job.attempts,
                        base=self.settings.retry_base_seconds,
                        cap=self.settings.retry_cap_seconds,
                        jitter=random.random(),
                    ),
                )
            case _:
                return partial(moves.complete, now=now, token=token, result=outcome)

    def _commit(self, job_id: str, move: Change, lease: Lease | None) -> Job:
        """Writes the outcome; tries again while the database is away and the lease, as it was last renewed, can
        still be ours.
        """
        while True:
            try:
                return self.jobs.update(job_id, move)
            except TransientError:
                if lease is None or self.clock.now() >= lease.expires_at:
                    raise
                time.sleep(_COMMIT_RETRY_SECONDS)

    def _drop_unwritten_outputs(self, job: Job, outcome: StepResult | Exception) -> None:
        """After a write that seems to have failed. It may have been committed all the same, so the row is asked."""
        if not isinstance(outcome, Composed | Rendered):
            return
        try:
            named = self.jobs.get(job.id).outputs
        except NotFoundError:
            named = ()
        except Exception as error:  # noqa: BLE001 - as above; an orphan is better than music that is gone
            _log.warning("orphan_left", reason=str(error))
            return
        self._drop_outputs_but(named, outcome)

    def _drop_outputs_but(self, named: Sequence[Output], outcome: StepResult | Exception) -> None:
        """What no row names must not stay in the store; what one names must not go."""
        if isinstance(outcome, Composed | Rendered):
            for output in outcome.outputs:
                if output not in named:
                    self._delete_blob(output.blob_key)

    def _delete_blob(self, key: str) -> None:
        try:
            self.blobs.delete(key)
        except TransientError as error:
            _log.warning("orphan_left", blob_key=key, reason=error.message)


def _error_of(error: Exception) -> JobError:
    """What the job's owner is told: our own sentences, but not what a vendor's client says of our servers."""
    if isinstance(error, TransientError):
        _log.warning("step_failed", reason=error.message)
        message = (
            "A part of Scenescore did not answer, however often it was tried. Submit the job again later."
        )
        return JobError(code=error.code, message=message)
    if isinstance(error, ScenescoreError):
        return JobError(code=error.code, message=error.message)
    _log.error("handler_failed", exc_info=error)
    return JobError(
        code=ScenescoreError.code,
        message="Something went wrong on our side. Submit the job again; if it stays so, report the job's id.",
    )
