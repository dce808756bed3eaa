"""How each note is played: which voice leads, how long it sounds, and when, to the millisecond. Pure.

The melody is louder and a little early (W. Goebl, "Melody lead in piano performance", 2001); downbeats are stressed;
notes are as detached as the emotion asks (Juslin 2000; Bresin and Friberg 2011); a phrase slows into its end (N. Todd,
"A model of expressive timing in tonal music", 1985), more so in sad and calm music; timing wavers as pulses do (D.
Gilden, T. Thornton and M. Mallon, "1/f noise in human cognition", 1995). The bars stay where the tempo puts them, so
that a piece lasts as long as it was asked to.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from scenescore_composer.character import Character
from scenescore_composer.performance.shaping import PHRASE_BARS
from scenescore_composer.score import MAX_VELOCITY, TICKS_PER_QUARTER, Note, Piece

FINE_TICKS_PER_QUARTER = 480
_FINE = FINE_TICKS_PER_QUARTER // TICKS_PER_QUARTER
_MELODY, _ACCOMPANIMENT, _STRESS = 7.0, -6.0, 4.0
"""Added to MIDI velocities."""
_LEAD_SECONDS = 0.012
_WAVER_SECONDS = 0.008
_DETACHED_TICKS = TICKS_PER_QUARTER // 2
"""A quaver: longer notes lose no more of their length than one does, as what is held is not played short."""
_WAVER_KEPT = 0.7
"""Share of a wavering that the next onset takes over."""
_DELAY_SECONDS = 0.06
"""Of a phrase's last beats, in music as slow as sad music is."""
_SLOW_BPM = 56.0


@dataclass(frozen=True, slots=True, order=True)
class PlayedNote:
    onset: int
    """Fine ticks, `FINE_TICKS_PER_QUARTER` to a quarter, ≥ 0."""
    pitch: int
    end: int
    """Fine ticks, > onset."""
    velocity: int
    """1-127."""


def played(piece: Piece, character: Character, seed: int) -> list[PlayedNote]:
    """The piece's notes, one for one in their order, as a performer of that character plays them.

    The same arguments give the same notes. No pitch sounds twice at once, and the last ones end as written.
    """
    shifts = _Shifts(piece, character, seed)
    level = character.loudness - _mean_velocity(piece)
    tops = _tops(piece)
    downbeats = frozenset(piece.bar_starts)
    last = max((note.end for note in piece.notes), default=0)
    notes: list[PlayedNote] = []
    for note in piece.notes:
        leads = note.pitch == tops[note.onset]
        onset = note.onset * _FINE + shifts.of(note.onset, leads=leads)
        velocity = note.velocity + level + (_MELODY if leads else _ACCOMPANIMENT)
        velocity += _STRESS if note.onset in downbeats else 0.0
        notes.append(
            PlayedNote(
                onset=onset,
                pitch=note.pitch,
                end=_end(note, onset, last, character.articulation),
                velocity=round(min(max(velocity, 1), MAX_VELOCITY)),
            )
        )
    return _apart(notes)


def _end(note: Note, onset: int, last: int, articulation: float) -> int:
    """When a note that starts at the fine tick `onset` ends; what is held to the `last` tick is not cut short."""
    if note.end >= last:
        return last * _FINE
    gap = (1 - articulation) * min(note.duration, _DETACHED_TICKS)
    return min(onset + max(_FINE, round((note.duration - gap) * _FINE)), last * _FINE)


def _mean_velocity(piece: Piece) -> float:
    return sum(note.velocity for note in piece.notes) / max(1, len(piece.notes))


def _tops(piece: Piece) -> dict[int, int]:
    """The highest pitch that starts at each onset."""
    tops: dict[int, int] = {}
    for note in piece.notes:
        tops[note.onset] = max(note.pitch, tops.get(note.onset, 0))
    return tops


class _Shifts:
    """How many fine ticks each onset comes late, or early: at most a quarter of the way to the next one, either way."""

    def __init__(self, piece: Piece, character: Character, seed: int) -> None:
        chance = random.Random(f"{seed}/timing")
        slowness = min(1.0, _SLOW_BPM / character.tempo_bpm)
        self._second = piece.bars[0].bpm / 60 * FINE_TICKS_PER_QUARTER
        onsets = sorted({note.onset for note in piece.notes})
        wavering = 0.0
        self._late: dict[int, tuple[float, float, float]] = {}
        for before, onset, after in zip([0, *onsets], onsets, [*onsets[1:], piece.ticks], strict=False):
            wavering = _WAVER_KEPT * wavering + math.sqrt(1 - _WAVER_KEPT**2) * chance.gauss(
                0, _WAVER_SECONDS
            )
            seconds = wavering + _DELAY_SECONDS * slowness * _phrase_end(piece, onset)
            self._late[onset] = (
                seconds * self._second,
                (onset - before) * _FINE / 4,
                (after - onset) * _FINE / 4,
            )

    def of(self, onset: int, *, leads: bool) -> int:
        late, room_before, room_after = self._late[onset]
        lead = _LEAD_SECONDS * self._second if leads else 0.0
        return round(min(max(late - lead, -room_before), room_after))


def _phrase_end(piece: Piece, onset: int) -> float:
    """0 until a phrase's last bar, rising to 1 at its end."""
    starts = piece.bar_starts
    phrases = [*range(0, len(piece.bars), PHRASE_BARS), len(piece.bars)]
    end = next(starts[bar] for bar in phrases if starts[bar] > onset)
    last_bar = next(start for start in reversed(starts) if start < end)
    way: float = max(0.0, (onset - last_bar) / (end - last_bar))
    return way * way


def _apart(notes: Sequence[PlayedNote]) -> list[PlayedNote]:
    """Ends no later than the same pitch starts again, and at least one tick long."""
    again: dict[int, int] = {}
    kept: list[PlayedNote] = []
    for note in reversed(notes):
        end = max(note.onset + 1, min(note.end, again.get(note.pitch, note.end)))
        kept.append(PlayedNote(note.onset, note.pitch, end, note.velocity))
        again[note.pitch] = note.onset
    return kept[::-1]
