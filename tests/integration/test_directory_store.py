"""What only the directory promises: nothing half-written, nothing outside, no folders left."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scenescore_shared.adapters.directory import DirectoryBlobStore
from scenescore_shared.errors import TransientError


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_write_that_fails_leaves_the_old_blob_and_no_staging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put("a/b", b"old", "x")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransientError, match="No space left"):
        store.put("a/b", b"new", "x")
    assert store.get("a/b") == b"old"
    assert files(tmp_path) == ["a/b"]


def test_staged_writes_are_no_blobs(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    (tmp_path / ".staging" / "half").write_bytes(b"half")
    assert list(store.list("")) == []


def test_emptied_folders_go(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)
    store.put("jobs/1/outputs/t/music.mid", b"", "x")
    store.delete("jobs/1/outputs/t/music.mid")
    assert [path.name for path in tmp_path.iterdir()] == [".staging"]


def test_a_prefix_can_not_walk_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    store = DirectoryBlobStore(tmp_path / "objects")
    assert list(store.list("../")) == []


def test_a_put_beside_deletes_that_sweep_its_folder_away(tmp_path: Path) -> None:
    store = DirectoryBlobStore(tmp_path)

    def work(number: int) -> None:
        for turn in range(150):
            key = f"jobs/{number}-{turn}/x"
            store.put(key, b"x", "x")
            store.delete(key)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert files(tmp_path) == []


def test_listing_one_job_walks_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, walked, walk = DirectoryBlobStore(tmp_path), [], os.walk
    for number in range(5):
        store.put(f"jobs/{number}/x", b"x", "x")

    def recorded(folder: Path) -> Any:
        walked.append(Path(folder).relative_to(tmp_path).as_posix())
        return walk(folder)

    monkeypatch.setattr(os, "walk", recorded)
    assert [blob.key for blob in store.list("jobs/3/")] == ["jobs/3/x"]
    assert walked == ["jobs/3"]
