"""Expiry and the orphan sweep on a real store and on real databases, two sweepers at once among them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from samples.jobs import PICTURE, claimed, job_id, queued, succeeded
from sqlalchemy import Engine, event, func, select, text, update

from scenescore_api.settings import RetentionGroup
from scenescore_api.sweeping.expiring import FileExpiry, RowExpiry
from scenescore_api.sweeping.orphans import OrphanSweep
from scenescore_shared.adapters.s3 import S3BlobStore
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.tables import job_events, jobs
from scenescore_shared.blob_keys import output_key, picture_key
from scenescore_shared.fakes import FakeClock, InMemoryBlobStore
from scenescore_shared.jobs import Job, Status
from scenescore_shared.ports import BlobStore
from scenescore_shared.wiring import build_blob_index, build_idempotency_keys, build_job_repository

SETTINGS = RetentionGroup()
START = datetime.now(UTC)


@pytest.fixture
def engine(postgres_url: str) -> Engine:
    return make_engine(postgres_url, application="tests")


def with_files(job: Job, blobs: BlobStore) -> Job:
    outputs = tuple(replace(found, blob_key=output_key(job.id, "t2", found.name)) for found in job.outputs)
    for key in (picture_key(job.id), *(found.blob_key for found in outputs)):
        blobs.put(key, b"x", "text/plain")
    return replace(job, picture=replace(PICTURE, blob_key=picture_key(job.id)), outputs=outputs)


def keys(blobs: BlobStore) -> set[str]:
    return {blob.key for blob in blobs.list("")}


def test_files_and_orphans_go_from_a_real_store(engine: Engine, s3_store: S3BlobStore) -> None:
    repository, clock = build_job_repository(engine), FakeClock(START)
    repository.add(with_files(succeeded(queued(1), at=START), s3_store))
    repository.add(with_files(claimed(queued(2), at=START), s3_store))
    s3_store.put(output_key(job_id(2), "lost", "music.mid"), b"x", "audio/midi")
    s3_store.put("jobs/notes", b"x", "text/plain")
    sweep = OrphanSweep(
        blobs=s3_store, index=build_blob_index(engine), clock=clock, settings=SETTINGS, keys_a_round=2
    )
    before = keys(s3_store)
    assert [sweep.round() for _ in range(4)] == [0] * 4
    assert keys(s3_store) == before
    clock.advance(7 * 86400)
    assert sum(sweep.round() for _ in range(4)) == 1
    assert FileExpiry(jobs=repository, blobs=s3_store, clock=clock, settings=SETTINGS).round() == 1
    assert keys(s3_store) == {picture_key(job_id(2)), "jobs/notes"}
    assert repository.get(job_id(1)).status is Status.EXPIRED
    engine.dispose()


def test_two_sweepers_at_once_do_no_harm(engine: Engine) -> None:
    """Should one have stood still and lost its lock, both do the same work for a moment."""
    repository, blobs, clock = build_job_repository(engine), InMemoryBlobStore(), FakeClock(START)
    for number in range(1, 201):
        repository.add(with_files(succeeded(queued(number), at=START), blobs))
    repository.add(with_files(queued(999, at=START), blobs))
    clock.advance(7 * 86400)

    def keep_house(_: int) -> int:
        files = FileExpiry(jobs=repository, blobs=blobs, clock=clock, settings=SETTINGS)
        orphans = OrphanSweep(
            blobs=blobs, index=build_blob_index(engine), clock=clock, settings=SETTINGS, keys_a_round=50
        )
        done = 0
        while repository.ended_counts().get(Status.SUCCEEDED):
            done += files.round()
            orphans.round()
        return done

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(keep_house, range(2))) == 200
    assert keys(blobs) == {picture_key(job_id(999))}
    with engine.connect() as connection:
        told = select(func.count()).where(job_events.c.data["status"].as_string() == "expired")
        assert connection.scalar(told) == 200
    clock.advance(23 * 86400)
    rows = RowExpiry(
        jobs=repository, idempotency_keys=build_idempotency_keys(engine), clock=clock, settings=SETTINGS
    )
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _: rows.round() + rows.round(), range(2))) == 200
    assert repository.unfinished_counts() == {(Status.QUEUED, repository.get(job_id(999)).step): 1}
    engine.dispose()


def test_the_indexes_serve_a_backlog(engine: Engine) -> None:
    """Among many ended jobs the next to expire are found without reading or sorting them all."""
    repository = build_job_repository(engine)
    repository.add(succeeded(queued(1), at=START))
    columns = ", ".join(column.name for column in jobs.columns if column.name not in {"id", "finished_at"})
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO jobs (id, finished_at, {columns}) SELECT gen_random_uuid(), "  # noqa: S608 - our columns
                f"finished_at - n * interval '1 second', {columns} FROM jobs, generate_series(1, 20000) n"
            )
        )
        half = select(jobs.c.id).limit(10000)
        connection.execute(update(jobs).where(jobs.c.id.in_(half)).values(files_gone_at=START))
        connection.execute(text("ANALYZE jobs"))
    seen: list[str] = []

    def explain(_: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        if "SKIP LOCKED" in statement and not statement.startswith("EXPLAIN"):
            with engine.connect() as other:
                plan = other.exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
                seen.append("\n".join(plan.scalars()))

    event.listen(engine, "before_cursor_execute", explain)
    repository.expire(finished_before=START, limit=50, change=lambda job: job)
    repository.remove(finished_before=START, limit=50)
    expiring, removing = seen[0], seen[-1]
    assert "Index Scan using ix_jobs_finished_at_with_files" in expiring
    assert "Index Scan using ix_jobs_finished_at_without_files" in removing
    assert "Sort" not in expiring + removing
    engine.dispose()
