"""What the importers share: finding the folder per emotion, the mapping of emotions, and what they hand over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenescore_classifier.data.entries import DatasetError, Skipped
from scenescore_classifier.data.folders import files_below
from scenescore_shared.emotions import ALL_EMOTIONS

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")

DEFAULT_MAP: Mapping[str, str] = {"joy": "happy", "love": "happy", "anger": "angry", "sadness": "sad"}
"""Emotion of a set → ours; the others are left out."""

_DEEPEST = 3
"""Folders between the one given and the one that holds a folder per emotion."""


@dataclass(frozen=True)
class Ratings:
    """As the set gives them, on its own scale."""

    valence: str
    arousal: str
    scale: str


@dataclass(frozen=True)
class Found:
    """A picture of the set that ours takes."""

    file: str
    """Relative to the root of the set."""
    emotion: str
    """Ours; empty where the set's has no counterpart and only the ratings count."""
    theme: str = ""
    """Empty where the set tells none."""
    ratings: Ratings | None = None


@dataclass(frozen=True)
class ImportedSet:
    """A set's pictures, and what was left out of it."""

    root: Path
    """The folder with a folder per emotion."""
    found: tuple[Found, ...]
    left_out: tuple[Skipped, ...]
    warnings: tuple[str, ...] = ()


def find_root(folder: Path, emotions: Sequence[str]) -> Path:
    """The folder nearest to `folder`, itself included, with folders for at least two of `emotions`, in any case.

    Raises DatasetError where there is none, or several equally near.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder.")
    level = [folder]
    for _ in range(_DEEPEST + 1):
        below = {path: _folders_of(path) for path in level}
        roots = [path for path, inside in below.items() if _named(inside, emotions) > 1]
        if len(roots) > 1:
            raise DatasetError(f"{roots[0]} and {roots[1]} both have a folder per emotion: name one of them.")
        if roots:
            return roots[0]
        level = [path for inside in below.values() for path in inside]
    raise DatasetError(f"{folder} has no folders named {', '.join(emotions)}: is it the unpacked set?")


def refuse_other_set(root: Path, telling: str, other: str) -> None:
    """Raises DatasetError where `root` has a folder `telling`, an emotion of the set `other` and not of this one."""
    if _named(_folders_of(root), (telling,)):
        raise DatasetError(
            f"{root} has a folder {telling!r}, so it seems to be the set {other}: import it as that."
        )


def merged_map(changes: Mapping[str, str], emotions: Sequence[str]) -> dict[str, str]:
    """`DEFAULT_MAP` for `emotions` of the set, with `changes`; an empty target leaves an emotion out.

    Raises DatasetError on emotions that the set or we don't have.
    """
    for source, target in changes.items():
        if source not in emotions:
            raise DatasetError(f"The set has no {source!r}: choose from {', '.join(emotions)}.")
        if target and target not in ALL_EMOTIONS:
            raise DatasetError(f"{target!r} is none of our emotions: choose from {', '.join(ALL_EMOTIONS)}.")
    merged = {**DEFAULT_MAP, **changes}
    return {emotion: merged[emotion] for emotion in emotions if merged.get(emotion)}


def pictures_of(root: Path, emotions: Sequence[str]) -> Iterator[tuple[str, str] | Skipped]:
    """File and the set's emotion for every picture in the emotions' folders; the rest with the reason."""
    for file in files_below(root):
        folder, slash, _ = file.partition("/")
        emotion = folder.strip().lower()
        if not slash or emotion not in emotions:
            continue
        if not file.lower().endswith(PICTURE_SUFFIXES):
            yield Skipped(file, "no picture by its name")
        elif not _fits_a_table(file):
            yield Skipped(file, "a name that a table can't hold: rename the file")
        else:
            yield file, emotion


def _folders_of(path: Path) -> list[Path]:
    """Links are not followed: one could lead back."""
    try:
        return sorted(
            place
            for place in path.iterdir()
            if place.is_dir() and not place.is_symlink() and not place.name.startswith((".", "__MACOSX"))
        )
    except OSError:
        return []


def _named(folders: Sequence[Path], emotions: Sequence[str]) -> int:
    return len({path.name.strip().lower() for path in folders} & set(emotions))


def _fits_a_table(file: str) -> bool:
    """UTF-8, and the same after the blanks around a cell are taken off."""
    try:
        file.encode()
    except UnicodeEncodeError:
        return False
    return file == file.strip()
