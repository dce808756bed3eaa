"""Which blobs the rows name, on SQLAlchemy Core."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection, Engine, select

from scenescore_shared.adapters.sql.engine import translated_errors
from scenescore_shared.adapters.sql.rows import job_of
from scenescore_shared.adapters.sql.tables import clips, jobs
from scenescore_shared.blob_keys import CLIPS, JobFile, is_clip, is_named, job_file

_MOST_PARAMETERS = 500
"""Ids in one query: SQLite's older builds take 999 parameters."""


class SqlBlobIndex:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def named(self, keys: Collection[str]) -> set[str]:
        files = [file for key in keys if (file := job_file(key))]
        with translated_errors(), self._engine.connect() as connection:
            by_jobs = _named_by_jobs(connection, files)
            return by_jobs | _named_by_clips(connection, filter(is_clip, keys))


def _named_by_jobs(connection: Connection, files: Collection[JobFile]) -> set[str]:
    found = {
        row.id: job_of(row)
        for ids in _some({file.job_id for file in files})
        for row in connection.execute(select(jobs).where(jobs.c.id.in_(ids)))
    }
    return {file.key for file in files if file.job_id in found and is_named(file, found[file.job_id])}


def _named_by_clips(connection: Connection, keys: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for some in _some(keys):
        # a clip's id is in its key, and has an index
        ids = [key.removeprefix(CLIPS).removesuffix(".mid") for key in some]
        found |= set(connection.scalars(select(clips.c.blob_key).where(clips.c.id.in_(ids))))
    return found


def _some(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, _MOST_PARAMETERS)):
        yield some
