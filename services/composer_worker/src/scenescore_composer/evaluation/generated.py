"""The folder of generated pieces that the evaluation reads.

    FOLDER/happy/SEED.mid           pieces asked for with one emotion alone, a folder for each
    FOLDER/mix-happy-sad-0.25/…     pieces asked for with a quarter of the first emotion, the rest of the second
    FOLDER/happy/SEED.json          optional: {"clips": [ids of the drawn clips]}
    FOLDER/clips/ID.mid             optional: those clips, for novelty

The ends of a mix's five steps may have folders of their own (`mix-happy-sad-0`, `-1`); else the emotions' are taken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenescore_composer.corpus.labelled_files import MIDI_SUFFIXES
from scenescore_composer.recordings.reading import GuardedReader
from scenescore_composer.recordings.recording import Recording
from scenescore_shared.errors import InvalidMidiError, InvalidRequestError

CLIPS_FOLDER = "clips"
_MIX = "mix"


@dataclass(frozen=True, slots=True)
class GeneratedPiece:
    name: str
    """The file's path in the folder."""
    music: Recording
    drawn: tuple[str, ...] | None
    """Ids of the clips that it was learnt from; None where nobody says."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A step of a mix between two emotions."""

    first: str
    second: str
    share: float
    """Of the first emotion, 0-1."""


@dataclass(frozen=True, slots=True)
class GeneratedSet:
    name: str
    pieces: Mapping[str, Sequence[GeneratedPiece]]
    """By the emotion asked for."""
    mixtures: Mapping[Mixture, Sequence[GeneratedPiece]]
    clips: Mapping[str, Recording]
    """Drawn clips by id, those that the folder holds."""
    unreadable: tuple[str, ...]
    """What could not be read, and why."""

    @property
    def everything(self) -> list[GeneratedPiece]:
        """Pieces of single emotions and of mixes."""
        groups = (*self.pieces.values(), *self.mixtures.values())
        return [piece for group in groups for piece in group]


def read_generated(name: str, folder: Path, emotions: Sequence[str], reader: GuardedReader) -> GeneratedSet:
    """Raises InvalidRequestError where the folder has no piece of any of the emotions."""
    unreadable: list[str] = []

    def pieces(place: Path) -> list[GeneratedPiece]:
        found = []
        for path in _midi_files(place):
            try:
                music = reader.read(path)
            except InvalidMidiError as error:
                unreadable.append(f"{path.relative_to(folder)}: {error.message}")
                continue
            found.append(GeneratedPiece(str(path.relative_to(folder)), music, _drawn(path)))
        return found

    asked = {emotion: pieces(folder / emotion) for emotion in emotions}
    if not any(asked.values()):
        raise InvalidRequestError(
            f"{folder} has no pieces: expected {', '.join(f'{e}/*.mid' for e in emotions)}."
        )
    places = {
        mixture: place for place in sorted(folder.glob(f"{_MIX}-*")) if (mixture := _mixture(place.name))
    }
    mixtures = {mixture: pieces(place) for mixture, place in places.items()}
    clips = {Path(piece.name).stem: piece.music for piece in pieces(folder / CLIPS_FOLDER)}
    return GeneratedSet(name, asked, mixtures, clips, tuple(unreadable))


def _midi_files(folder: Path) -> list[Path]:
    files = [path for path in folder.glob("*") if path.suffix.lower() in MIDI_SUFFIXES]
    return sorted(files, key=lambda path: (len(path.stem), path.stem))  # 2 before 10


def _mixture(name: str) -> Mixture | None:
    kind, _, rest = name.partition("-")
    names, _, share = rest.rpartition("-")
    first, _, second = names.partition("-")
    try:
        number = float(share)
    except ValueError:
        return None
    usable = kind == _MIX and first and second and 0 <= number <= 1
    return Mixture(first, second, number) if usable else None


def _drawn(path: Path) -> tuple[str, ...] | None:
    try:
        clips = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["clips"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return tuple(str(clip) for clip in clips) if isinstance(clips, list) else None
