"""From sounding notes to what a player reads: staves, voices, chords, note values and ties. Pure.

`score.TICKS_PER_QUARTER` is 12 ticks: a semiquaver is 3 and a quaver of a triplet 4.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from scenescore_composer.score import TICKS_PER_QUARTER, Note, Piece, tidy

MIDDLE_C = 60
MAX_VOICES = 4
"""On a staff: more can't be told apart."""

_STRAIGHT, _TRIPLET = 3, 4
"""Ticks of the finest value within a beat: a semiquaver, or a quaver of a triplet."""

_DOTTED_QUARTER = 18
VALUES: dict[int, tuple[str, int]] = {
    48: ("whole", 0),
    36: ("half", 1),
    24: ("half", 0),
    18: ("quarter", 1),
    12: ("quarter", 0),
    9: ("eighth", 1),
    6: ("eighth", 0),
    3: ("16th", 0),
}
"""Ticks: name in MusicXML and number of dots."""
TRIPLET_VALUES: dict[int, tuple[str, int]] = {8: ("quarter", 0), 4: ("eighth", 0)}
"""The same within a beat that is divided in three."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A note, a chord or (without pitches) a rest, as it is written within a bar."""

    onset: int
    """Ticks from the bar's beginning."""
    ticks: int
    pitches: tuple[int, ...]
    velocity: int
    tied_before: bool
    tied_after: bool
    triplet: bool


@dataclass(frozen=True, slots=True)
class _Chord:
    """Notes that start and end together. Ticks from the piece's beginning."""

    onset: int
    end: int
    pitches: tuple[int, ...]
    velocity: int


@dataclass(frozen=True, slots=True)
class _Beats:
    """The beats of a piece, a crotchet each, or what is left of a bar: where each starts and how it is divided."""

    starts: tuple[int, ...]
    triplet: tuple[bool, ...]
    end: int

    def at(self, tick: int) -> int:
        return bisect_right(self.starts, tick) - 1

    def end_of(self, beat: int) -> int:
        return self.starts[beat + 1] if beat + 1 < len(self.starts) else self.end

    def nearest(self, tick: int) -> int:
        """The nearest tick at which a value may begin or end."""
        beat = self.at(min(tick, self.end - 1))
        start, step = self.starts[beat], _TRIPLET if self.triplet[beat] else _STRAIGHT
        return min(self.end_of(beat), start + step * ((2 * (tick - start) + step) // (2 * step)))

    def step_after(self, tick: int) -> int:
        beat = self.at(min(tick, self.end - 1))
        return tick + (_TRIPLET if self.triplet[beat] else _STRAIGHT)


def bars_of(piece: Piece, *, upper: bool) -> list[list[list[Symbol]]]:
    """One staff: for each bar its voices, the first of which is never empty and fills the bar.

    The upper staff has the notes from middle C on, the other those below. Notes are brought to the nearest
    semiquaver, or to thirds of a beat where most of a beat's notes lie there.
    """
    beats = _beats_of(piece)
    notes = _on_beats((note for note in piece.notes if (note.pitch >= MIDDLE_C) is upper), beats)
    voices = _voices(_chords(notes))
    bars = []
    for start, end in zip(piece.bar_starts[:-1], piece.bar_starts[1:], strict=True):
        written = [list(_written(voice, start, end, beats)) for voice in voices]
        first = written[0] if written else []
        others = [symbols for symbols in written[1:] if any(symbol.pitches for symbol in symbols)]
        bars.append([first or list(_written([], start, end, beats)), *others])
    return bars


def _beats_of(piece: Piece) -> _Beats:
    starts = tuple(
        beat
        for start, end in zip(piece.bar_starts[:-1], piece.bar_starts[1:], strict=True)
        for beat in range(start, end, TICKS_PER_QUARTER)
    )
    whole = _Beats(starts, (False,) * len(starts), piece.ticks)
    onsets: list[list[int]] = [[] for _ in starts]
    for note in piece.notes:
        beat = whole.at(note.onset)
        onsets[beat].append(note.onset - starts[beat])
    triplet = tuple(
        whole.end_of(beat) - start == TICKS_PER_QUARTER
        and _distance(onsets[beat], _TRIPLET) < _distance(onsets[beat], _STRAIGHT)
        for beat, start in enumerate(starts)
    )
    return replace(whole, triplet=triplet)


def _distance(onsets: Sequence[int], step: int) -> int:
    return sum(min(onset % step, -onset % step) for onset in onsets)


def _on_beats(notes: Iterable[Note], beats: _Beats) -> tuple[Note, ...]:
    moved = []
    for note in notes:
        onset = beats.nearest(note.onset)
        if onset >= beats.end:
            onset = beats.nearest(beats.end - TICKS_PER_QUARTER // 2)
        end = max(beats.nearest(note.end), min(beats.step_after(onset), beats.end))
        moved.append(Note(onset, note.pitch, end - onset, note.velocity))
    return tidy(moved, beats.end)


def _chords(notes: Iterable[Note]) -> list[_Chord]:
    """In order of onset; of chords that start together the longest first."""
    ordered = sorted(notes, key=lambda note: (note.onset, -note.end, note.pitch))
    chords = []
    for (onset, end), group in groupby(ordered, key=lambda note: (note.onset, note.end)):
        members = list(group)
        pitches = tuple(note.pitch for note in members)
        chords.append(_Chord(onset, end, pitches, max(note.velocity for note in members)))
    return chords


def _voices(chords: Sequence[_Chord]) -> list[list[_Chord]]:
    """The chords in as few voices as hold them, at most `MAX_VOICES`: then the chord held longest is cut short, or,
    where all begin at once, joins another.
    """
    voices: list[list[_Chord]] = []
    for chord in chords:
        free = next((voice for voice in voices if voice[-1].end <= chord.onset), None)
        if free is not None:
            free.append(chord)
        elif len(voices) < MAX_VOICES:
            voices.append([chord])
        else:
            held = min(voices, key=lambda voice: voice[-1].onset)
            last = held[-1]
            if last.onset < chord.onset:
                held[-1] = replace(last, end=chord.onset)
                held.append(chord)
            else:
                held[-1] = replace(last, pitches=tuple(sorted({*last.pitches, *chord.pitches})))
    return voices


def _written(voice: Sequence[_Chord], start: int, end: int, beats: _Beats) -> Iterator[Symbol]:
    """What of a voice sounds in a bar, and the rests between."""
    at = start
    for chord in voice:
        if chord.end <= start or chord.onset >= end:
            continue
        since, until = max(chord.onset, start), min(chord.end, end)
        yield from _symbols(None, at, since, start, beats)
        yield from _symbols(chord, since, until, start, beats)
        at = until
    yield from _symbols(None, at, end, start, beats)


def _symbols(chord: _Chord | None, since: int, until: int, bar: int, beats: _Beats) -> Iterator[Symbol]:
    """The values that fill a stretch of a bar, tied where they are a chord's."""
    at = since
    while at < until:
        ticks, triplet = _value(at, until, bar, beats, syncopated=chord is not None)
        yield Symbol(
            onset=at - bar,
            ticks=ticks,
            pitches=chord.pitches if chord else (),
            velocity=chord.velocity if chord else 0,
            tied_before=chord is not None and at > chord.onset,
            tied_after=chord is not None and at + ticks < chord.end,
            triplet=triplet,
        )
        at += ticks


def _value(at: int, until: int, bar: int, beats: _Beats, *, syncopated: bool) -> tuple[int, bool]:
    """Ticks of the longest readable value from `at`, and whether it is a triplet's.

    From a beat on it may be as long as whole beats last; off the beat it ends with the beat, but for the common
    syncopation of a crotchet on a half beat.
    """
    beat = beats.at(at)
    beat_start, beat_end = beats.starts[beat], beats.end_of(beat)
    left = until - at
    if beats.triplet[beat] and (at > beat_start or until < beat_end):
        room = min(until, beat_end) - at
        return max(ticks for ticks in TRIPLET_VALUES if ticks <= room), True
    if at == beat_start:
        straight_until = _straight_until(beat, until, beats)
        longest = max(ticks for ticks in VALUES if ticks <= min(left, straight_until - at))
        # whole and half values begin where they are expected: on the first beat, or on an even one
        even = (at - bar) % (2 * TICKS_PER_QUARTER) == 0
        return (longest if even or longest <= _DOTTED_QUARTER or syncopated else 12), False
    room = min(left, beat_end - at)
    half = at - beat_start == TICKS_PER_QUARTER // 2
    if syncopated and half and left >= TICKS_PER_QUARTER and _straight_until(beat, until, beats) >= at + 12:
        return TICKS_PER_QUARTER, False
    return max(ticks for ticks in VALUES if ticks <= room), False


def _straight_until(beat: int, until: int, beats: _Beats) -> int:
    """How far from a beat on a value may reach: a beat in three that is cut through must not be entered."""
    while beats.end_of(beat) < until:
        beat += 1
    if beats.triplet[beat] and until < beats.end_of(beat):
        return beats.starts[beat]
    return until
