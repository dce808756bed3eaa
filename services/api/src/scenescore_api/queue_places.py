"""Where jobs stand in their queues, told from a copy of each queue's head: the database is asked once a second at most.

So a place costs the same however long the queue is, however many clients ask, and however much its head is churned
by the claims of workers.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Job, Step
from scenescore_shared.ports import Clock, JobRepository

MAX_QUEUE_POSITION = 1000
"""Stands for a thousand or more: nobody needs to know."""

GOOD_FOR_SECONDS = 1.0
OLDEST_SECONDS = 2.0
"""How old what is told can be, at most. Between the two, one asks the database and the others don't wait for it."""

_PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class _Head:
    """Since when the first of a queue are due, in order, as of `read_at`. The list is replaced, never changed."""

    due_times: list[datetime] = field(default_factory=list)
    read_at: float = -inf
    asking: threading.Lock = field(default_factory=threading.Lock)
    adding: threading.Lock = field(default_factory=threading.Lock)


class QueuePlaces:
    """One for each process. What others accept and what workers claim shows after `OLDEST_SECONDS` at most."""

    def __init__(
        self, jobs: JobRepository, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._monotonic = monotonic
        self._heads = {step: _Head() for step in Step}

    def of(self, job: Job) -> int | None:
        """How many jobs of the same step come first, at most `MAX_QUEUE_POSITION`; None for a job that is not waiting.
        Also of one that is about to stand in the queue. May raise TransientError.
        """
        if job.step is None or job.due_at is None or job.lease is not None:
            return None
        return bisect_left(self._due_times(job.step), job.due_at)

    def add(self, job: Job) -> None:
        """The job stands in its queue from now on: those who come behind it need not wait for the next look."""
        if job.step is None or job.due_at is None:
            return
        head = self._heads[job.step]
        with head.adding:
            known, at = head.due_times, bisect_left(head.due_times, job.due_at)
            # the last look may have seen it already
            if len(known) < MAX_QUEUE_POSITION and known[at : at + 1] != [job.due_at]:
                head.due_times = [*known[:at], job.due_at, *known[at:]]

    def _due_times(self, step: Step) -> list[datetime]:
        head = self._heads[step]
        if self._age(head) >= GOOD_FOR_SECONDS:
            too_old = self._age(head) >= OLDEST_SECONDS
            if head.asking.acquire(timeout=_PATIENCE_SECONDS if too_old else 0):
                try:
                    self._renew(head, step)
                finally:
                    head.asking.release()
            elif too_old:
                raise TransientError(f"The queue of {step} could not be read within {_PATIENCE_SECONDS:g} s.")
        return head.due_times

    def _renew(self, head: _Head, step: Step) -> None:
        # who waited finds it done
        if self._age(head) >= GOOD_FOR_SECONDS:
            asked_at, now = self._monotonic(), self._clock.now()
            head.due_times = self._jobs.due_times(step, now=now, limit=MAX_QUEUE_POSITION)
            head.read_at = asked_at

    def _age(self, head: _Head) -> float:
        return self._monotonic() - head.read_at
