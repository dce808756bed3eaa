"""Photographs without labels, as models prepare them."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from scenescore_classifier.data import DatasetError, Skipped
from scenescore_classifier.distillation.views import photographs as list_photographs
from scenescore_classifier.preprocessing import decode
from scenescore_classifier.training.embeddings import Prepare
from scenescore_shared.errors import InvalidPictureError

LEAST = 200
"""Fewer photographs say too little to be worth it."""


@dataclass(frozen=True)
class Looked:
    """m photographs, each there once."""

    prepared: Sequence[Tensor]
    """float32 (m, …) of each model that was asked."""
    sha256: Sequence[str]
    """Of their files: m times 64 hex digits."""

    @property
    def fingerprint(self) -> str:
        """sha256 of what they are."""
        return hashlib.sha256("".join(self.sha256).encode()).hexdigest()


def readable(folder: Path, leave_out: Sequence[str]) -> set[str]:
    """sha256 of the files under `folder` that would be looked at; what can't be read is passed over."""
    found = set()
    for file in list_photographs(folder, leave_out):
        with suppress(OSError):
            found.add(hashlib.sha256((folder / file).read_bytes()).hexdigest())
    return found


def look_at(
    folder: Path,
    prepares: Sequence[Prepare],
    *,
    leave_out: Sequence[str] = (),
    known: Iterable[str] = (),
    only: Collection[str] | None = None,
) -> tuple[Looked, list[Skipped]]:
    """The photographs under `folder`, and which files are none: what can't be read, what was there before, and what has
    a sha256 of `known`. Folders named in `leave_out` are passed over; so is what has no sha256 of `only`, where given.

    Raises DatasetError where there are fewer than LEAST.
    """
    files = list_photographs(folder, leave_out)
    seen, skipped = set(known), []
    sha256s: list[str] = []
    blocks: list[Tensor] = []
    for file in tqdm(files, desc="looking", unit="photograph", disable=None):
        try:
            data = (folder / file).read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            if only is not None and sha256 not in only:
                continue
            picture = decode(data)
        except (InvalidPictureError, OSError):
            skipped.append(Skipped(file, "can't be read as a picture"))
            continue
        if sha256 in seen:
            skipped.append(Skipped(file, "a picture of the data set, or there before"))
            continue
        seen.add(sha256)
        all_prepared = [prepare(picture) for prepare in prepares]
        # filled in place: a list of them and their stack would take the room twice
        blocks = blocks or [first.new_empty((len(files), *first.shape)) for first in all_prepared]
        for block, prepared in zip(blocks, all_prepared, strict=True):
            block[len(sha256s)] = prepared
        sha256s.append(sha256)
    if len(sha256s) < LEAST:
        raise DatasetError(
            f"{folder} has {len(sha256s)} photographs to learn from: give a folder with {LEAST} or more."
        )
    return Looked([block[: len(sha256s)] for block in blocks], sha256s), skipped
