"""What only the directory promises: nothing half-written, nothing outside, no folders left."""

import os
from pathlib import Path

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
