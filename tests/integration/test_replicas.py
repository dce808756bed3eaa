"""Two API processes over one PostgreSQL: what one accepts, the other tells."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx2
import pytest
from samples.jobs import COMPOSED, POLICY
from servers.postgres import Postgres
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Stack, stack_settings

from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.jobs import SqlJobRepository
from scenescore_shared.jobs import Job
from scenescore_shared.moves import claim, complete, renew
from scenescore_shared.wiring import build_job_repository

MIX_ONLY = {"options": (None, '{"emotions": {"happy": 1}}')}


@pytest.fixture(scope="module")
def settings(postgres: Postgres, redis_server: Redis, s3: S3) -> dict[str, str]:
    return stack_settings(postgres, redis_server, s3)


@pytest.fixture
def replicas(tmp_path: Path, settings: dict[str, str]) -> Iterator[tuple[Stack, Stack]]:
    pair = tuple(Stack(tmp_path / name, settings) for name in ("one", "two"))
    for replica in pair:
        (tmp_path / ("one" if replica is pair[0] else "two")).mkdir()
    pair[0].run("scenescore_shared.provision")
    for replica in pair:
        replica.start("api")
    yield pair[0], pair[1]
    for replica in pair:
        replica.stop()


@pytest.fixture
def repository(settings: dict[str, str]) -> Iterator[SqlJobRepository]:
    engine = make_engine(settings["SCENESCORE_DATABASE__URL"], application="tests")
    yield build_job_repository(engine)
    engine.dispose()


def submit(replica: Stack, **headers: str) -> httpx2.Response:
    return httpx2.post(f"{replica.url}/v1/jobs", files=MIX_ONLY, headers=headers, timeout=60)


def claimed(repository: SqlJobRepository, job_id: str) -> Job:
    return repository.update(job_id, partial(claim, now=SystemClock().now(), token="worker", policy=POLICY))


def beat(repository: SqlJobRepository, job_id: str, progress: float) -> None:
    move = partial(renew, now=SystemClock().now(), token="worker", policy=POLICY, step_progress=progress)
    repository.update(job_id, move)


def finish(repository: SqlJobRepository, job_id: str) -> None:
    repository.update(job_id, partial(complete, now=SystemClock().now(), token="worker", result=COMPOSED))


class Listener:
    """Reads a job's stream in the background; keeps the numbered events."""

    def __init__(self, replica: Stack, job_id: str, *, after: int = 0) -> None:
        self.seen: list[int] = []
        self.statuses: list[str] = []
        self._url = f"{replica.url}/v1/jobs/{job_id}/events"
        self._after = after
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        headers = {"Last-Event-ID": str(self._after)}
        try:
            with httpx2.stream("GET", self._url, headers=headers, timeout=30) as answer:
                message: dict[str, str] = {}
                for line in answer.iter_lines():
                    if line:
                        name, _, value = line.partition(": ")
                        message[name] = value
                    elif "id" in message:
                        self.statuses.append(json.loads(message["data"])["status"])
                        self.seen.append(int(message["id"]))
                    if not line:
                        message = {}
        except httpx2.TransportError:
            # its server was killed
            return

    def wait_for(self, number: int) -> None:
        deadline = time.monotonic() + 20
        while number not in self.seen:
            assert time.monotonic() < deadline, self.seen
            time.sleep(0.02)

    def wait_for_end(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


def test_a_stream_is_resumed_on_the_other_replica_without_a_gap(
    replicas: tuple[Stack, Stack], repository: SqlJobRepository
) -> None:
    one, two = replicas
    job = submit(one).json()["id"]
    first = Listener(two, job)
    first.wait_for(1)
    claimed(repository, job)
    first.wait_for(2)
    two.kill("api")
    first.wait_for_end()
    beat(repository, job, 0.5)
    second = Listener(one, job, after=first.seen[-1])
    second.wait_for(3)
    finish(repository, job)
    second.wait_for_end()
    assert first.seen + second.seen == [1, 2, 3, 4]
    assert second.statuses[-1] == "succeeded"


def test_a_stream_tells_within_a_second(replicas: tuple[Stack, Stack], repository: SqlJobRepository) -> None:
    one, two = replicas
    job = submit(one).json()["id"]
    listener = Listener(two, job)
    listener.wait_for(1)
    claimed(repository, job)
    started = time.monotonic()
    listener.wait_for(2)
    assert time.monotonic() - started < 5
    finish(repository, job)
    listener.wait_for_end()


def test_waiting_on_one_replica_sees_what_workers_do(
    replicas: tuple[Stack, Stack], repository: SqlJobRepository
) -> None:
    one, two = replicas
    job = submit(one).json()["id"]
    claimed(repository, job)
    timer = threading.Timer(0.5, finish, (repository, job))
    timer.start()
    answer = httpx2.get(f"{two.url}/v1/jobs/{job}", headers={"Prefer": "wait=30"}, timeout=60)
    timer.join()
    assert answer.json()["status"] == "succeeded"


def test_one_key_on_both_replicas_at_once_is_one_job(
    replicas: tuple[Stack, Stack], repository: SqlJobRepository
) -> None:
    before = sum(repository.unfinished_counts().values())
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda number: submit(replicas[number % 2], **{"Idempotency-Key": "both"}), range(12))
        )
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert sum(repository.unfinished_counts().values()) == before + 1
    assert submit(replicas[1], **{"Idempotency-Key": "both"}).headers["Idempotent-Replayed"] == "true"


def test_who_waits_does_not_hold_up_a_shutdown(replicas: tuple[Stack, Stack]) -> None:
    one, two = replicas
    job = submit(one).json()["id"]
    listener = Listener(two, job)
    listener.wait_for(1)
    with ThreadPoolExecutor(1) as pool:
        url = f"{two.url}/v1/jobs/{job}"
        waiting = pool.submit(httpx2.get, url, headers={"Prefer": "wait=60"}, timeout=90)
        time.sleep(0.5)
        started = time.monotonic()
        two.processes["api"].send(signal.SIGTERM)
        assert waiting.result().json()["status"] == "queued"
        listener.wait_for_end()
        two.processes["api"].wait()
        assert time.monotonic() - started < 10
