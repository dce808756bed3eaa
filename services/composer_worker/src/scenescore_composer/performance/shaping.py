"""A flat score's tempo and loudness, bar by bar: what is learnt from and sampled. Pure.

Phrases swell and fall away in an arch (N. Todd, "The dynamics of dynamics", 1992, and the phrase-arch rule of the KTH
system: A. Friberg, R. Bresin and J. Sundberg, 2006), about a loudness that the emotion sets; the score's tempo is
taken faster or slower as performers do for an emotion (Juslin 2000).
"""

from collections.abc import Mapping
from dataclasses import replace

from scenescore_composer.character import character_of
from scenescore_composer.score import MAX_BPM, MAX_VELOCITY, MIN_BPM, Bar, Note, Piece

PHRASE_BARS = 4
_ARCH = (-0.5, 0.5, 0.5, -0.5)
_SWELL = 16.0
"""MIDI velocity between a phrase's ends and its middle."""
_MIDDLE_BPM = 92.0
_TEMPO_SHARE = 0.12
"""Of the way (in ratios) from a middling tempo to the emotion's, that a performer goes from the score's."""


def is_flat(piece: Piece) -> bool:
    """Whether nobody played it: every note is as loud as every other."""
    return len({note.velocity for note in piece.notes}) <= 1


def shaped(piece: Piece, mix: Mapping[str, float]) -> Piece:
    """The piece with the tempo and the loudness that a performer of these emotions would give it."""
    character = character_of(mix)
    factor = (character.tempo_bpm / _MIDDLE_BPM) ** _TEMPO_SHARE
    bars = tuple(
        Bar(bar.numerator, bar.denominator, round(min(MAX_BPM, max(MIN_BPM, bar.bpm * factor))))
        for bar in piece.bars
    )
    return Piece(bars, _loud(piece, character.loudness))


def _loud(piece: Piece, mean: float) -> tuple[Note, ...]:
    notes: list[Note] = []
    bar = 0
    for note in piece.notes:
        while note.onset >= piece.bar_starts[bar + 1]:
            bar += 1
        velocity = round(mean + _SWELL * _ARCH[bar % PHRASE_BARS])
        notes.append(replace(note, velocity=min(max(velocity, 1), MAX_VELOCITY)))
    return tuple(notes)
