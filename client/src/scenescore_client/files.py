"""Files that came over the network: whole or not there at all, where the user said and nowhere else."""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from scenescore_client.errors import DamagedFileError, FileThereError, UnsafeNameError
from scenescore_client.jobs import Output

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?")
"""Plain file names: no separators, nothing hidden, nothing that another system takes for something else."""


def checked_name(name: str) -> str:
    """Raises UnsafeNameError for a name that could lead out of its folder, or be hidden in it."""
    if not _NAME.fullmatch(name):
        raise UnsafeNameError(f"The server names a file {name[:64]!r}: that is no name to save it by.")
    return name


def verified(chunks: Iterable[bytes], output: Output) -> Iterator[bytes]:
    """The chunks. Raises DamagedFileError as soon as they are more than the output has, or at the end when they are
    not the output's.
    """
    sha256, length = hashlib.sha256(), 0
    for chunk in chunks:
        sha256.update(chunk)
        length += len(chunk)
        if length > output.bytes:
            break
        yield chunk
    if length != output.bytes or sha256.hexdigest() != output.sha256.lower():
        raise DamagedFileError(
            f"{output.name} did not come as the server announced it (other bytes, or another length)."
        )


def is_there(place: Path, output: Output) -> bool:
    """Whether the file at `place` is the output already, byte for byte. Raises OSError."""
    if not place.is_file() or place.stat().st_size != output.bytes:
        return False
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == output.sha256.lower()


def write_whole(chunks: Iterable[bytes], place: Path, *, overwrite: bool) -> None:
    """Nobody ever sees a part of the file. Raises FileThereError, OSError, and what the chunks raise."""
    staged = place.with_name(f".{place.name}.{uuid4().hex}")
    try:
        with staged.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
        if overwrite:
            staged.replace(place)
        else:
            _move_new(staged, place)
    finally:
        staged.unlink(missing_ok=True)


def check_free(place: Path) -> None:
    """Raises FileThereError where something is, a link to nowhere too."""
    if os.path.lexists(place):
        raise FileThereError(f"{place} is there already: name another folder, or ask to overwrite it.")


def _move_new(staged: Path, place: Path) -> None:
    try:
        # unlike a rename, this fails where something has come to be meanwhile
        place.hardlink_to(staged)
    except FileExistsError:
        check_free(place)
        raise
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}:
            raise
        # a file system without hard links
        check_free(place)
        staged.rename(place)
