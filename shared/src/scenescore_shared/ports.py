"""What the services need from the outside world. Adapters implement these; `fakes` holds in-memory ones."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from scenescore_shared.api_keys import ApiKey, KeySession
from scenescore_shared.contracts import WakeUp
from scenescore_shared.idempotency import Answered, Claimant
from scenescore_shared.jobs import Job, Status, Step
from scenescore_shared.rate_limits import RateLimit, Standing

Change = Callable[[Job], Job]
"""A pure move from `jobs`, with its arguments bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One visible change of a job. `seq` counts from 1 within the job."""

    job_id: str
    seq: int
    at: datetime
    data: Mapping[str, Any]


class Everybody:
    """In the place of an owner: no matter whose."""


class Sweep(StrEnum):
    """What is done by one process at a time: two kinds, so that a slow store holds no wake-up up."""

    WAKING = "waking"
    HOUSEKEEPING = "housekeeping"


class JobRepository(Protocol):
    """The truth about jobs. Every method is one transaction; each may raise TransientError."""

    def add(self, job: Job, *, max_unfinished: int | None = None, answered: Answered | None = None) -> None:
        """Commits a new job and its first event, with the answer to its idempotency key where it has one.

        Raises, and writes nothing, QuotaExceededError when its owner has `max_unfinished` unfinished jobs already,
        however many are added at once, and IdempotencyKeyInFlightError when another request has taken the key over.
        """

    def get(self, job_id: str) -> Job:
        """Raises NotFoundError."""

    def get_many(self, job_ids: Collection[str]) -> Mapping[str, Job]:
        """Those of these jobs that are there, by id."""

    def update(self, job_id: str, change: Change) -> Job:
        """Reads, changes and saves the job under a lock on it; appends an event if `seq` rose.

        What `change` raises is passed on and nothing is written. Raises NotFoundError.
        """

    def claim(
        self, step: Step, limit: int, now: datetime, change: Change, *, first_attempts: bool = False
    ) -> list[Job]:
        """Applies `change` to at most `limit` due jobs of the step, longest due first, none that somebody else
        is claiming at this moment. Returns the changed jobs, ended ones included.

        A job that was tried before may be what killed its worker: it comes alone, or not at all where only
        `first_attempts` are asked for.
        """

    def delete(self, job_id: str) -> Job:
        """Takes out the job and its events and returns it as it was.

        Raises NotFoundError, and IllegalMoveError when the job has not ended.
        """

    def page(
        self, *, whose: str | Everybody | None, status: Status | None, limit: int, before_id: str | None
    ) -> list[Job]:
        """At most `limit` jobs of an owner (None: of nobody's), newest first (ids are UUIDv7), those older than
        `before_id` only.
        """

    def unfinished(self, owner: str) -> int:
        """Number of the owner's jobs that have not ended."""

    def due_times(self, step: Step, *, now: datetime, limit: int) -> list[datetime]:
        """Since when the first `limit` jobs of the step's queue, those that may be claimed `now`, are due, in order."""

    def wakeable(
        self, step: Step, *, due_before: datetime, woken_before: datetime, now: datetime, limit: int
    ) -> list[Job]:
        """At most `limit` unfinished jobs of the step, longest due first, due since `due_before` and last woken before
        `woken_before`; marks them as woken `now`.
        """

    def seqs(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """The newest event's number for each of these jobs that is there."""

    def events(self, job_id: str, *, after_seq: int, limit: int) -> list[JobEvent]:
        """The job's events after `after_seq` in order. An unknown job has none."""

    def unfinished_counts(self) -> Mapping[tuple[Status, Step], int]:
        """Number of unfinished jobs by status and step."""

    def ended_counts(self) -> Mapping[Status, int]:
        """Number of ended jobs by status. Reads an index of all of them: ask seldom."""

    def expire(self, *, finished_before: datetime, limit: int, change: Change) -> list[Job]:
        """Applies `change` to at most `limit` jobs that ended by `finished_before` and still have their files, longest
        ended first, none that somebody else has locked. Returns the changed jobs.
        """

    def remove(self, *, finished_before: datetime, limit: int) -> int:
        """Takes out at most `limit` jobs, with all that hangs on them, that ended by `finished_before` and whose files
        have gone. Returns how many.
        """

    def sweeping(self, sweep: Sweep) -> AbstractContextManager[bool]:
        """True inside for one caller at a time, across processes; False for all others.

        One that stands still for long may lose it and hear of that by a TransientError at the end, so what is done
        inside must be harmless when two do it.
        """

    def ping(self) -> None:
        """Raises TransientError when the database does not answer."""


class IdempotencyKeys(Protocol):
    """What became of requests that came with an `Idempotency-Key`. See `idempotency`; may raise TransientError."""

    def reserve(self, claimant: Claimant, *, now: datetime) -> Mapping[str, Any] | None:
        """The earlier answer to the same request; None once the key is the claimant's own.

        Raises IdempotencyKeyReusedError and IdempotencyKeyInFlightError.
        """

    def release(self, claimant: Claimant) -> None:
        """Frees a key that is the claimant's and has no answer: the request failed and may be sent anew."""

    def forget(self, *, created_before: datetime, limit: int) -> int:
        """Takes out at most `limit` keys, oldest first. Returns how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobInfo:
    key: str
    bytes: int
    modified_at: datetime


class BlobIndex(Protocol):
    """Which blobs the rows name."""

    def named(self, keys: Collection[str]) -> set[str]:
        """Those of the keys that a row names, or that the holder of a live lease may be about to name.

        May raise TransientError.
        """


class BlobStore(Protocol):
    """Holds bytes under keys. Writes are atomic: a reader sees the whole old or the whole new blob.

    Keys are checked with `check_key`. Every method may raise TransientError.
    """

    def put(self, key: str, data: bytes, content_type: str) -> None: ...

    def get(self, key: str) -> bytes:
        """Raises NotFoundError."""

    def stream(self, key: str) -> Iterator[bytes]:
        """The blob in chunks. Raises NotFoundError at the call, not at the first chunk."""

    def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """Every blob whose key starts with `prefix`, in no particular order."""

    def presigned_url(
        self, key: str, *, filename: str, content_type: str, valid_for: timedelta
    ) -> str | None:
        """A URL that needs no credentials, or None where the store can't make one."""

    def ping(self) -> None:
        """Raises TransientError when the store does not answer."""


class TaskPublisher(Protocol):
    """Wakes workers. Best effort: the sweeper sends again what is lost."""

    def wake(self, step: Step, wake_up: WakeUp) -> None:
        """Raises TransientError when the broker does not take the message within a short time."""

    def ping(self) -> None:
        """Raises TransientError when the broker does not answer."""


class ApiKeys(Protocol):
    """The keys that open the API, and the browsers' sessions that stand for them. Every method is one transaction;
    each may raise TransientError.
    """

    def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, unless it is revoked."""

    def add(self, key: ApiKey) -> None: ...

    def list(self) -> list[ApiKey]:
        """All of them, revoked ones too, oldest first."""

    def revoke(self, key_id: str, now: datetime) -> ApiKey:
        """From now on `find` does not find it, nor do its sessions. One that is revoked already stays as it is.
        Raises NotFoundError.
        """

    def open_session(self, session: KeySession) -> None:
        """Also forgets those whose time was over when this one began."""

    def find_by_session(self, session_hash: str, now: datetime) -> ApiKey | None:
        """The key of the session with this hash, unless the session has ended or the key is revoked."""

    def close_session(self, session_hash: str) -> None:
        """It is over; one that is unknown is no error."""


class RateLimiter(Protocol):
    """Counts requests. Never waits for long: where its memory is away it counts as well as it can."""

    def take(self, holder: str, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        """Counts one request of `holder` against all of the limits, or against none when one of them is used up:
        then somebody's `wait` is above 0.
        """


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware and in UTC. Never raises: heartbeats and retries hang on it."""


_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_KEY_LENGTH = 512


def check_key(key: str) -> str:
    """`key` itself, when it is one: segments of `A-Za-z0-9._-` joined by `/`, none starting with a dot.

    Raises ValueError for anything else, so that no store can be walked out of.
    """
    if len(key) > _MAX_KEY_LENGTH or not _KEY.fullmatch(key):
        raise ValueError(f"not a blob key: {key!r}")
    return key
