"""In-memory implementations of the ports. They pass the same contract suite as the real adapters.

`scenescore compose` runs a whole job on them: no server, no trace.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import IllegalMoveError, NotFoundError
from scenescore_shared.fake_webhooks import InMemoryDeliveryRepository
from scenescore_shared.jobs import Job, Status, Step, event_data
from scenescore_shared.ports import BlobInfo, Change, Everybody, JobEvent, check_key
from scenescore_shared.webhooks import deliveries_of


class InMemoryJobRepository:
    def __init__(self) -> None:
        self.deliveries = InMemoryDeliveryRepository()
        self._jobs: dict[str, Job] = {}
        self._events: dict[str, list[JobEvent]] = {}
        self._lock = threading.RLock()
        self._sweep_lock = threading.Lock()

    def add(self, job: Job) -> None:
        with self._lock:
            self._save(job)

    def get(self, job_id: str) -> Job:
        with self._lock:
            return self._existing(job_id)

    def update(self, job_id: str, change: Change) -> Job:
        with self._lock:
            return self._changed(self._existing(job_id), change)

    def claim(self, step: Step, limit: int, now: datetime, change: Change) -> list[Job]:
        with self._lock:
            due = [job for job in self._by_due_time() if job.step is step and _due(job) <= now]
            return [self._changed(job, change) for job in due[:limit]]

    def delete(self, job_id: str) -> Job:
        with self._lock:
            job = self._existing(job_id)
            if not job.finished:
                raise IllegalMoveError(f"Job {job_id} is still {job.status}: cancel it first.")
            self._events.pop(job_id)
            self.deliveries.forget_job(job_id)
            return self._jobs.pop(job_id)

    def page(
        self, *, whose: str | Everybody | None, status: Status | None, limit: int, before_id: str | None
    ) -> list[Job]:
        with self._lock:
            jobs = sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)
        return [
            job
            for job in jobs
            if (isinstance(whose, Everybody) or job.owner == whose)
            and (status is None or job.status is status)
            and (before_id is None or job.id < before_id)
        ][:limit]

    def queue_position(self, job: Job) -> int | None:
        if job.finished or job.lease is not None:
            return None
        with self._lock:
            waiting = [other for other in self._by_due_time() if other.step is job.step and not other.lease]
        return sum(_due(other) < _due(job) for other in waiting)

    def wakeable(
        self, step: Step, *, due_before: datetime, woken_before: datetime, now: datetime, limit: int
    ) -> list[Job]:
        with self._lock:
            found = [
                job
                for job in self._by_due_time()
                if job.step is step
                and _due(job) <= due_before
                and (job.woken_at is None or job.woken_at <= woken_before)
            ][:limit]
            for job in found:
                self._jobs[job.id] = replace(job, woken_at=now)
            return [self._jobs[job.id] for job in found]

    def events(self, job_id: str, *, after_seq: int, limit: int) -> list[JobEvent]:
        with self._lock:
            return [event for event in self._events.get(job_id, []) if event.seq > after_seq][:limit]

    def counts(self) -> Mapping[tuple[Status, Step | None], int]:
        with self._lock:
            return Counter((job.status, job.step) for job in self._jobs.values())

    @contextmanager
    def sweeping(self) -> Iterator[bool]:
        mine = self._sweep_lock.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._sweep_lock.release()

    def ping(self) -> None:
        """Always there."""

    def _existing(self, job_id: str) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFoundError(f"There is no job {job_id}.") from None

    def _by_due_time(self) -> list[Job]:
        return sorted((job for job in self._jobs.values() if not job.finished), key=_due)

    def _changed(self, job: Job, change: Change) -> Job:
        changed = change(job)
        if changed.seq > job.seq:
            self._save(changed)
        else:
            self._jobs[job.id] = changed
        self.deliveries.insert(deliveries_of(job, changed))
        return changed

    def _save(self, job: Job) -> None:
        self._jobs[job.id] = job
        event = JobEvent(job_id=job.id, seq=job.seq, at=job.updated_at, data=event_data(job))
        self._events.setdefault(job.id, []).append(event)


class InMemoryBlobStore:
    def __init__(self) -> None:
        self._blobs: dict[str, tuple[bytes, BlobInfo]] = {}

    def put(self, key: str, data: bytes, content_type: str) -> None:
        info = BlobInfo(key=check_key(key), bytes=len(data), modified_at=datetime.now(UTC))
        self._blobs[key] = (bytes(data), info)

    def get(self, key: str) -> bytes:
        try:
            return self._blobs[check_key(key)][0]
        except KeyError:
            raise NotFoundError(f"There is no blob {key}.") from None

    def stream(self, key: str) -> Iterator[bytes]:
        return iter([self.get(key)])

    def delete(self, key: str) -> None:
        self._blobs.pop(check_key(key), None)

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        return iter([info for key, (_, info) in self._blobs.items() if key.startswith(prefix)])

    def presigned_url(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        valid_for: timedelta,
    ) -> str | None:
        return None

    def ping(self) -> None:
        """Always there."""


class RecordingPublisher:
    """Keeps the wake-ups instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[tuple[Step, WakeUp]] = []

    def wake(self, step: Step, wake_up: WakeUp) -> None:
        self.sent.append((step, wake_up))

    def ping(self) -> None:
        """Always there."""


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def _due(job: Job) -> datetime:
    # only called on unfinished jobs, which always have one
    return job.due_at or datetime.max.replace(tzinfo=UTC)
