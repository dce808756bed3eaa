"""Choosing among sampled candidates. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scenescore_composer.corpus.features import Features, measure
from scenescore_composer.score import Piece

MAX_SAME_PITCH = 0.4
MAX_REPEATED_BARS = 0.5
MAX_SILENCE = 0.2
MIN_PITCHES = 5


@dataclass(frozen=True, slots=True)
class Collapse:
    """How far a piece has fallen into the ways in which sampled music fails: shares of 0-1."""

    same_pitch: float
    """Notes on the commonest pitch."""
    repeated_bars: float
    """Bars that say just what an earlier bar said."""
    silence: float
    """Time at which nothing sounds."""
    pitches: int
    """Different pitches."""

    @property
    def is_collapsed(self) -> bool:
        return (
            self.same_pitch > MAX_SAME_PITCH
            or self.repeated_bars > MAX_REPEATED_BARS
            or self.silence > MAX_SILENCE
            or self.pitches < MIN_PITCHES
        )


def collapse(piece: Piece) -> Collapse:
    """Measures of a piece with at least one bar."""
    pitches = Counter(note.pitch for note in piece.notes)
    bars = Counter(piece.part(i, i + 1).notes for i in range(len(piece.bars)))
    return Collapse(
        same_pitch=max(pitches.values(), default=0) / max(1, len(piece.notes)),
        repeated_bars=1 - len(bars) / len(piece.bars),
        silence=measure(piece).silence,
        pitches=len(pitches),
    )


def best(candidates: Sequence[Piece], draw: Sequence[Features]) -> Piece:
    """The candidate most like the draw on average, among those that have not collapsed.

    Likeness: density, register, voices and mode, each difference over a step that listeners notice. When all
    have collapsed, the least repetitive one. Of equals, the first.
    """
    sound = [piece for piece in candidates if not collapse(piece).is_collapsed]
    if not sound:
        return min(candidates, key=lambda piece: (not piece.notes, *_badness(collapse(piece))))
    return min(sound, key=lambda piece: _distance(measure(piece), draw))


def _badness(found: Collapse) -> tuple[float, float]:
    return found.repeated_bars + found.same_pitch, found.silence


def _distance(piece: Features, draw: Sequence[Features]) -> float:
    return (
        abs(piece.notes_per_second / _mean([f.notes_per_second for f in draw]) - 1) / 0.2
        + abs(piece.pitch - _mean([f.pitch for f in draw])) / 3
        + abs(piece.polyphony - _mean([f.polyphony for f in draw])) / 0.5
        + abs(piece.major - _mean([f.major for f in draw])) / 0.1
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
