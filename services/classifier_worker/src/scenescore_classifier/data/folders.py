"""The thesis's layout: a folder per emotion."""

from collections.abc import Iterator
from pathlib import Path

from scenescore_classifier.data.entries import NO_EMOTION, Entry, Listing, Skipped
from scenescore_classifier.data.themes import theme_from_name
from scenescore_shared.emotions import ALL_EMOTIONS


def list_folders(folder: Path) -> Listing:
    """Every file below `folder`, its emotion named by the first folder on the way to it. Hidden files don't count."""
    return Listing(tuple(_labelled(file) for file in files_below(folder)))


def files_below(folder: Path) -> Iterator[str]:
    """Paths relative to `folder`, in order, without hidden ones and what macOS adds to archives."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if not any(part.startswith(".") or part == "__MACOSX" for part in place.parts) and _is_file(path):
            yield place.as_posix()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # nobody may look: reported when it is opened
        return True


def _labelled(file: str) -> Entry | Skipped:
    emotion, slash, _ = file.partition("/")
    if not slash:
        return Skipped(file, NO_EMOTION)
    emotion = emotion.strip().lower()
    if emotion not in ALL_EMOTIONS:
        return Skipped(file, f"unknown emotion: {emotion}")
    return Entry(file, emotion, theme_from_name(file))
