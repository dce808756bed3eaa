"""Songs cut into sections that the base model learns from: labelled by rule, performed, in tokens."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from scenescore_composer.conditioning import Vectors, condition_of
from scenescore_composer.corpus.features import measure
from scenescore_composer.corpus.guarded import GuardedParser
from scenescore_composer.corpus.labels import mix
from scenescore_composer.performance.shaping import PHRASE_BARS, shaped
from scenescore_composer.score import Piece
from scenescore_composer.tokens import KINDS, Kind, encode
from scenescore_shared.errors import InvalidMidiError

MIDI_SUFFIXES = (".mid", ".midi")
SECTION_BARS = 8 * PHRASE_BARS
MIN_NOTES = 16
HELD_OUT_SHARE = 0.08

Tokens = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Section:
    song: str
    tokens: Tokens
    """[time], from BOS to the last bar's last token; EOS where the song ends."""
    bar_of: Tokens
    """[time], the bar that each token lies in, counted from 1; 0 for BOS."""
    vectors: Vectors
    """[bars + 1, WIDTH], see `conditioning`."""
    notes: int


@dataclass(frozen=True, slots=True)
class Unread:
    path: Path
    reason: str


def read_songs(folders: list[Path], processes: int) -> tuple[list[Section], list[Unread]]:
    """The sections of every MIDI file under `folders`, in the order of their paths, and what could not be read.

    Files are parsed in guarded child processes.
    """
    paths = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in MIDI_SUFFIXES
    )
    shares = [paths[start::processes] for start in range(processes)]
    found: dict[Path, list[Section] | Unread] = {}
    with ProcessPoolExecutor(processes) as pool, tqdm(total=len(paths), unit="song", disable=None) as bar:
        for read in pool.map(_read_share, shares):
            found.update(read)
            bar.update(len(read))
    outcomes = [found[path] for path in paths]
    sections = [section for outcome in outcomes if isinstance(outcome, list) for section in outcome]
    return sections, [outcome for outcome in outcomes if isinstance(outcome, Unread)]


def is_held_out(song: str) -> bool:
    """Whether a song is kept aside to measure by: by its name alone, so that a longer list moves no song."""
    digest = hashlib.sha256(song.encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 < HELD_OUT_SHARE


def sections_of(song: str, piece: Piece) -> Iterator[Section]:
    """Sections of `SECTION_BARS` bars, end to end, from the first bar with a note; those with few notes left out."""
    if not piece.notes:
        return
    opening = next(i for i in range(len(piece.bars)) if piece.bar_starts[i + 1] > piece.notes[0].onset)
    for first in range(opening, len(piece.bars), SECTION_BARS):
        end = min(first + SECTION_BARS, len(piece.bars))
        music = piece.part(first, end)
        if len(music.notes) >= MIN_NOTES:
            yield _section(song, music, opens=first == opening, closes=end == len(piece.bars))


def _section(song: str, music: Piece, *, opens: bool, closes: bool) -> Section:
    features = measure(music)
    emotions = mix(features)
    encoded = encode(shaped(music, emotions))
    tokens = np.array(encoded.tokens if closes else encoded.tokens[:-1], dtype=np.int16)
    bar_of = np.cumsum([KINDS[token] is Kind.METRE for token in tokens]).astype(np.int16)
    condition = condition_of(features.as_dict(), emotions)
    vectors = condition.vectors(len(music.bars), opens=opens, closes=closes)
    return Section(song, tokens, bar_of, vectors, len(music.notes))


def _read_share(paths: list[Path]) -> dict[Path, list[Section] | Unread]:
    found: dict[Path, list[Section] | Unread] = {}
    with GuardedParser() as parser:
        for path in paths:
            try:
                piece = parser.parse(path.read_bytes())
            except (InvalidMidiError, OSError) as error:
                found[path] = Unread(path, str(error))
                continue
            found[path] = list(sections_of(path.stem, piece))
    return found
