"""A server that is away is a TransientError from every method, and comes back without a restart."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samples.jobs import NOW, job_id, queued
from servers.postgres import Postgres
from servers.private import started
from servers.process import free_port
from servers.redis import Redis
from sqlalchemy import event, text

from scenescore_shared.adapters.celery import CeleryTaskPublisher, make_celery
from scenescore_shared.adapters.s3 import S3BlobStore, make_client
from scenescore_shared.adapters.sql import engine as engine_module
from scenescore_shared.adapters.sql.engine import make_engine, translated_errors
from scenescore_shared.adapters.sql.locks import advisory_lock
from scenescore_shared.adapters.sql.migrate import migrate
from scenescore_shared.blob_keys import output_key
from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Status, Step
from scenescore_shared.ports import JobRepository, Sweep
from scenescore_shared.wiring import build_blob_index, build_job_repository

OUTPUT_KEY = output_key(job_id(1), "t1", "music.mid")


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    yield from started(Postgres, tmp_path)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    yield from started(Redis, tmp_path)


def test_postgres_killed_and_back(own_postgres: Postgres) -> None:
    engine = make_engine(own_postgres.url(own_postgres.create_database()), application="tests")
    migrate(engine)
    repository = build_job_repository(engine)
    repository.add(queued())
    own_postgres.kill()
    for call in (
        lambda: repository.get(job_id(1)),
        lambda: repository.add(queued(2)),
        lambda: repository.claim(Step.CLASSIFY, 1, NOW, lambda job: job),
        lambda: repository.update(job_id(1), lambda job: job),
        lambda: repository.page(whose=None, status=None, limit=1, before_id=None),
        repository.unfinished_counts,
        repository.ended_counts,
        repository.ping,
        repository.sweeping(Sweep.WAKING).__enter__,
        lambda: repository.expire(finished_before=NOW, limit=1, change=lambda job: job),
        lambda: repository.remove(finished_before=NOW, limit=1),
        lambda: build_blob_index(engine).named([OUTPUT_KEY]),
    ):
        with pytest.raises(TransientError):
            call()
    own_postgres.start()
    assert repository.get(job_id(1)) == queued()
    engine.dispose()


def test_postgres_killed_in_the_middle_of_a_sweep_frees_its_lock(own_postgres: Postgres) -> None:
    engine = make_engine(own_postgres.url(own_postgres.create_database()), application="tests")
    migrate(engine)
    repository = build_job_repository(engine)

    def sweep() -> None:
        with repository.sweeping(Sweep.WAKING) as mine:
            assert mine
            own_postgres.kill()

    with pytest.raises(TransientError):
        sweep()
    own_postgres.start()
    with repository.sweeping(Sweep.WAKING) as mine:
        assert mine
    engine.dispose()


def test_connections_that_died_idle_are_replaced_before_they_are_used(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_PING_AFTER_IDLE_SECONDS", 0.0)
    engine = make_engine(postgres_url, application="doomed")
    with engine.connect(), engine.connect():
        pass
    killer = make_engine(postgres_url, application="killer")
    with killer.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'doomed'"
            )
        )
    with engine.connect() as one, engine.connect() as other:
        assert [each.execute(text("SELECT 1")).scalar_one() for each in (one, other)] == [1, 1]
    for each in (engine, killer):
        each.dispose()


def test_a_connection_that_was_just_used_is_not_asked_whether_it_lives(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(postgres_url, application="tests")
    monkeypatch.setattr(engine.dialect, "do_ping", lambda _: pytest.fail("asked"))
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    engine.dispose()


def test_a_sweeper_that_stands_still_keeps_no_lock_for_ever(postgres_url: str) -> None:
    engine = make_engine(postgres_url, application="tests")

    def stand_still() -> None:
        with advisory_lock(engine, 7, frozen_seconds=0.5) as mine:
            assert mine
            with advisory_lock(engine, 7) as other:
                assert not other
            deadline = time.monotonic() + 20
            while True:
                with advisory_lock(engine, 7) as other:
                    if other:
                        return
                assert time.monotonic() < deadline
                time.sleep(0.05)

    # it hears of it, too
    with pytest.raises(TransientError):
        stand_still()
    engine.dispose()


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'full.db'}", application="tests")
    migrate(engine)
    repository = build_job_repository(engine)
    repository.add(queued())
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine.dispose()
    event.listen(engine, "connect", fill)
    with pytest.raises(TransientError, match="full"):
        _add_many(repository)
    added = len(repository.page(whose=None, status=None, limit=200, before_id=None))
    assert repository.unfinished_counts() == {(Status.QUEUED, Step.CLASSIFY): added}
    event.remove(engine, "connect", fill)
    engine.dispose()
    repository.add(queued(200))
    engine.dispose()


def _add_many(repository: JobRepository) -> None:
    for number in range(2, 200):
        repository.add(queued(number))


def test_a_full_disk_of_postgres_counts_as_away(postgres_url: str) -> None:
    engine = make_engine(postgres_url, application="tests")
    with pytest.raises(TransientError), translated_errors(), engine.begin() as connection:
        # what PostgreSQL says when it can not write
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")
    engine.dispose()


def test_a_store_that_is_away() -> None:
    client = make_client(
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        region="us-east-1",
        access_key_id="a",
        secret_access_key="b",
    )
    store = S3BlobStore(client, "bucket")
    for call in (
        lambda: store.put("a", b"", "text/plain"),
        lambda: store.get("a"),
        lambda: store.stream("a"),
        lambda: store.delete("a"),
        lambda: list(store.list("")),
        store.ping,
        store.create_bucket,
    ):
        with pytest.raises(TransientError):
            call()


def test_a_bucket_that_is_missing_is_told(s3_store: S3BlobStore) -> None:
    other = S3BlobStore(s3_store._client, "not-made")
    with pytest.raises(TransientError, match="not-made"):
        other.ping()


def test_a_redis_that_hangs_holds_nobody_up_for_long(own_redis: Redis) -> None:
    publisher = CeleryTaskPublisher(make_celery(own_redis.url, name="tests", producer_only=True))
    publisher.wake(Step.CLASSIFY, WakeUp(job_id="a", request_id="b"))
    own_redis.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(TransientError):
            publisher.wake(Step.CLASSIFY, WakeUp(job_id="a", request_id="b"))
        # the socket's timeout is 1.5 s; without a bound of the producer's own it was 40 s
        assert time.monotonic() - began < 10
    finally:
        own_redis.thaw()
