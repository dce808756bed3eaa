"""What a folder of pictures says about them, before any is opened."""

from dataclasses import dataclass

from scenescore_shared.errors import ScenescoreError

LABELS_FILE = "labels.csv"
NO_EMOTION = "no emotion given"


class DatasetError(ScenescoreError):
    """The folder holds nothing that a classifier could learn from; the message says why."""

    code = "invalid_dataset"


@dataclass(frozen=True)
class Affect:
    """How pleasant and how arousing people find a picture, each in [-1, 1]; None where nobody said."""

    valence: float | None
    arousal: float | None
    valence_sd: float | None = None
    """Standard deviation over the raters, ≥ 0, in the same unit."""
    arousal_sd: float | None = None


@dataclass(frozen=True)
class Entry:
    """A file that the folder offers."""

    file: str
    """Relative to the folder."""
    emotion: str
    """Empty where only the affect is known."""
    theme: str
    affect: Affect | None = None
    derived: bool = False
    """The emotion follows from the affect; nobody named it."""


@dataclass(frozen=True)
class Skipped:
    """A file left out of training, and why."""

    file: str
    """Or the line of the table, where it names no file."""
    reason: str


@dataclass(frozen=True)
class Listing:
    """All that a folder offers, in its order."""

    items: tuple[Entry | Skipped, ...]
    warnings: tuple[str, ...] = ()
    """Sentences for the user."""
