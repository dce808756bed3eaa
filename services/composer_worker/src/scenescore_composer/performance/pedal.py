"""The sustain pedal of a piano: down after each new harmony, up before the next. Pure.

Pianists change it with the harmony, just after the beat, so that no sound is left of the one before (J. Banowetz, "The
Pianist's Guide to Pedaling", 1985). Legato music is pedalled through; detached music (P. N. Juslin, 2000: happy
performances are the driest) on the first part of a span only, and staccato not at all.
"""

from collections.abc import Iterator
from itertools import pairwise

from scenescore_composer.character import Character
from scenescore_composer.performance.touch import FINE_TICKS_PER_QUARTER
from scenescore_composer.score import TICKS_PER_QUARTER, Piece

PIANOS = range(6)
"""General MIDI programs that have such a pedal and hammers: grand and electric pianos."""
_FINE = FINE_TICKS_PER_QUARTER // TICKS_PER_QUARTER
_LONG_BAR = 4 * TICKS_PER_QUARTER
"""Bars of that length hold two harmonies, shorter ones one."""
_AFTER_THE_BEAT = FINE_TICKS_PER_QUARTER // 8
_DRY = 0.85
"""The articulation at which the pedal stays up."""

Press = tuple[int, int]
"""Fine ticks at which the pedal goes down and comes up."""


def pedalled(piece: Piece, character: Character, pedalling: float = 1.0) -> list[Press]:
    """When the pedal is held, in order; never beyond the last note's end. `piece` has a note.

    `pedalling` is how much of each span that the character allows it is held, 0-1.
    """
    share = pedalling * min(1.0, max(0.0, (character.articulation - _DRY) / (1 - _DRY)))
    last = max(note.end for note in piece.notes) * _FINE
    presses = (
        (start * _FINE + _AFTER_THE_BEAT, min(last, round((start + share * (end - start)) * _FINE)))
        for start, end in _harmonies(piece)
    )
    return [(down, up) for down, up in presses if up > down]


def _harmonies(piece: Piece) -> Iterator[tuple[int, int]]:
    """Ticks from which to which a harmony may be thought to last: a bar, of long ones half."""
    for start, end in pairwise(piece.bar_starts):
        if end - start >= _LONG_BAR and (end - start) % 2 == 0:
            middle = (start + end) // 2
            yield start, middle
            yield middle, end
        else:
            yield start, end
