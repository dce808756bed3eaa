"""The end of what is kept for a time only: an ended job's files, later its row, and idempotency keys."""

from dataclasses import dataclass
from functools import partial

from scenescore_api.settings import RetentionGroup
from scenescore_shared.blob_keys import job_files
from scenescore_shared.idempotency import KEPT_FOR
from scenescore_shared.logs import get_logger
from scenescore_shared.moves import expire
from scenescore_shared.ports import BlobStore, Clock, IdempotencyKeys, JobRepository

_log = get_logger(__name__)

_FILES_A_ROUND = 50
"""Jobs whose files go: some three requests to the store each."""
_ROWS_A_ROUND = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FileExpiry:
    jobs: JobRepository
    blobs: BlobStore
    clock: Clock
    settings: RetentionGroup

    def round(self) -> int:
        """Returns the jobs whose files went."""
        now = self.clock.now()
        # the rows first: none may name what is gone. What a crash leaves in between is for the orphan sweep
        expired = self.jobs.expire(
            finished_before=now - self.settings.files_kept,
            limit=_FILES_A_ROUND,
            change=partial(expire, now=now),
        )
        if expired:
            _log.info("files_expired", jobs=len(expired))
        for job in expired:
            for blob in list(self.blobs.list(job_files(job.id))):
                self.blobs.delete(blob.key)
        return len(expired)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowExpiry:
    jobs: JobRepository
    idempotency_keys: IdempotencyKeys
    clock: Clock
    settings: RetentionGroup

    def round(self) -> int:
        """Returns the rows taken out."""
        now = self.clock.now()
        removed = self.jobs.remove(finished_before=now - self.settings.rows_kept, limit=_ROWS_A_ROUND)
        forgotten = self.idempotency_keys.forget(created_before=now - KEPT_FOR, limit=_ROWS_A_ROUND)
        if removed or forgotten:
            _log.info("rows_removed", jobs=removed, idempotency_keys=forgotten)
        return removed + forgotten
