"""Pieces as sequences of integers, in the manner of REMI.

Y.-S. Huang and Y.-H. Yang, "Pop Music Transformer" (2020): bar, position in the bar, pitch, duration, velocity
and tempo are events of their own. Here a bar's token is its time signature; tempo and velocity are said only
where they change, notes at one position come from the lowest to the highest. So a piece has exactly one
spelling: `grammar` says which sequences are spellings.

    BOS  METRE TEMPO  [POSITION [VELOCITY] PITCH DURATION  PITCH DURATION …] …  METRE …  EOS

Pitches are those of the music brought to C major or A minor.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

from scenescore_composer import keys
from scenescore_composer.score import (
    COMMON_TIME,
    MAX_PITCH,
    METRES,
    TICKS_PER_QUARTER,
    Bar,
    Note,
    Piece,
    tidy,
    transposed,
)

TOKENS_VERSION = "1"
"""Changes whenever the same music would be written in other tokens."""

TEMPOS: tuple[int, ...] = tuple(round(30 * 1.06**step) for step in range(37))
"""Quarters a minute, 30 to 244 in steps of 6 %, which listeners can hardly tell apart."""
VELOCITIES: tuple[int, ...] = tuple(range(8, 128, 16))
DURATIONS: tuple[int, ...] = (
    *range(1, 13),
    *(15, 16, 18, 20, 21, 24, 27, 28, 30, 32, 33, 36, 42, 45, 48, 54, 60, 66, 72, 84, 96),
)
"""Ticks: all up to a quarter, then those that notes and short ties have, up to two semibreves."""


class Kind(Enum):
    BOS = "bos"
    EOS = "eos"
    METRE = "metre"
    TEMPO = "tempo"
    POSITION = "position"
    VELOCITY = "velocity"
    PITCH = "pitch"
    DURATION = "duration"


SIZES: dict[Kind, int] = {
    Kind.BOS: 1,
    Kind.EOS: 1,
    Kind.METRE: len(METRES),
    Kind.TEMPO: len(TEMPOS),
    Kind.POSITION: max(numerator * TICKS_PER_QUARTER * 4 // denominator for numerator, denominator in METRES),
    Kind.VELOCITY: len(VELOCITIES),
    Kind.PITCH: MAX_PITCH + 1,
    Kind.DURATION: len(DURATIONS),
}
STARTS: dict[Kind, int] = {kind: sum(list(SIZES.values())[:place]) for place, kind in enumerate(SIZES)}
VOCABULARY_SIZE = sum(SIZES.values())
KINDS: tuple[Kind, ...] = tuple(kind for kind, size in SIZES.items() for _ in range(size))
BOS, EOS = STARTS[Kind.BOS], STARTS[Kind.EOS]


def token(kind: Kind, index: int) -> int:
    """The token of this kind with this index: of a pitch itself, a position in ticks, else a place in the table."""
    return STARTS[kind] + index


def index_of(token: int) -> int:
    """The token's index within its kind."""
    return token - STARTS[KINDS[token]]


@dataclass(frozen=True, slots=True)
class Encoded:
    tokens: tuple[int, ...]
    transposition: int
    """Semitones that the music was moved by, -6 to 5: `decode` takes it to move it back."""


def encode(piece: Piece) -> Encoded:
    """The piece in tokens. What does not lie on the bins is brought to them, as by `quantised`."""
    transposition = keys.estimate(piece.notes).key.to_normal
    normal = quantised(transposed(piece, transposition))
    written = [BOS]
    tempo = velocity = -1
    notes = list(reversed(normal.notes))
    for start, bar in zip(normal.bar_starts, normal.bars, strict=False):
        written.append(token(Kind.METRE, METRES.index((bar.numerator, bar.denominator))))
        if TEMPOS.index(bar.bpm) != tempo:
            tempo = TEMPOS.index(bar.bpm)
            written.append(token(Kind.TEMPO, tempo))
        position = -1
        while notes and notes[-1].onset < start + bar.ticks:
            note = notes.pop()
            if note.onset - start != position:
                position = note.onset - start
                written.append(token(Kind.POSITION, position))
            if VELOCITIES.index(note.velocity) != velocity:
                velocity = VELOCITIES.index(note.velocity)
                written.append(token(Kind.VELOCITY, velocity))
            written.append(token(Kind.PITCH, note.pitch))
            written.append(token(Kind.DURATION, DURATIONS.index(note.duration)))
    return Encoded((*written, EOS), transposition)


def decode(tokens: Sequence[int], transposition: int = 0) -> Piece:
    """The piece that the tokens spell, moved back by `transposition`.

    The tokens are legal by `grammar`; a missing EOS is forgiven, and notes are then cut at the last bar's end.
    """
    bars: list[Bar] = []
    notes: list[Note] = []
    start = position = pitch = velocity = 0
    for token_ in tokens:
        kind, index = KINDS[token_], index_of(token_)
        if kind is Kind.METRE:
            start += bars[-1].ticks if bars else 0
            bars.append(Bar(*METRES[index], bars[-1].bpm if bars else TEMPOS[0]))
        elif kind is Kind.TEMPO:
            bars[-1] = Bar(bars[-1].numerator, bars[-1].denominator, TEMPOS[index])
        elif kind is Kind.POSITION:
            position = index
        elif kind is Kind.VELOCITY:
            velocity = VELOCITIES[index]
        elif kind is Kind.PITCH:
            pitch = index
        elif kind is Kind.DURATION:
            notes.append(Note(start + position, pitch, DURATIONS[index], velocity))
    end = sum(bar.ticks for bar in bars)
    return transposed(Piece(tuple(bars), tidy(notes, end)), -transposition)


def quantised(piece: Piece) -> Piece:
    """The nearest piece that tokens can spell: tempos and velocities to the nearest bin, durations downwards.

    Time signatures that aren't in `METRES` are read as 4/4, over the same notes.
    """
    known = all((bar.numerator, bar.denominator) in METRES for bar in piece.bars)
    bars = tuple(
        Bar(bar.numerator, bar.denominator, _nearest(TEMPOS, bar.bpm))
        for bar in (piece.bars if known else _in_common_time(piece))
    )
    notes = (
        Note(
            n.onset,
            n.pitch,
            DURATIONS[bisect_right(DURATIONS, n.duration) - 1],
            _nearest(VELOCITIES, n.velocity),
        )
        for n in piece.notes
    )
    return Piece(bars, tuple(notes))


def _in_common_time(piece: Piece) -> tuple[Bar, ...]:
    length = COMMON_TIME[0] * TICKS_PER_QUARTER
    return (Bar(*COMMON_TIME, piece.bars[0].bpm),) * -(-piece.ticks // length)


@cache
def _nearest(bins: tuple[int, ...], value: int) -> int:
    return min(bins, key=lambda candidate: (abs(candidate - value), candidate))
