"""Downloads by presigned URL, end to end: the API redirects to the store's public name, and to nothing else."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from samples.jobs import succeeded
from servers.s3 import S3

from scenescore_api.main import create_app
from scenescore_api.settings import ApiSettings
from scenescore_shared.adapters.s3 import S3BlobStore
from scenescore_shared.provision import provision
from scenescore_shared.wiring import build_blob_store, build_engine, build_job_repository


@pytest.fixture
def settings(s3: S3, tmp_path: Path) -> ApiSettings:
    """The services reach the store as 127.0.0.1, clients as localhost."""
    inner = urlsplit(s3.endpoint_url)
    assert inner.hostname == "127.0.0.1"
    made = ApiSettings.model_validate(
        {
            "data_dir": tmp_path,
            "storage": {
                "bucket": s3.new_bucket_name(),
                "endpoint_url": s3.endpoint_url,
                "public_endpoint_url": f"http://localhost:{inner.port}",
                "access_key_id": s3.access_key_id,
                "secret_access_key": s3.secret_access_key,
            },
        }
    )
    provision(made)
    return made


@pytest.fixture
def store(settings: ApiSettings) -> S3BlobStore:
    built = build_blob_store(settings)
    assert isinstance(built, S3BlobStore)
    return built


@pytest.fixture
def client(settings: ApiSettings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://127.0.0.1", follow_redirects=False) as opened:
        yield opened


def fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the tests' own store
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_api_redirects_to_the_public_name_of_the_store(
    client: TestClient, settings: ApiSettings, store: S3BlobStore
) -> None:
    job = succeeded()
    engine = build_engine(settings, application="tests")
    build_job_repository(engine).add(job)
    engine.dispose()
    store.put(job.outputs[0].blob_key, b"MThd", "audio/midi")
    answer = client.get(f"/v1/jobs/{job.id}/outputs/music.mid")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")
    url = answer.headers["Location"]
    assert urlsplit(url).hostname == "localhost"
    assert "127.0.0.1" not in url
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["300"]
    assert settings.storage.secret_access_key is not None
    assert settings.storage.secret_access_key.get_secret_value() not in url
    assert fetch(url) == (200, b"MThd")


def signed(store: S3BlobStore, key: str, seconds: float = 60) -> str:
    url = store.presigned_url(
        key, filename="music.mid", content_type="audio/midi", valid_for=timedelta(seconds=seconds)
    )
    assert url is not None
    return url


def test_a_url_opens_its_own_blob_and_no_other(store: S3BlobStore) -> None:
    store.put("jobs/mine/music.mid", b"mine", "audio/midi")
    store.put("jobs/other/music.mid", b"other", "audio/midi")
    url = signed(store, "jobs/mine/music.mid")
    assert fetch(url) == (200, b"mine")
    for altered in (
        url.replace("/mine/", "/other/"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url.replace("music.mid%22", "evil.html%22"),
        url.replace("response-content-type=audio%2Fmidi", "response-content-type=text%2Fhtml"),
        url.replace("http://localhost:", "http://127.0.0.1:"),
        url.split("?")[0],
    ):
        assert altered != url
        status, body = fetch(altered)
        # without any signature stores differ: no credentials, or no sense
        assert status == 403 or ("?" not in altered and status == 400), altered
        assert body not in {b"mine", b"other"}


def test_a_url_runs_out(store: S3BlobStore) -> None:
    store.put("jobs/mine/music.mid", b"mine", "audio/midi")
    url = signed(store, "jobs/mine/music.mid", seconds=1)
    assert fetch(url)[0] == 200
    deadline = time.monotonic() + 10
    while fetch(url)[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert fetch(url)[0] == 403
