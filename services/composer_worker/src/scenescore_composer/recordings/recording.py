"""Music as it sounds: notes in seconds, exact to the file's ticks, beside the same music on the grid of beats. Pure.

`score.Piece` brings notes to a grid of beats, which is what music is composed on. Measures of a performance need the
times themselves: clips that were transcribed from recordings have a tempo mark that means nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scenescore_composer.score import Note, Piece

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOGETHER_SECONDS = 0.035
"""Notes that start within this of a strike's first note are heard as struck together: below it listeners don't
tell the order of onsets in a chord (W. Goebl, "Melody lead in piano performance", 2001, gives 30 ms)."""
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, order=True)
class TimedNote:
    """A note as it sounds. Orders by onset, then pitch."""

    onset: float
    """Seconds, ≥ 0."""
    pitch: int
    """0-127."""
    duration: float
    """Seconds, > 0, as long as the sustain pedal lets it sound."""
    velocity: int
    """1-127."""
    part: int = 0
    """Which of the file's parts, by place."""


@dataclass(frozen=True)
class Recording:
    """Notes in order of onset and pitch, as columns of one length n ≥ 1; and the piece that they are on the grid."""

    onsets: Floats
    """[n] seconds; the first is 0."""
    durations: Floats
    """[n] seconds, > 0; a note ends at the latest where its pitch starts again."""
    pitches: Ints
    """[n] 0-127."""
    velocities: Ints
    """[n] 1-127."""
    parts: Ints
    """[n] which of the file's parts, by place."""
    piece: Piece
    """The same music in bars and beats."""

    @cached_property
    def seconds(self) -> float:
        """From the first onset to the last end."""
        return float((self.onsets + self.durations).max())

    @cached_property
    def strikes(self) -> tuple[Ints, ...]:
        """Places of the notes struck together, strike by strike, each from its lowest note up."""
        starts = [0]
        for place, onset in enumerate(self.onsets):
            if onset - self.onsets[starts[-1]] > TOGETHER_SECONDS:
                starts.append(place)
        groups = np.split(np.arange(len(self.onsets)), starts[1:])
        return tuple(group[np.argsort(self.pitches[group], kind="stable")] for group in groups)

    @cached_property
    def strike_onsets(self) -> Floats:
        """[strikes] seconds."""
        return np.array([self.onsets[strike].min() for strike in self.strikes])

    @cached_property
    def melody(self) -> Ints:
        """[strikes] the highest pitch of each strike."""
        return np.array([self.pitches[strike[-1]] for strike in self.strikes])

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """The notes with times in milliseconds instead of ticks, for measures that only compare durations."""
        columns = (self.onsets, self.pitches, self.durations, self.velocities)
        return tuple(
            Note(round(onset * _MILLISECONDS), int(pitch), max(1, round(held * _MILLISECONDS)), int(velocity))
            for onset, pitch, held, velocity in zip(*columns, strict=True)
        )


def recording(notes: Iterable[TimedNote], piece: Piece) -> Recording:
    """The notes as a recording, moved so that the first starts at 0. At least one note."""
    ordered = _cut_where_repeated(sorted(notes, key=lambda note: (note.onset, note.pitch, -note.duration)))
    onsets = np.array([note.onset for note in ordered])
    return Recording(
        onsets=onsets - onsets[0],
        durations=np.array([note.duration for note in ordered]),
        pitches=np.array([note.pitch for note in ordered]),
        velocities=np.array([note.velocity for note in ordered]),
        parts=np.array([note.part for note in ordered]),
        piece=piece,
    )


def from_piece(piece: Piece) -> Recording:
    """How a piece with at least one note sounds: as if it were written to a file and read again."""
    starts = np.concatenate([[0.0], np.cumsum([bar.seconds for bar in piece.bars])])
    ticks = np.array([note.onset for note in piece.notes]), np.array([note.end for note in piece.notes])
    onsets, ends = (np.interp(each, piece.bar_starts, starts) for each in ticks)
    notes = (
        TimedNote(float(onset), note.pitch, float(end - onset), note.velocity)
        for note, onset, end in zip(piece.notes, onsets, ends, strict=True)
    )
    return recording(notes, piece)


def middle(music: Recording, seconds: float) -> Recording:
    """The middle `seconds` of longer music: notes that start there, cut at its end, and the bars that lie in it.

    All of it where it is not longer, or nothing starts in its middle.
    """
    start = (music.seconds - seconds) / 2
    inside = (music.onsets >= start) & (music.onsets < start + seconds)
    if start <= 0 or not inside.any():
        return music
    columns = (music.onsets, music.pitches, music.durations, music.velocities, music.parts)
    kept = (
        TimedNote(
            float(onset),
            int(pitch),
            float(min(held, start + seconds - onset)),
            int(velocity),
            int(part),
        )
        for onset, pitch, held, velocity, part in zip(*(column[inside] for column in columns), strict=True)
    )
    return recording(kept, _bars_between(music.piece, start, start + seconds))


def _bars_between(piece: Piece, start: float, end: float) -> Piece:
    """The bars that begin between these seconds from the first note, or else the whole piece."""
    begins = np.concatenate([[0.0], np.cumsum([bar.seconds for bar in piece.bars])])
    silence = piece.notes[0].onset / piece.ticks * piece.seconds if piece.notes else 0.0
    first, last = np.searchsorted(begins[:-1], [start + silence, end + silence])
    part = piece.part(int(first), int(last)) if last > first else piece
    return part if part.notes else piece


def _cut_where_repeated(ordered: Iterable[TimedNote]) -> list[TimedNote]:
    """Each pitch sounds once at a time: of two at one moment the first stays, an overlapped note ends."""
    apart = {(note.onset, note.pitch): note for note in reversed(list(ordered))}
    next_onset: dict[int, float] = {}
    cut: list[TimedNote] = []
    for note in sorted(apart.values(), reverse=True):
        held = min(note.duration, next_onset.get(note.pitch, float("inf")) - note.onset)
        cut.append(TimedNote(note.onset, note.pitch, held, note.velocity, note.part))
        next_onset[note.pitch] = note.onset
    return cut[::-1]
