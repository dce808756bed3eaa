"""A folder of pictures → tensors, labels and themes, with a report of every file that was left out."""

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from scenescore_classifier.metrics import Ints
from scenescore_classifier.preprocessing import decode, to_pixels
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import InvalidPictureError, ScenescoreError

LABELS_FILE = "labels.csv"


class DatasetError(ScenescoreError):
    """The folder holds nothing that a classifier could learn from; the message says why."""

    code = "invalid_dataset"


@dataclass(frozen=True)
class Entry:
    """A file that the folder offers, before it is opened."""

    file: str
    """Relative to the folder."""
    emotion: str
    theme: str


@dataclass(frozen=True)
class Skipped:
    """A file left out of training, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """n labelled pictures, all decoded."""

    pixels: Tensor
    """(n, …): what `prepare` made of each picture, by default uint8 (n, 3, 150, 150)."""
    labels: Ints
    """int64 (n,): places in `emotions`."""
    themes: tuple[str, ...]
    """n names; pictures of one theme resemble each other and must not be on both sides of a split."""
    emotions: tuple[str, ...]
    """Those that occur, in the order of ALL_EMOTIONS."""
    skipped: tuple[Skipped, ...]
    fingerprint: str
    """sha256 over the bytes, emotion and theme of every picture used, in order: 64 hex digits."""


def read_folder(folder: Path, prepare: Callable[[Image.Image], Tensor] = to_pixels) -> Dataset:
    """The data set in `folder`, each picture as `prepare` makes it: a tensor of one shape.

    Either `folder/labels.csv` has the columns file, emotion and, if you can, theme; or there is a folder per
    emotion. Where no theme is given, the file's name without the number at its end is one (`beach_12.jpg` →
    `beach`), and a name that is only a number is a theme of its own.

    Raises DatasetError unless pictures of two emotions can be read.
    """
    pixels: list[Tensor] = []
    kept: list[Entry] = []
    skipped: list[Skipped] = []
    file_of: dict[str, str] = {}  # sha256 → file, in the order of `kept`
    for item in tqdm(list(_entries(folder)), desc="reading", unit="picture", disable=None):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        try:
            data = _read_new(folder, item.file, file_of)
            pixels.append(prepare(decode(data)))
        except InvalidPictureError as error:
            skipped.append(Skipped(item.file, error.message))
            continue
        file_of[hashlib.sha256(data).hexdigest()] = item.file
        kept.append(item)
    emotions = tuple(emotion for emotion in ALL_EMOTIONS if any(entry.emotion == emotion for entry in kept))
    if len(emotions) < 2:  # noqa: PLR2004 - one emotion is nothing to tell apart
        raise DatasetError(
            f"{folder} has usable pictures of {len(emotions)} emotions: give two of {', '.join(ALL_EMOTIONS)}."
        )
    labels = np.array([emotions.index(entry.emotion) for entry in kept], dtype=np.int64)
    themes = tuple(entry.theme for entry in kept)
    return Dataset(
        torch.stack(pixels), labels, themes, emotions, tuple(skipped), _fingerprint(kept, list(file_of))
    )


def split_by_theme(labels: Ints, themes: Sequence[str], folds: int, generator: np.random.Generator) -> Ints:
    """The fold, 0 … folds - 1, of each of the n pictures: int (n,). All pictures of a theme are in one fold.

    Themes are dealt out largest first (ties at random), each to the fold with the fewest pictures of the
    theme's main emotion, then the fewest in all, so that folds resemble each other.

    Raises DatasetError when there are fewer themes than folds.
    """
    names, theme_of = np.unique(np.asarray(themes), return_inverse=True)
    if len(names) < folds:
        raise DatasetError(
            f"{len(names)} themes can't fill {folds} folds: ask for fewer, or name themes in {LABELS_FILE}."
        )
    shuffled = generator.permutation(len(names))
    sizes = np.bincount(theme_of)
    held = np.zeros((folds, int(labels.max()) + 1), dtype=np.int64)  # pictures per fold and emotion
    fold_of_theme = np.zeros(len(names), dtype=np.int64)
    for theme in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        counts = np.bincount(labels[theme_of == theme], minlength=held.shape[1])
        fold = min(range(folds), key=lambda f: (held[f, counts.argmax()], held[f].sum()))
        held[fold] += counts
        fold_of_theme[theme] = fold
    return fold_of_theme[theme_of]


def theme_from_name(file: str) -> str:
    """`dogs/beach_12.jpg` → `beach`; a name that is only a number stays as it is."""
    stem = Path(file).stem
    return re.sub(r"[\s_.(-]*\d+\)?$", "", stem) or stem


def _entries(folder: Path) -> Iterator[Entry | Skipped]:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder.")
    labels = folder / LABELS_FILE
    return _entries_of_table(labels) if labels.is_file() else _entries_of_folders(folder)


def _entries_of_table(labels: Path) -> Iterator[Entry | Skipped]:
    try:
        with labels.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{labels} is no CSV file in UTF-8: {error}.") from error
    if not rows or not {"file", "emotion"} <= rows[0].keys():
        raise DatasetError(
            f"{labels} needs a line of names with the columns file and emotion, and rows below it."
        )
    for row in rows:
        # a row that is cut short has None for what it lacks
        name, theme = (row["file"] or "").strip(), (row.get("theme") or "").strip()
        yield _labelled(name, row["emotion"] or "", theme)


def _entries_of_folders(folder: Path) -> Iterator[Entry | Skipped]:
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in place.parts):
            yield _labelled(place.as_posix(), place.parts[0] if len(place.parts) > 1 else "", "")


def _labelled(file: str, emotion: str, theme: str) -> Entry | Skipped:
    emotion = emotion.strip().lower()
    if not emotion:
        return Skipped(file, "no emotion given")
    if emotion not in ALL_EMOTIONS:
        return Skipped(file, f"unknown emotion: {emotion}")
    return Entry(file, emotion, theme or theme_from_name(file))


def _read_new(folder: Path, file: str, file_of: Mapping[str, str]) -> bytes:
    """The bytes of `file`, unless they are those of a picture in `file_of` (sha256 → file)."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise InvalidPictureError("outside the folder")
    try:
        data = (folder / file).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise InvalidPictureError("can't be opened") from error
    twin = file_of.get(hashlib.sha256(data).hexdigest())
    if twin is not None:
        # a copy under another theme would be trained on and tested on at once
        raise InvalidPictureError(f"same bytes as {twin}")
    return data


def _fingerprint(kept: Sequence[Entry], digests: Sequence[str]) -> str:
    lines = (f"{digest} {entry.emotion} {entry.theme}\n" for digest, entry in zip(digests, kept, strict=True))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
