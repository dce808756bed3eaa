"""The client against a real API that is killed, slow, or sends to files elsewhere. With workers: `test_embedded.py`."""

import hashlib
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from samples.jobs import succeeded
from samples.pictures import jpeg
from servers.relay import Relay
from servers.s3 import S3
from servers.scenescore import Stack

from scenescore_api.settings import ApiSettings
from scenescore_client import NotAuthenticatedError, Progress, Scenescore
from scenescore_shared.wiring import build_blob_store, build_engine, build_job_repository


@contextmanager
def only_an_api(folder: Path, settings: dict[str, str]) -> Iterator[Stack]:
    """On SQLite and files."""
    stack = Stack(folder, settings)
    stack.run("scenescore_shared.provision")
    stack.start("api")
    try:
        yield stack
    finally:
        statuses = stack.stop()
    assert statuses == {"api": -signal.SIGTERM}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with only_an_api(tmp_path_factory.mktemp("api"), {}) as stack:
        yield stack


@pytest.fixture
def client(api: Stack) -> Iterator[Scenescore]:
    with Scenescore(api.url) as opened:
        yield opened


@pytest.fixture
def relay(api: Stack) -> Iterator[Relay]:
    port = urlsplit(api.url).port
    assert port is not None
    with Relay(port) as opened:
        yield opened


def test_a_server_that_is_killed_in_the_middle_of_its_answer_makes_one_job(
    api: Stack, client: Scenescore, relay: Relay
) -> None:
    before = {job.id for job in client.list()}
    killed = threading.Event()

    def kill(answer: bytes) -> bytes:
        assert answer.startswith(b"HTTP/1.1 202")
        api.kill("api")
        killed.set()
        return answer[: len(answer) // 2]

    relay.meddling.append(kill)
    with Scenescore(f"http://127.0.0.1:{relay.port}") as cut_off, ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(cut_off.submit, jpeg(1))
        assert killed.wait(60)
        # it is refused for a while
        time.sleep(1)
        assert not submitting.done()
        api.start("api")
        job = submitting.result(timeout=60)
    assert relay.asked.count(b"POST /v1/jobs") >= 2
    assert {job.id for job in client.list()} - before == {job.id}


def test_a_server_that_is_slower_than_the_client_waits_makes_one_job(
    client: Scenescore, relay: Relay
) -> None:
    before = {job.id for job in client.list()}

    def dawdle(_: bytes) -> None:
        time.sleep(3)

    relay.meddling.append(dawdle)
    with Scenescore(f"http://127.0.0.1:{relay.port}", timeout=2) as hasty:
        job = hasty.submit(jpeg(2))
    assert relay.asked.count(b"POST /v1/jobs") >= 2
    assert {job.id for job in client.list()} - before == {job.id}


def test_a_wait_outlives_the_server(api: Stack, client: Scenescore) -> None:
    job = client.submit(None, {"emotions": {"happy": 1}})
    heard: list[Progress] = []
    first, waiting = threading.Event(), threading.Event()

    def listen(now: Progress) -> None:
        heard.append(now)
        first.set()
        if now.queue_position is not None:
            waiting.set()

    with Scenescore(api.url) as follower, ThreadPoolExecutor(1) as pool:
        ended = pool.submit(follower.wait, job, listen)
        assert first.wait(30)
        assert waiting.wait(30)
        api.kill("api")
        api.start("api")
        client.cancel(job)
        assert ended.result(timeout=60).status == "canceled"
    assert [heard[0].status, heard[-1].status] == ["queued", "canceled"]
    # nothing is told twice
    assert len(heard) == len(set(heard))


def test_a_file_elsewhere_is_fetched_without_the_key(s3: S3, tmp_path: Path) -> None:
    port = urlsplit(s3.endpoint_url).port
    assert port is not None
    with Relay(port) as store:
        settings = {
            "SCENESCORE_API__REQUIRE_KEYS": "true",
            "SCENESCORE_STORAGE__BUCKET": s3.new_bucket_name(),
            "SCENESCORE_STORAGE__ENDPOINT_URL": s3.endpoint_url,
            "SCENESCORE_STORAGE__PUBLIC_ENDPOINT_URL": f"http://localhost:{store.port}",
            "SCENESCORE_STORAGE__ACCESS_KEY_ID": s3.access_key_id,
            "SCENESCORE_STORAGE__SECRET_ACCESS_KEY": s3.secret_access_key,
        }
        with only_an_api(tmp_path, settings) as stack:
            job_id = put_a_job(stack, b"MThd")
            said = stack.run("scenescore_api.keys", "create", "me", "--scopes", "jobs,admin")
            (key,) = re.findall(r"scs_\w{12}_\w{43}", said)
            with Scenescore(stack.url, key[:-1] + "x") as stranger, pytest.raises(NotAuthenticatedError):
                stranger.get(job_id)
            with Scenescore(stack.url, key) as client:
                (place,) = client.download(client.get(job_id), tmp_path).values()
            assert place.read_bytes() == b"MThd"
    asked = bytes(store.asked)
    assert asked.startswith(b"GET /")
    assert b"X-Amz-Signature=" in asked
    assert f"localhost:{store.port}".encode() in asked
    assert b"authorization" not in asked.lower()
    assert key.encode() not in asked


def put_a_job(stack: Stack, music: bytes) -> str:
    """The id of a job that has succeeded, its music in the store."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in stack.environment.items():
            if name.startswith("SCENESCORE_"):
                environment.setenv(name, value)
        settings = ApiSettings()
    job = succeeded()
    output = replace(job.outputs[0], bytes=len(music), sha256=hashlib.sha256(music).hexdigest())
    engine = build_engine(settings, application="tests")
    build_job_repository(engine).add(replace(job, outputs=(output,)))
    engine.dispose()
    build_blob_store(settings).put(output.blob_key, music, output.content_type)
    return job.id
