"""In-memory implementations of the ports. They pass the same contract suite as the real adapters.

`scenescore compose` runs a whole job on them: no server, no trace.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scenescore_shared.api_keys import ApiKey, KeySession
from scenescore_shared.blob_keys import is_named, job_file
from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import (
    IdempotencyKeyInFlightError,
    IllegalMoveError,
    NotFoundError,
    QuotaExceededError,
)
from scenescore_shared.fake_listening import InMemoryRatingRepository
from scenescore_shared.fake_webhooks import InMemoryDeliveryRepository
from scenescore_shared.idempotency import Answered, Claimant, Reservation, earlier_answer, reserved
from scenescore_shared.jobs import Job, Status, Step, event_data
from scenescore_shared.ports import (
    BlobInfo,
    Change,
    Clock,
    Everybody,
    JobEvent,
    Sweep,
    check_key,
)
from scenescore_shared.rate_limits import RateLimit, Standing, standing
from scenescore_shared.webhooks import deliveries_of


class InMemoryJobRepository:
    def __init__(self) -> None:
        self.deliveries = InMemoryDeliveryRepository()
        self._jobs: dict[str, Job] = {}
        self._events: dict[str, list[JobEvent]] = {}
        self._lock = threading.RLock()
        self.idempotency_keys = InMemoryIdempotencyKeys()
        self.ratings = InMemoryRatingRepository(self.get, self._lock)
        self._sweep_locks = {sweep: threading.Lock() for sweep in Sweep}

    def add(self, job: Job, *, max_unfinished: int | None = None, answered: Answered | None = None) -> None:
        with self._lock:
            if (
                max_unfinished is not None
                and job.owner is not None
                and self.unfinished(job.owner) >= max_unfinished
            ):
                raise QuotaExceededError(max_unfinished)
            if answered is not None:
                self.idempotency_keys.complete(answered)
            self._save(job)

    def get(self, job_id: str) -> Job:
        with self._lock:
            return self._existing(job_id)

    def get_many(self, job_ids: Collection[str]) -> Mapping[str, Job]:
        with self._lock:
            return {job_id: self._jobs[job_id] for job_id in job_ids if job_id in self._jobs}

    def update(self, job_id: str, change: Change) -> Job:
        with self._lock:
            return self._changed(self._existing(job_id), change)

    def claim(
        self, step: Step, limit: int, now: datetime, change: Change, *, first_attempts: bool = False
    ) -> list[Job]:
        with self._lock:
            due = [job for job in self._by_due_time() if job.step is step and _due(job) <= now]
            if due and due[0].attempts and not first_attempts:
                due = due[:1]
            else:
                due = [job for job in due if not job.attempts][:limit]
            return [self._changed(job, change) for job in due]

    def delete(self, job_id: str) -> Job:
        with self._lock:
            job = self._existing(job_id)
            if not job.finished:
                raise IllegalMoveError(f"Job {job_id} is still {job.status}: cancel it first.")
            self._events.pop(job_id)
            self.deliveries.forget_job(job_id)
            self.ratings.forget_job(job_id)
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

    def unfinished(self, owner: str) -> int:
        with self._lock:
            return sum(job.owner == owner and not job.finished for job in self._jobs.values())

    def due_times(self, step: Step, *, now: datetime, limit: int) -> list[datetime]:
        with self._lock:
            queue = [_due(job) for job in self._by_due_time() if job.step is step]
        return [due_at for due_at in queue if due_at <= now][:limit]

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

    def seqs(self, job_ids: Collection[str]) -> Mapping[str, int]:
        with self._lock:
            return {job_id: self._jobs[job_id].seq for job_id in job_ids if job_id in self._jobs}

    def events(self, job_id: str, *, after_seq: int, limit: int) -> list[JobEvent]:
        with self._lock:
            return [event for event in self._events.get(job_id, []) if event.seq > after_seq][:limit]

    def unfinished_counts(self) -> Mapping[tuple[Status, Step], int]:
        with self._lock:
            return Counter((job.status, job.step) for job in self._jobs.values() if job.step)

    def ended_counts(self) -> Mapping[Status, int]:
        with self._lock:
            return Counter(job.status for job in self._jobs.values() if job.finished)

    def expire(self, *, finished_before: datetime, limit: int, change: Change) -> list[Job]:
        with self._lock:
            ended = [job for job in self._by_end(finished_before) if job.files_gone_at is None]
            return [self._changed(job, change) for job in ended[:limit]]

    def remove(self, *, finished_before: datetime, limit: int) -> int:
        with self._lock:
            old = [job for job in self._by_end(finished_before) if job.files_gone_at is not None][:limit]
            for job in old:
                self.delete(job.id)
            return len(old)

    @contextmanager
    def sweeping(self, sweep: Sweep) -> Iterator[bool]:
        mine = self._sweep_locks[sweep].acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._sweep_locks[sweep].release()

    def ping(self) -> None:
        """Always there."""

    def _existing(self, job_id: str) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFoundError(f"There is no job {job_id}.") from None

    def _by_due_time(self) -> list[Job]:
        return sorted((job for job in self._jobs.values() if not job.finished), key=_place)

    def _by_end(self, finished_before: datetime) -> list[Job]:
        ended = [(job.finished_at, job.id) for job in self._jobs.values() if job.finished_at is not None]
        return [self._jobs[job_id] for at, job_id in sorted(ended) if at <= finished_before]

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


class InMemoryIdempotencyKeys:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Reservation] = {}
        self._lock = threading.Lock()

    def reserve(self, claimant: Claimant, *, now: datetime) -> Mapping[str, Any] | None:
        with self._lock:
            found = self._kept.get((claimant.owner, claimant.key))
            answer = earlier_answer(found, claimant, now) if found else None
            if answer is None:
                self._kept[claimant.owner, claimant.key] = reserved(claimant, now)
            return answer

    def release(self, claimant: Claimant) -> None:
        with self._lock:
            if self._mine(claimant):
                del self._kept[claimant.owner, claimant.key]

    def forget(self, *, created_before: datetime, limit: int) -> int:
        with self._lock:
            oldest = sorted(self._kept, key=lambda key: self._kept[key].created_at)
            old = [key for key in oldest if self._kept[key].created_at <= created_before][:limit]
            for key in old:
                del self._kept[key]
        return len(old)

    def complete(self, answered: Answered) -> None:
        claimant = answered.claimant
        with self._lock:
            if not (mine := self._mine(claimant)):
                raise IdempotencyKeyInFlightError
            self._kept[claimant.owner, claimant.key] = replace(mine, answer=answered.answer)

    def _mine(self, claimant: Claimant) -> Reservation | None:
        found = self._kept.get((claimant.owner, claimant.key))
        return found if found and found.token == claimant.token and found.answer is None else None


class InMemoryBlobIndex:
    def __init__(self, jobs: InMemoryJobRepository, clips: Collection[str] = ()) -> None:
        self._jobs = jobs
        self._clips = clips

    def named(self, keys: Collection[str]) -> set[str]:
        return {key for key in keys if key in self._clips or self._is_named_by_its_job(key)}

    def _is_named_by_its_job(self, key: str) -> bool:
        file = job_file(key)
        if file is None:
            return False
        try:
            return is_named(file, self._jobs.get(file.job_id))
        except NotFoundError:
            return False


class InMemoryBlobStore:
    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._blobs: dict[str, tuple[bytes, BlobInfo]] = {}

    def put(self, key: str, data: bytes, content_type: str) -> None:
        info = BlobInfo(key=check_key(key), bytes=len(data), modified_at=self._now())
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

    def _now(self) -> datetime:
        return self._clock.now() if self._clock else datetime.now(UTC)


class RecordingPublisher:
    """Keeps the wake-ups instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[tuple[Step, WakeUp]] = []

    def wake(self, step: Step, wake_up: WakeUp) -> None:
        self.sent.append((step, wake_up))

    def ping(self) -> None:
        """Always there."""


class InMemoryApiKeys:
    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._sessions: dict[str, KeySession] = {}

    def find(self, key_hash: str) -> ApiKey | None:
        found = (key for key in self._keys.values() if key.hash == key_hash and key.revoked_at is None)
        return next(found, None)

    def add(self, key: ApiKey) -> None:
        self._keys[key.id] = key

    def list(self) -> list[ApiKey]:
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str, now: datetime) -> ApiKey:
        try:
            key = self._keys[key_id]
        except KeyError:
            raise NotFoundError(f"There is no key {key_id}.") from None
        self._keys[key_id] = replace(key, revoked_at=key.revoked_at or now)
        return self._keys[key_id]

    def open_session(self, session: KeySession) -> None:
        kept = {hash_: old for hash_, old in self._sessions.items() if old.expires_at > session.created_at}
        self._sessions = {**kept, session.hash: session}

    def find_by_session(self, session_hash: str, now: datetime) -> ApiKey | None:
        session = self._sessions.get(session_hash)
        if session is None or session.expires_at <= now:
            return None
        key = self._keys[session.key_id]
        return key if key.revoked_at is None else None

    def close_session(self, session_hash: str) -> None:
        self._sessions.pop(session_hash, None)


class InMemoryRateLimiter:
    """Counts what this process sees. One moment for each holder and limit: as many as there are keys."""

    def __init__(self) -> None:
        self._full_at: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def take(self, holder: str, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        with self._lock:
            now = time.monotonic_ns() // 1000
            full_in = [
                min(max(self._full_at.get((holder, limit.name), now) - now, 0), limit.whole)
                for limit in limits
            ]
            admitted = all(
                soon + limit.regrowth <= limit.whole for soon, limit in zip(full_in, limits, strict=True)
            )
            if admitted:
                full_in = [soon + limit.regrowth for soon, limit in zip(full_in, limits, strict=True)]
                for soon, limit in zip(full_in, limits, strict=True):
                    self._full_at[holder, limit.name] = now + soon
        return tuple(
            standing(limit, soon, admitted=admitted) for soon, limit in zip(full_in, limits, strict=True)
        )


class FakeClock:
    """Stands still until it is told to advance."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def _place(job: Job) -> tuple[datetime, str]:
    """In the queue of its step; jobs due at the same moment keep the order of their ids."""
    return _due(job), job.id


def _due(job: Job) -> datetime:
    # only called on unfinished jobs, which always have one
    return job.due_at or datetime.max.replace(tzinfo=UTC)
