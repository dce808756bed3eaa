"""A folder of pictures → tensors, labels and themes, with a report of every file that was left out."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from scenescore_classifier.data.affect import Scale
from scenescore_classifier.data.entries import (
    LABELS_FILE,
    NO_EMOTION,
    DatasetError,
    Entry,
    Listing,
    Skipped,
)
from scenescore_classifier.data.folders import list_folders
from scenescore_classifier.data.tables import TableRules, list_table
from scenescore_classifier.data.themes import tells_no_theme, theme_from_name
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.preprocessing import MAX_BYTES, decode, to_pixels
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import InvalidPictureError

UNLABELLED = -1


@dataclass(frozen=True)
class Dataset:
    """n pictures, all decoded."""

    pixels: Tensor
    """(n, …): what `prepare` made of each picture, by default uint8 (n, 3, 150, 150)."""
    labels: Ints
    """int64 (n,): places in `emotions`; -1 where only valence or arousal is known."""
    themes: tuple[str, ...]
    """n names; pictures of one theme resemble each other and must not be on both sides of a split."""
    emotions: tuple[str, ...]
    """Those that occur, in the order of ALL_EMOTIONS."""
    skipped: tuple[Skipped, ...]
    fingerprint: str
    """sha256 over the bytes, emotion, theme and ratings of every picture used, in order: 64 hex digits."""
    affect: Floats | None = None
    """float64 (n, 2): valence and arousal in [-1, 1], NaN where unknown. None where no picture has any."""
    affect_sd: Floats | None = None
    """float64 (n, 2): their standard deviations over raters, in the same unit, NaN where unknown."""
    files: tuple[str, ...] = ()
    """n paths, relative to the folder."""
    warnings: tuple[str, ...] = ()
    """Sentences for the user about the data as a whole."""


def read_folder(
    folder: Path,
    *,
    prepare: Callable[[Image.Image], Tensor] = to_pixels,
    unlabelled: bool = False,
    scale: Scale | None = None,
    dead_zone: float | None = None,
) -> Dataset:
    """The data set in `folder`, each picture as `prepare` makes it: a tensor of one shape and type.

    Either `folder/labels.csv` names the pictures (see `tables.list_table`), or there is a folder per emotion.
    Where no theme is given, the file's name without the number at its end is one (`beach_12.jpg` → `beach`); a
    name that tells no theme makes the picture a theme of its own, and a warning says so.

    Pictures without an emotion are left out unless `unlabelled`, which keeps those with valence or arousal.
    `scale` is theirs where the table does not say; `dead_zone` in [0, 1) asks for emotions from valence and
    arousal where none is named (see `TableRules`).

    Memory: what the tensors take and no more; 20,000 pictures of 96x96 pixels 0.6 GB.

    Raises DatasetError unless pictures of two emotions, or with `unlabelled` any picture, can be read.
    """
    listing = _list(folder, TableRules(scale, dead_zone))
    wanted, skipped = _wanted(listing, unlabelled=unlabelled, in_dead_zone=dead_zone is not None)
    pixels, kept, file_of, unreadable = _decode(folder, wanted, prepare)
    skipped.extend(unreadable)
    emotions = tuple(emotion for emotion in ALL_EMOTIONS if any(entry.emotion == emotion for entry in kept))
    if len(emotions) < 2 and not (unlabelled and kept):  # noqa: PLR2004 - one emotion is nothing to tell apart
        raise DatasetError(
            f"{folder} has usable pictures of {len(emotions)} emotions: give two of {', '.join(ALL_EMOTIONS)}."
        )
    places = {"": UNLABELLED, **{emotion: place for place, emotion in enumerate(emotions)}}
    affect, affect_sd = _affect_arrays(kept)
    return Dataset(
        pixels,
        np.array([places[entry.emotion] for entry in kept], dtype=np.int64),
        tuple(entry.theme for entry in kept),
        emotions,
        tuple(skipped),
        _fingerprint(kept, list(file_of)),
        affect,
        affect_sd,
        tuple(entry.file for entry in kept),
        (*listing.warnings, *_warnings(kept)),
    )


def _list(folder: Path, rules: TableRules) -> Listing:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder.")
    table = folder / LABELS_FILE
    return list_table(table, rules) if table.is_file() else list_folders(folder)


def _wanted(listing: Listing, *, unlabelled: bool, in_dead_zone: bool) -> tuple[list[Entry], list[Skipped]]:
    wanted: list[Entry] = []
    skipped: list[Skipped] = []
    for item in listing.items:
        if isinstance(item, Skipped):
            skipped.append(item)
        elif item.emotion or unlabelled:
            wanted.append(item)
        else:
            unclear = "no emotion given, and valence or arousal too near the middle"
            skipped.append(Skipped(item.file, unclear if in_dead_zone else NO_EMOTION))
    return wanted, skipped


def _decode(
    folder: Path, wanted: Sequence[Entry], prepare: Callable[[Image.Image], Tensor]
) -> tuple[Tensor, list[Entry], dict[str, str], list[Skipped]]:
    """Pixels of the entries that could be read, those entries, their sha256 → file, and the others."""
    # one block, filled in place: a list of pictures and their stack would take the room twice; what is left of it
    # is never touched, so the system never gives memory for it
    pixels: Tensor | None = None
    kept: list[Entry] = []
    skipped: list[Skipped] = []
    file_of: dict[str, str] = {}  # in the order of `kept`
    for entry in tqdm(wanted, desc="reading", unit="picture", disable=None):
        try:
            data = _read_new(folder, entry.file, file_of)
            prepared = prepare(decode(data))
        except InvalidPictureError as error:
            skipped.append(Skipped(entry.file, error.message))
            continue
        if pixels is None:
            pixels = prepared.new_empty((len(wanted), *prepared.shape))
        pixels[len(kept)] = prepared
        file_of[hashlib.sha256(data).hexdigest()] = entry.file
        kept.append(entry)
    return torch.empty(0) if pixels is None else pixels[: len(kept)], kept, file_of, skipped


def _read_new(folder: Path, file: str, file_of: Mapping[str, str]) -> bytes:
    """The bytes of `file`, unless they are those of a picture in `file_of` (sha256 → file)."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise InvalidPictureError("outside the folder")
    path = folder / file
    try:
        if path.exists() and not path.is_file():
            # a pipe would be waited for for ever
            raise InvalidPictureError("can't be opened: no plain file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise InvalidPictureError("can't be opened") from error
    twin = file_of.get(hashlib.sha256(data).hexdigest())
    if twin is not None:
        # a copy under another theme would be trained on and tested on at once
        raise InvalidPictureError(f"same bytes as {twin}")
    return data


def _affect_arrays(kept: Sequence[Entry]) -> tuple[Floats | None, Floats | None]:
    if not any(entry.affect for entry in kept):
        return None, None
    places = np.full((len(kept), 2), math.nan)
    spreads = np.full((len(kept), 2), math.nan)
    for row, entry in enumerate(kept):
        if entry.affect is not None:
            # numpy makes NaN of None
            places[row] = np.array([entry.affect.valence, entry.affect.arousal], dtype=np.float64)
            spreads[row] = np.array([entry.affect.valence_sd, entry.affect.arousal_sd], dtype=np.float64)
    return places, spreads


def _warnings(kept: Sequence[Entry]) -> list[str]:
    warnings = []
    alone = [
        entry.file
        for entry in kept
        if tells_no_theme(entry.file) and entry.theme == theme_from_name(entry.file)
    ]
    if alone:
        warnings.append(
            f"{len(alone)} of {len(kept)} pictures: names such as {Path(alone[0]).name} tell no theme. Each counts "
            "as a theme of its own, and similar ones may be trained on and tested on at once. Name their themes in the "
            f"column theme of {LABELS_FILE}."
        )
    derived = sum(entry.derived for entry in kept)
    if derived:
        warnings.append(
            f"{derived} of {len(kept)} pictures: the emotion is that of valence and arousal, nobody named one."
        )
    return warnings


def _fingerprint(kept: Sequence[Entry], digests: Sequence[str]) -> str:
    lines = (
        " ".join([digest, entry.emotion, entry.theme, *([repr(entry.affect)] if entry.affect else [])]) + "\n"
        for digest, entry in zip(digests, kept, strict=True)
    )
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
