"""What every blob store promises, run on the fake, on a directory and on a real S3-compatible store."""

import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scenescore_shared.adapters.directory import DirectoryBlobStore
from scenescore_shared.adapters.s3 import S3BlobStore
from scenescore_shared.errors import NotFoundError
from scenescore_shared.fakes import InMemoryBlobStore
from scenescore_shared.ports import BlobStore

TYPE = "application/octet-stream"


@pytest.fixture(params=["fake", "directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    match request.param:
        case "fake":
            return InMemoryBlobStore()
        case "directory":
            return DirectoryBlobStore(tmp_path / "objects")
        case _:
            s3_store: S3BlobStore = request.getfixturevalue("s3_store")
            return s3_store


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 10, bytes(3_000_000)])
def test_what_is_put_comes_back(store: BlobStore, data: bytes) -> None:
    store.put("jobs/1/picture.jpg", data, "image/jpeg")
    assert store.get("jobs/1/picture.jpg") == data
    assert b"".join(store.stream("jobs/1/picture.jpg")) == data


def test_a_second_put_replaces_the_first(store: BlobStore) -> None:
    store.put("a/b", b"one", TYPE)
    store.put("a/b", b"two", TYPE)
    assert store.get("a/b") == b"two"


def test_what_is_not_there_is_not_found(store: BlobStore) -> None:
    with pytest.raises(NotFoundError):
        store.get("a/b")
    with pytest.raises(NotFoundError):
        store.stream("a/b")
    store.put("a/b", b"", TYPE)
    with pytest.raises(NotFoundError):
        store.get("a")


def test_delete_and_delete_again(store: BlobStore) -> None:
    store.put("a/b", b"x", TYPE)
    store.put("a/c", b"x", TYPE)
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/there")
    assert [blob.key for blob in store.list("")] == ["a/c"]


def test_list_by_prefix(store: BlobStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    for number in range(12):
        store.put(f"jobs/{number:02}/x.mid", b"x" * number, TYPE)
    store.put("clips/1", b"", TYPE)
    found = {blob.key: blob for blob in store.list("jobs/")}
    assert sorted(found) == [f"jobs/{number:02}/x.mid" for number in range(12)]
    assert found["jobs/07/x.mid"].bytes == 7
    assert before < found["jobs/07/x.mid"].modified_at < datetime.now(UTC) + timedelta(seconds=5)
    assert {blob.key for blob in store.list("jobs/1")} == {"jobs/10/x.mid", "jobs/11/x.mid"}
    assert list(store.list("nothing/")) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        "a/./b",
        ".hidden",
        "a\\b",
        "a b",
        "a\n",
        "a\x00",
        "é",
    ],
)
def test_no_key_walks_out(store: BlobStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a blob key"):
        store.put(key, b"", TYPE)
    with pytest.raises(ValueError, match="not a blob key"):
        store.get(key)
    with pytest.raises(ValueError, match="not a blob key"):
        store.delete(key)


def test_a_reader_sees_the_whole_old_or_the_whole_new(store: BlobStore) -> None:
    versions = [bytes([number]) * 200_000 for number in range(6)]
    store.put("a/b", versions[0], TYPE)
    done = threading.Event()

    def write() -> None:
        for version in versions:
            store.put("a/b", version, TYPE)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not done.is_set():
            assert store.get("a/b") in versions
        writing.result()


def test_a_presigned_url_needs_no_credentials(store: BlobStore) -> None:
    store.put("a/music.mid", b"MThd", "audio/midi")
    url = store.presigned_url(
        "a/music.mid", filename="music.mid", content_type="audio/midi", valid_for=timedelta(minutes=1)
    )
    if not isinstance(store, S3BlobStore):
        assert url is None
        return
    assert url is not None
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the tests' own store
        assert answer.read() == b"MThd"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="music.mid"'


def test_it_answers(store: BlobStore) -> None:
    store.ping()
