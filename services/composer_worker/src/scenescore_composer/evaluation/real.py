"""What generated pieces are held against: clips that people labelled, and sets of music that people made."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scenescore_composer.corpus.labelled_files import MIDI_SUFFIXES, TABLE, labelled_files
from scenescore_composer.evaluation.judges import LabelledRecording
from scenescore_composer.recordings.reading import GuardedReader
from scenescore_composer.recordings.recording import Recording, middle
from scenescore_shared.errors import InvalidMidiError, InvalidRequestError


@dataclass(frozen=True, slots=True)
class NearSet:
    """Music that people made, in excerpts as long as the generated pieces."""

    name: str
    music: Sequence[Recording]
    unreadable: tuple[str, ...]


def read_labelled(
    folder: Path, emotions: Sequence[str], reader: GuardedReader
) -> tuple[list[LabelledRecording], list[str]]:
    """The labelled clips of these emotions, and what could not be read.

    Raises InvalidRequestError where an emotion has no clip.
    """
    files = [file for file in labelled_files(folder) if file.emotion in emotions]
    clips, unreadable = [], []
    for file in tqdm(files, desc=f"Reading {folder.name}", unit="clip", disable=None):
        try:
            clips.append(LabelledRecording(reader.read(file.path), file.emotion, file.song))
        except InvalidMidiError as error:
            unreadable.append(f"{file.source}: {error.message}")
    lacking = [emotion for emotion in emotions if all(clip.emotion != emotion for clip in clips)]
    if lacking:
        raise InvalidRequestError(
            f"{folder} has no clip that is {' or '.join(lacking)}: judges need some of each."
        )
    return clips, unreadable


def read_near(
    place: Path, emotions: Sequence[str], reader: GuardedReader, *, seconds: float, most: int, seed: int
) -> NearSet:
    """The middle `seconds` of at most `most` pieces, drawn at random.

    `place` is a folder, of whose pieces those with a label of other emotions are left out, or a text file that names
    MIDI files, one a line, from its own folder: so that pieces which nothing was trained on can be named.
    Raises InvalidRequestError where there are none.
    """
    paths = _paths(place, emotions)
    if not paths:
        raise InvalidRequestError(
            f"{place} has no MIDI files: give a folder of them, or a text file that names some."
        )
    if len(paths) > most:
        paths = sorted(random.Random(seed).sample(paths, most))
    music, unreadable = [], []
    for path in tqdm(paths, desc=f"Reading {place.stem}", unit="piece", disable=None):
        try:
            music.append(middle(reader.read(path), seconds))
        except InvalidMidiError as error:
            unreadable.append(f"{path.name}: {error.message}")
    return NearSet(place.stem, music, tuple(unreadable))


def _paths(place: Path, emotions: Sequence[str]) -> list[Path]:
    if place.is_file():
        try:
            lines = place.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequestError(f"{place} can't be read as a list of files: {error}") from error
        return [place.parent / line.strip() for line in lines if line.strip()]
    try:
        files = labelled_files(place)
    except InvalidRequestError:
        files = []  # without emotions: every piece counts
    if files and (place / TABLE).is_file():
        return [file.path for file in files if file.emotion in emotions]
    return sorted(path for path in place.rglob("*") if path.suffix.lower() in MIDI_SUFFIXES)
