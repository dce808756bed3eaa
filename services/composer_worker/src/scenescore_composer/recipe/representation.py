"""How the thesis writes music: pitches half a crotchet apart, all of one length and loudness. Pure."""

from collections.abc import Sequence

from scenescore_composer.recordings.recording import Recording
from scenescore_composer.score import COMMON_TIME, TICKS_PER_QUARTER, Bar, Note, Piece

HALF_CROTCHET = TICKS_PER_QUARTER // 2
BPM = 120
VELOCITY = 64


def first_part(music: Recording) -> list[int]:
    """The pitches of the file's first part that has notes, by onset, chords from the lowest note up."""
    return [int(pitch) for pitch in music.pitches[music.parts == music.parts.min()]]


def spaced(pitches: Sequence[int]) -> Piece:
    """The pitches one by one, half a crotchet apart at 120 a minute."""
    bar = Bar(*COMMON_TIME, BPM)
    notes = tuple(
        Note(place * HALF_CROTCHET, pitch, HALF_CROTCHET, VELOCITY) for place, pitch in enumerate(pitches)
    )
    return Piece((bar,) * -(-len(notes) * HALF_CROTCHET // bar.ticks), notes)


def rewritten(music: Recording) -> Piece:
    """The same music as the thesis's representation keeps it."""
    return spaced(first_part(music))
