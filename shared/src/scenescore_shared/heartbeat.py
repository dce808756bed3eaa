"""Keeps the leases of the jobs in hand alive while they are worked on, and notices when one must stop."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Self

from scenescore_shared.errors import (
    IllegalMoveError,
    JobCanceledError,
    LeaseLostError,
    NotFoundError,
    WorkerStoppingError,
)
from scenescore_shared.jobs import Job, Lease, LeasePolicy
from scenescore_shared.logs import get_logger
from scenescore_shared.moves import renew
from scenescore_shared.ports import Clock, JobRepository

_log = get_logger(__name__)

_LONGEST_INTERVAL_SECONDS = 1.0
"""Leases would need a third of their length only; progress and cancellation want to be seen sooner."""


class Heartbeat:
    """A context manager whose thread renews leases and carries progress to the database."""

    def __init__(
        self,
        jobs: JobRepository,
        clock: Clock,
        policy: LeasePolicy,
        *,
        held: Iterable[Job],
        stopping: Callable[[], bool],
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._policy = policy
        self._stopping = stopping
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {job.id: job.lease for job in held if job.lease}
        self._progress: dict[str, float] = {}
        self._canceled: set[str] = set()
        self._lost: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def checkpoint(self, job: Job, progress: float) -> None:
        """For the worker to call between pieces of work; `progress` in [0, 1] is of the step.

        Raises JobCanceledError, LeaseLostError or WorkerStoppingError when the work should end here.
        """
        # without the lock, which a beat holds while it waits for the database: a dict and two sets that one
        # thread writes and the other reads need none, and a worker must hear at once that it shall stop
        self._progress[job.id] = progress
        if job.id in self._canceled:
            raise JobCanceledError(job.id)
        if job.id in self._lost:
            raise LeaseLostError(job.id)
        if self._stopping():
            raise WorkerStoppingError("The worker is shutting down.")

    def release(self, job: Job) -> Lease | None:
        """Ends the renewals of a job; waits for one that is under way, so that none comes after.

        Returns the lease as it was last renewed; None when it was lost.
        """
        with self._lock:
            return self._leases.pop(job.id, None)

    def _run(self) -> None:
        interval = min(self._policy.seconds / 3, _LONGEST_INTERVAL_SECONDS)
        while not self._done.wait(interval):
            for job_id in list(self._leases):
                with self._lock:
                    self._beat(job_id)

    def _beat(self, job_id: str) -> None:
        lease = self._leases.get(job_id)
        if lease is None:
            return
        now = self._clock.now()
        move = partial(
            renew,
            now=now,
            token=lease.token,
            policy=self._policy,
            step_progress=self._progress.get(job_id, 0.0),
        )
        try:
            job = self._jobs.update(job_id, move)
        except (LeaseLostError, IllegalMoveError, NotFoundError):
            self._give_up(job_id)
        except Exception as error:  # noqa: BLE001 - a heartbeat that dies silently would give every job away
            _log.warning("heartbeat_failed", job_id=job_id, reason=str(error))
            if now >= lease.expires_at:
                self._give_up(job_id)
        else:
            if job.lease is not None:
                self._leases[job_id] = job.lease
            if job.cancel_requested:
                self._canceled.add(job_id)

    def _give_up(self, job_id: str) -> None:
        _log.warning("lease_lost", job_id=job_id)
        self._leases.pop(job_id, None)
        self._lost.add(job_id)
