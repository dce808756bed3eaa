"""What the API does with jobs, told without HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from scenescore_api.callers import Caller
from scenescore_api.pictures import STORED_CONTENT_TYPE, PictureReader
from scenescore_api.webhooks.service import WebhookService
from scenescore_shared import moves
from scenescore_shared.errors import InvalidRequestError, NotFoundError, TransientError
from scenescore_shared.jobs import Job, Output, Picture, Status, new_job
from scenescore_shared.logs import get_logger, log_context
from scenescore_shared.options import JobOptions
from scenescore_shared.ports import BlobStore, Clock, Everybody, JobRepository, TaskPublisher
from scenescore_shared.waking import wake_best_effort

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An output: where it can be fetched without credentials, or else its bytes in chunks."""

    output: Output
    url: str | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobService:
    jobs: JobRepository
    blobs: BlobStore
    publisher: TaskPublisher
    clock: Clock
    pictures: PictureReader
    emotions: tuple[str, ...]
    new_id: Callable[[], str]
    presigned_for: timedelta
    webhooks: WebhookService

    def submit(self, upload: bytes | None, options: JobOptions, *, caller: Caller, request_id: str) -> Job:
        """Stores the picture, commits the job, then wakes a worker: in this order, so that nothing that was
        answered can be lost.

        Raises InvalidPictureError, InvalidRequestError, or TransientError (then nobody knows of the job: submit again).
        """
        options = options.with_mix_over(self.emotions)
        if options.webhook_url is not None:
            self.webhooks.check(options.webhook_url, caller)
        if upload is None and options.emotions is None:
            raise InvalidRequestError("Send a picture as `image`, or the option `emotions`, or both.")
        job_id = self.new_id()
        picture = self._store_picture(job_id, upload) if upload is not None else None
        job = new_job(
            job_id,
            now=self.clock.now(),
            request_id=request_id,
            options=options.as_json(),
            picture=picture,
            emotions=options.emotions,
            owner=caller.owner,
        )
        with log_context(job_id=job.id):
            try:
                self.jobs.add(job)
            except Exception:
                if not self._was_committed(job.id):
                    raise
            _log.info("job_accepted", step=job.step)
            wake_best_effort(self.publisher, job)
        return job

    def get(self, job_id: str, caller: Caller) -> Job:
        """Raises NotFoundError, also for what can't be an id and for somebody else's job."""
        job = self.jobs.get(_checked_id(job_id))
        if not caller.may_see(job):
            raise NotFoundError(f"There is no job {job.id}.")
        return job

    def queue_position(self, job: Job) -> int | None:
        return self.jobs.queue_position(job)

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

    def picture(self, job_id: str, caller: Caller) -> Iterator[bytes]:
        """The upright JPEG in chunks. Raises NotFoundError."""
        picture = self.get(job_id, caller).picture
        if picture is None:
            raise NotFoundError(f"Job {job_id} was submitted without a picture.")
        return self.blobs.stream(picture.blob_key)

    def output(self, job_id: str, name: str, caller: Caller) -> Download:
        """Raises NotFoundError."""
        job = self.get(job_id, caller)
        output = next((output for output in job.outputs if output.name == name), None)
        if output is None:
            names = ", ".join(output.name for output in job.outputs) or "none yet"
            raise NotFoundError(f"Job {job_id} has no output {name!r}; it has: {names}.")
        url = self.blobs.presigned_url(
            output.blob_key,
            filename=output.name,
            content_type=output.content_type,
            valid_for=self.presigned_for,
        )
        chunks = iter(()) if url else self.blobs.stream(output.blob_key)
        return Download(output=output, url=url, chunks=chunks)

    def _store_picture(self, job_id: str, upload: bytes) -> Picture:
        upright = self.pictures.read(upload)
        key = f"jobs/{job_id}/picture.jpg"
        self.blobs.put(key, upright.jpeg, STORED_CONTENT_TYPE)
        return Picture(
            sha256=hashlib.sha256(upload).hexdigest(),
            content_type=upright.content_type,
            width=upright.width,
            height=upright.height,
            bytes=len(upload),
            blob_key=key,
        )

    def _was_committed(self, job_id: str) -> bool:
        """Whether a write that seems to have failed is there after all. If not, its picture goes; if nobody can
        tell, the picture stays, since the row may need it.
        """
        try:
            self.jobs.get(job_id)
        except NotFoundError:
            self._delete_blobs(job_id)
            return False
        except TransientError:
            return False
        return True

    def _delete_blobs(self, job_id: str) -> None:
        try:
            for blob in list(self.blobs.list(f"jobs/{job_id}/")):
                self.blobs.delete(blob.key)
        except TransientError as error:
            _log.warning("orphans_left", job_id=job_id, reason=error.message)


def _checked_id(job_id: str) -> str:
    try:
        return str(UUID(job_id))
    except ValueError:
        raise NotFoundError(f"There is no job {job_id[:64]!r}.") from None
