"""What the API does with jobs, told without HTTP."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from scenescore_api.callers import Caller
from scenescore_api.pictures import STORED_CONTENT_TYPE, PictureReader
from scenescore_api.queue_places import QueuePlaces
from scenescore_api.settings import RetentionGroup
from scenescore_api.webhooks.service import WebhookService
from scenescore_shared import moves
from scenescore_shared.blob_keys import job_files, picture_key
from scenescore_shared.errors import (
    ExpiredError,
    IdempotencyKeyInFlightError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    TransientError,
)
from scenescore_shared.idempotency import Answered, Claimant, fingerprint
from scenescore_shared.jobs import Job, Output, Picture, Status, new_job
from scenescore_shared.logs import get_logger, log_context
from scenescore_shared.options import JobOptions
from scenescore_shared.ports import (
    BlobStore,
    Clock,
    Everybody,
    IdempotencyKeys,
    JobEvent,
    JobRepository,
    TaskPublisher,
)
from scenescore_shared.waking import wake_best_effort

_log = get_logger(__name__)

_EVENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An output: where it can be fetched without credentials, or else what opens it, as for a job's picture."""

    output: Output
    url: str | None
    opened: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a submission is told. `replayed`: an earlier request with the same idempotency key was told so."""

    answer: Mapping[str, Any]
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A submission. `upload` is the picture's bytes as they came."""

    upload: bytes | None
    options: JobOptions
    caller: Caller
    request_id: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobService:
    jobs: JobRepository
    idempotency_keys: IdempotencyKeys
    blobs: BlobStore
    publisher: TaskPublisher
    places: QueuePlaces
    clock: Clock
    pictures: PictureReader
    emotions: tuple[str, ...]
    new_id: Callable[[], str]
    presigned_for: timedelta
    webhooks: WebhookService
    retention: RetentionGroup = field(default_factory=RetentionGroup)
    max_unfinished: int | None = None
    """Unfinished jobs that the owner of a key may have."""

    def accept(self, asked: Asked, render: Callable[[Job, int | None], Mapping[str, Any]]) -> Accepted:
        """`submit`, once for each idempotency key. `render` makes the answer of the new job and its queue position.

        Raises what `submit` raises, IdempotencyKeyReusedError and IdempotencyKeyInFlightError.
        """
        claimant = self._claimant(asked)
        earlier = claimant and self.idempotency_keys.reserve(claimant, now=self.clock.now())
        if earlier:
            return Accepted(answer=earlier, replayed=True)
        try:
            quota = self._quota_of(asked.caller)
            job = self._prepare(asked)
            answer = render(job, self.places.of(job))
            self._commit(job, Answered(claimant=claimant, answer=answer) if claimant else None, quota=quota)
        except BaseException:
            if claimant:
                self._release(claimant)
            raise
        return Accepted(answer=answer, replayed=False)

    def submit(self, asked: Asked) -> Job:
        """Stores the picture, commits the job, then wakes a worker: in this order, so that nothing that was
        answered can be lost.

        Raises InvalidPictureError, InvalidRequestError, QuotaExceededError, or TransientError (then nobody knows of the
        job: submit again).
        """
        quota = self._quota_of(asked.caller)
        job = self._prepare(asked)
        self._commit(job, None, quota=quota)
        return job

    def get(self, job_id: str, caller: Caller) -> Job:
        """Raises NotFoundError, also for what can't be an id and for somebody else's job."""
        job = self.jobs.get(_checked_id(job_id))
        if not caller.may_see(job):
            raise NotFoundError(f"There is no job {job.id}.")
        return job

    def events(self, job_id: str, *, after_seq: int) -> list[JobEvent]:
        """The next events of a job that the caller may see, in order; not all, where there are many."""
        return self.jobs.events(job_id, after_seq=after_seq, limit=_EVENTS_AT_ONCE)

    def queue_position(self, job: Job) -> int | None:
        """The place of a job that waits."""
        return self.places.of(job)

    def expires_at(self, job: Job) -> datetime | None:
        """When the files of an ended job go, or went."""
        return job.finished_at + self.retention.files_kept if job.finished_at else None

    def page(
        self, caller: Caller, *, status: Status | None, page_size: int, before_id: str | None
    ) -> tuple[list[Job], bool]:
        """At most `page_size` jobs that the caller may see, newest first, and whether older ones follow."""
        whose = Everybody() if caller.is_admin else caller.owner
        found = self.jobs.page(whose=whose, status=status, limit=page_size + 1, before_id=before_id)
        return found[:page_size], len(found) > page_size

    def cancel(self, job_id: str, caller: Caller) -> Job:
        """At once without a live lease, else at the worker's next checkpoint.

        Raises NotFoundError, and IllegalMoveError when the job has already ended otherwise.
        """
        job = self.get(job_id, caller)
        return self.jobs.update(job.id, partial(moves.request_cancel, now=self.clock.now()))

    def delete(self, job_id: str, caller: Caller) -> None:
        """Cancels the job where it still runs, then takes out its row and its files. Raises NotFoundError."""
        job_id = self.get(job_id, caller).id
        self.jobs.update(job_id, partial(moves.cancel_now, now=self.clock.now()))
        self.jobs.delete(job_id)
        self._delete_blobs(job_id)

    def picture(self, job_id: str, caller: Caller) -> Callable[[], Iterator[bytes]]:
        """What opens the upright JPEG, to give it in chunks, and raises NotFoundError where it has just gone.

        Raises NotFoundError or ExpiredError.
        """
        job = self.get(job_id, caller)
        if job.picture is None:
            raise NotFoundError(f"Job {job_id} was submitted without a picture.")
        if job.files_gone_at is not None:
            raise _expired(job)
        return partial(self.blobs.stream, job.picture.blob_key)

    def output(self, job_id: str, name: str, caller: Caller, *, presigned: bool = True) -> Download:
        """With `presigned` a URL of the object store's, where there are such. Raises NotFoundError or ExpiredError."""
        job = self.get(job_id, caller)
        # what was canceled while it was rendered had music too
        if job.files_gone_at is not None and job.music is not None:
            raise _expired(job)
        output = next((output for output in job.outputs if output.name == name), None)
        if output is None:
            names = ", ".join(output.name for output in job.outputs) or "none yet"
            raise NotFoundError(f"Job {job_id} has no output {name!r}; it has: {names}.")
        url = self._presigned(output) if presigned else None
        return Download(output=output, url=url, opened=partial(self.blobs.stream, output.blob_key))

    def _presigned(self, output: Output) -> str | None:
        return self.blobs.presigned_url(
            output.blob_key,
            filename=output.name,
            content_type=output.content_type,
            valid_for=self.presigned_for,
        )

    def _prepare(self, asked: Asked) -> Job:
        """The new job, its picture stored, not yet committed."""
        options = asked.options.with_mix_over(self.emotions)
        if options.webhook_url is not None:
            self.webhooks.check(options.webhook_url, asked.caller)
        if asked.upload is None and options.emotions is None:
            raise InvalidRequestError("Send a picture as `image`, or the option `emotions`, or both.")
        job_id, began = self.new_id(), self.clock.now()
        picture = self._store_picture(job_id, asked.upload) if asked.upload is not None else None
        if picture is not None:
            self._check_picture_is_young(job_id, began)
        return new_job(
            job_id,
            now=self.clock.now(),
            picture=picture,
            request_id=asked.request_id,
            options=options.as_json(),
            emotions=options.emotions,
            owner=asked.caller.owner,
        )

    def _commit(self, job: Job, answered: Answered | None, *, quota: int | None) -> None:
        with log_context(job_id=job.id):
            try:
                self.jobs.add(job, answered=answered, max_unfinished=quota)
            except (QuotaExceededError, IdempotencyKeyInFlightError):
                # refused, so there will be no row: nothing else has the picture's key
                self._delete_blobs(job.id)
                raise
            except Exception:
                if not self._was_committed(job.id):
                    raise
            self.places.add(job)
            _log.info("job_accepted", step=job.step)
            wake_best_effort(self.publisher, job)

    def _claimant(self, asked: Asked) -> Claimant | None:
        if asked.idempotency_key is None:
            return None
        sha256 = hashlib.sha256(asked.upload).hexdigest() if asked.upload is not None else None
        return Claimant(
            owner=asked.caller.owner or "",
            key=asked.idempotency_key,
            fingerprint=fingerprint(sha256, asked.options.with_mix_over(self.emotions).as_json()),
            token=uuid4().hex,
        )

    def _release(self, claimant: Claimant) -> None:
        try:
            self.idempotency_keys.release(claimant)
        except TransientError as error:
            # it ends by itself
            _log.warning("idempotency_key_not_released", reason=error.message)

    def _quota_of(self, caller: Caller) -> int | None:
        """The caller's quota, if any. Raises QuotaExceededError where it is plainly used up, before a picture is
        decoded and stored for nothing; exact is the repository alone.
        """
        if caller.key_id is None or caller.owner is None or self.max_unfinished is None:
            return None
        if self.jobs.unfinished(caller.owner) >= self.max_unfinished:
            raise QuotaExceededError(self.max_unfinished)
        return self.max_unfinished

    def _store_picture(self, job_id: str, upload: bytes) -> Picture:
        upright = self.pictures.read(upload)
        key = picture_key(job_id)
        self.blobs.put(key, upright.jpeg, STORED_CONTENT_TYPE)
        return Picture(
            sha256=hashlib.sha256(upload).hexdigest(),
            content_type=upright.content_type,
            width=upright.width,
            height=upright.height,
            bytes=len(upload),
            blob_key=key,
        )

    def _check_picture_is_young(self, job_id: str, began: datetime) -> None:
        """The orphan sweep takes a picture without a row once it is older than the grace: none may get its row when
        it may be gone. The other half of the grace is for the commit, and for a store whose clock is behind.
        """
        if self.clock.now() - began > self.retention.orphan_grace / 2:
            self._delete_blobs(job_id)
            raise TransientError("Storing the picture took too long.")

    def _was_committed(self, job_id: str) -> bool:
        """Whether a write that seems to have failed is there after all. The picture stays even if it is not: a commit
        whose connection broke may still be under way in the database. If it is not, the orphan sweep takes it.
        """
        try:
            self.jobs.get(job_id)
        except (NotFoundError, TransientError):
            return False
        return True

    def _delete_blobs(self, job_id: str) -> None:
        try:
            for blob in list(self.blobs.list(job_files(job_id))):
                self.blobs.delete(blob.key)
        except TransientError as error:
            _log.warning("orphans_left", job_id=job_id, reason=error.message)


def _expired(job: Job) -> ExpiredError:
    return ExpiredError(
        f"The files of job {job.id} were kept for their time and have gone. Submit the picture again."
    )


def _checked_id(job_id: str) -> str:
    try:
        return str(UUID(job_id))
    except ValueError:
        raise NotFoundError(f"There is no job {job_id[:64]!r}.") from None
