"""Written music on one integer grid: bars, and notes in them. Everything between MIDI files and tokens is a `Piece`."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

TICKS_PER_QUARTER = 12
"""The grid holds semiquavers (3 ticks), demisemiquavers' pairs and triplets (4 ticks, 2 ticks)."""
MIN_BPM, MAX_BPM = 10, 400
MAX_PITCH = MAX_VELOCITY = 127
METRES: tuple[tuple[int, int], ...] = (
    *((2, 4), (3, 4), (4, 4), (5, 4), (6, 4)),
    *((2, 2), (3, 2), (4, 2)),
    *((3, 8), (5, 8), (6, 8), (7, 8), (9, 8), (12, 8)),
)
"""The time signatures that the composer knows, numerator and denominator."""
COMMON_TIME = (4, 4)


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A sounding note. Orders by onset, then pitch."""

    onset: int
    """Ticks from the piece's beginning, ≥ 0."""
    pitch: int
    """MIDI pitch, 0-127, 60 = middle C."""
    duration: int
    """Ticks, ≥ 1."""
    velocity: int
    """1-127."""

    @property
    def end(self) -> int:
        return self.onset + self.duration


def _onset(note: Note) -> int:
    return note.onset


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar's time signature and tempo (quarters a minute): both hold for the whole bar."""

    numerator: int
    denominator: int
    bpm: int

    @property
    def ticks(self) -> int:
        return self.numerator * TICKS_PER_QUARTER * 4 // self.denominator

    @property
    def seconds(self) -> float:
        return self.ticks * 60 / (TICKS_PER_QUARTER * self.bpm)


@dataclass(frozen=True)
class Piece:
    """Bars and the notes in them, sorted. No two notes of one pitch overlap; all end within the bars.

    Raises ValueError when that does not hold: `tidy` makes notes hold to it.
    """

    bars: tuple[Bar, ...]
    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        for bar in self.bars:
            if not MIN_BPM <= bar.bpm <= MAX_BPM or bar.ticks < 1:
                raise ValueError(f"not a playable bar: {bar}")
        if list(self.notes) != sorted(self.notes):
            raise ValueError("notes must be sorted")
        sounds_until: dict[int, int] = {}
        for note in self.notes:
            if note.onset < 0 or note.duration < 1 or note.end > self.ticks:
                raise ValueError(f"outside the piece: {note}")
            if not (0 <= note.pitch <= MAX_PITCH and 1 <= note.velocity <= MAX_VELOCITY):
                raise ValueError(f"not a MIDI note: {note}")
            if sounds_until.get(note.pitch, 0) > note.onset:
                raise ValueError(f"starts while the same pitch still sounds: {note}")
            sounds_until[note.pitch] = note.end

    @cached_property
    def bar_starts(self) -> tuple[int, ...]:
        """Tick at which each bar starts, and where the piece ends: one more than there are bars."""
        return (0, *accumulate(bar.ticks for bar in self.bars))

    @property
    def ticks(self) -> int:
        return self.bar_starts[-1]

    @property
    def seconds(self) -> float:
        return sum(bar.seconds for bar in self.bars)

    def part(self, first_bar: int, end_bar: int) -> "Piece":
        """Bars `first_bar` to before `end_bar`; notes that cross an edge are cut there."""
        start, end = self.bar_starts[first_bar], self.bar_starts[end_bar]
        first, last = (bisect_left(self.notes, tick, key=_onset) for tick in (start, end))
        inside = (
            Note(max(n.onset, start) - start, n.pitch, min(n.end, end) - max(n.onset, start), n.velocity)
            for n in (*self._held_into(start), *self.notes[first:last])
        )
        return Piece(self.bars[first_bar:end_bar], tuple(sorted(inside)))

    @cached_property
    def _by_pitch(self) -> Mapping[int, Sequence[Note]]:
        found: dict[int, list[Note]] = {}
        for note in self.notes:
            found.setdefault(note.pitch, []).append(note)
        return found

    def _held_into(self, tick: int) -> Iterator[Note]:
        """The notes that start before a tick and end after it: of each pitch the last one before it, or none.

        To look at every note for every part would take minutes of a long piece.
        """
        for notes in self._by_pitch.values():
            before = bisect_left(notes, tick, key=_onset)
            if before and notes[before - 1].end > tick:
                yield notes[before - 1]


def tidy(notes: Iterable[Note], end: int) -> tuple[Note, ...]:
    """Notes as a `Piece` of `end` ticks wants them: sorted, cut at the end, no pitch overlapping itself.

    Of notes that start together on one pitch the longest stays; a note is cut where its pitch starts again.
    """
    longest: dict[tuple[int, int], Note] = {}
    for note in notes:
        key = (note.onset, note.pitch)
        if note.onset < end and (key not in longest or longest[key].duration < note.duration):
            longest[key] = note
    tidied: list[Note] = []
    next_onset: dict[int, int] = {}
    for note in sorted(longest.values(), reverse=True):
        until = min(note.end, next_onset.get(note.pitch, end), end)
        tidied.append(Note(note.onset, note.pitch, until - note.onset, note.velocity))
        next_onset[note.pitch] = note.onset
    return tuple(reversed(tidied))


def transposed(piece: Piece, semitones: int) -> Piece:
    """The piece moved by `semitones`; what would leave MIDI's range comes back by octaves."""
    moved = (Note(n.onset, _in_range(n.pitch + semitones), n.duration, n.velocity) for n in piece.notes)
    return Piece(piece.bars, tidy(moved, piece.ticks))


def _in_range(pitch: int) -> int:
    while pitch < 0:
        pitch += 12
    while pitch > MAX_PITCH:
        pitch -= 12
    return pitch
