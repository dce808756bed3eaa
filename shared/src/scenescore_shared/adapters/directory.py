"""Blobs as files under one directory: for one machine, without a server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from scenescore_shared.errors import NotFoundError, TransientError
from scenescore_shared.ports import BlobInfo, check_key

_CHUNK = 1 << 16
_MOVE_ATTEMPTS = 20
_STAGING = ".staging"
"""Where blobs are written before they are moved to their place; no key starts with a dot."""


class DirectoryBlobStore:
    """Keys are relative paths. A write goes to a staging file, is synced and then renamed: never half a blob."""

    def __init__(self, root: Path) -> None:
        self._root = root
        (root / _STAGING).mkdir(parents=True, exist_ok=True)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        path = self._path(key)
        try:
            descriptor, staged = tempfile.mkstemp(dir=self._root / _STAGING)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                _move(Path(staged), path)
            except BaseException:
                Path(staged).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise _not_answering(error) from error

    def get(self, key: str) -> bytes:
        with self._open(key) as file:
            return file.read()

    def stream(self, key: str) -> Iterator[bytes]:
        return _chunks(self._open(key))

    def delete(self, key: str) -> None:
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _not_answering(error) from error
        # leave no empty folders behind; one that is not empty stays
        with suppress(OSError):
            while (path := path.parent) != self._root:
                path.rmdir()

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        # only the folder that the prefix names needs a walk
        start = self._root / prefix.rpartition("/")[0]
        if not start.resolve().is_relative_to(self._root.resolve()):
            return
        for folder, folders, files in os.walk(start):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(folder) / name
                key = path.relative_to(self._root).as_posix()
                if key.startswith(prefix):
                    with suppress(FileNotFoundError):
                        stat = path.stat()
                        modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                        yield BlobInfo(key=key, bytes=stat.st_size, modified_at=modified)

    def presigned_url(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        valid_for: timedelta,
    ) -> str | None:
        return None

    def ping(self) -> None:
        if not os.access(self._root / _STAGING, os.W_OK):
            raise TransientError(f"The folder {self._root} can't be written to.")

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFoundError(f"There is no blob {key}.") from None
        except OSError as error:
            raise _not_answering(error) from error


def _move(staged: Path, path: Path) -> None:
    """Puts the blob in its place, and makes that last through a power cut."""
    for attempt in range(_MOVE_ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(path)
            break
        except FileNotFoundError:
            # a delete has just swept the folder away as empty
            if attempt == _MOVE_ATTEMPTS - 1:
                raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _not_answering(error: OSError) -> TransientError:
    return TransientError(f"The object folder did not answer: {error.strerror or error}.")
