"""Takes out of the store what no row names: what a crash, a lost lease or an import replaced has left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from scenescore_api.settings import RetentionGroup
from scenescore_shared.blob_keys import CLIPS, JOBS, is_clip, job_file
from scenescore_shared.logs import get_logger
from scenescore_shared.ports import BlobIndex, BlobInfo, BlobStore, Clock

_log = get_logger(__name__)

_KEYS_A_ROUND = 200
_CLIP_GRACE = timedelta(days=1)
"""An import stores its clips' files before its rows, and may take hours."""


@dataclass
class _Walk:
    """One pass over the store, going on where the last round left it."""

    blobs: Iterator[BlobInfo]
    seen: int = 0
    removed: int = 0
    strange: int = 0
    first_strange: str = ""


class OrphanSweep:
    """Walks over the whole store, some keys a round, and begins again some time after it has ended.

    A blob counts as old by the store's own clock, which may be behind ours by less than half of the grace: a picture's
    row is committed within the other half, or not at all (`JobService.submit`).
    """

    def __init__(
        self,
        *,
        blobs: BlobStore,
        index: BlobIndex,
        clock: Clock,
        settings: RetentionGroup,
        keys_a_round: int = _KEYS_A_ROUND,
    ) -> None:
        self._blobs = blobs
        self._index = index
        self._clock = clock
        self._settings = settings
        self._keys_a_round = keys_a_round
        self._walk: _Walk | None = None
        self._next_walk_at: datetime | None = None

    def round(self) -> int:
        """Returns the orphans taken out."""
        now = self._clock.now()
        if self._walk is None:
            if self._next_walk_at is not None and now < self._next_walk_at:
                return 0
            self._walk = _Walk(chain(self._blobs.list(JOBS), self._blobs.list(CLIPS)))
        walk = self._walk
        try:
            some = list(islice(walk.blobs, self._keys_a_round))
            removed = self._remove_orphans(some, walk, now)
        except BaseException:
            # a listing that was broken off can't go on: the next round begins a new walk
            self._walk = None
            raise
        if len(some) < self._keys_a_round:
            self._end(walk, now)
        return removed

    def _remove_orphans(self, some: list[BlobInfo], walk: _Walk, now: datetime) -> int:
        ours = [blob for blob in some if _is_ours(blob)]
        old = [blob.key for blob in ours if blob.modified_at <= now - self._grace(blob.key)]
        # listed first, asked for then: what is not named now and is old will never be
        named = self._index.named(old) if old else set()
        orphans = [key for key in old if key not in named]
        for key in orphans:
            self._blobs.delete(key)
        walk.seen += len(some)
        walk.removed += len(orphans)
        if len(ours) < len(some):
            walk.strange += len(some) - len(ours)
            walk.first_strange = walk.first_strange or next(blob.key for blob in some if not _is_ours(blob))
        return len(orphans)

    def _grace(self, key: str) -> timedelta:
        grace = self._settings.orphan_grace
        return max(grace, _CLIP_GRACE) if is_clip(key) else grace

    def _end(self, walk: _Walk, now: datetime) -> None:
        self._walk = None
        self._next_walk_at = now + timedelta(seconds=self._settings.orphan_interval_seconds)
        if walk.removed:
            _log.info("orphans_removed", seen=walk.seen, removed=walk.removed)
        if walk.strange:
            _log.warning("strange_keys_left_alone", number=walk.strange, first=walk.first_strange)


def _is_ours(blob: BlobInfo) -> bool:
    return is_clip(blob.key) or job_file(blob.key) is not None
