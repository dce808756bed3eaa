"""MIDI files to pieces and back."""

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from miditoolkit import ControlChange, Instrument, MidiFile
from miditoolkit import KeySignature as MidiKeySignature
from miditoolkit import Note as MidiNote
from miditoolkit import TempoChange as MidiTempo
from miditoolkit import TimeSignature as MidiTimeSignature

from scenescore_composer.keys import Key
from scenescore_composer.performance.pedal import Press
from scenescore_composer.performance.touch import FINE_TICKS_PER_QUARTER, PlayedNote
from scenescore_composer.score import (
    COMMON_TIME,
    MAX_BPM,
    MAX_VELOCITY,
    METRES,
    MIN_BPM,
    TICKS_PER_QUARTER,
    Bar,
    Note,
    Piece,
    tidy,
)
from scenescore_shared.errors import InvalidMidiError

WRITTEN_TICKS_PER_QUARTER = FINE_TICKS_PER_QUARTER
MAX_BARS = 5_000
MAX_NOTES = 200_000
_SUSTAIN = 64  # the controller's number, and the value from which the pedal counts as down

Change = tuple[int, float]
"""From this tick of the grid on, this value."""


def opened(data: bytes) -> MidiFile:
    """The file as the library parses it. The warning of `read` holds here too. Raises InvalidMidiError."""
    try:
        file = MidiFile(file=io.BytesIO(data))
    except Exception as error:  # the library raises whatever it stumbles over
        raise InvalidMidiError(f"not a MIDI file that can be parsed ({type(error).__name__})") from error
    if file.ticks_per_beat < 1:
        raise InvalidMidiError("MIDI files timed in frames a second are not supported")
    return file


def read(data: bytes, *, pedal: bool = True) -> Piece:
    """The notes of a MIDI file on the grid, drums dropped.

    Notes are held as long as the sustain pedal is down; without `pedal` as long as the keys are, as they are written.

    A time signature takes effect at the next bar line; one that isn't in `METRES` is read as 4/4. A bar's
    tempo is its mean. Parses untrusted bytes with a library that may hang or eat memory on them: call it on
    users' files through `corpus.guarded` only.

    Raises InvalidMidiError when the file can't be parsed, holds no notes, or is longer than `MAX_BARS` bars.
    """
    return piece_of(opened(data), pedal=pedal)


def piece_of(file: MidiFile, *, pedal: bool = True) -> Piece:
    """As `read`, of a file that the library has parsed. Raises InvalidMidiError."""
    parts = [part for part in file.instruments if not part.is_drum]
    notes = [note for part in parts for note in _held_notes(part, file, pedal=pedal)]
    if not notes:
        raise InvalidMidiError("the MIDI file holds no notes")
    if len(notes) > MAX_NOTES:
        raise InvalidMidiError(f"the MIDI file holds more than {MAX_NOTES} notes")
    bars = _bars(file, end=max(note.end for note in notes))
    return Piece(bars, tidy(notes, sum(bar.ticks for bar in bars)))


def write(
    piece: Piece,
    *,
    key: Key | None = None,
    program: int = 0,
    played: Sequence[PlayedNote] | None = None,
    pedal: Sequence[Press] = (),
) -> bytes:
    """The piece as one track of a standard MIDI file, 480 ticks a quarter. The same piece gives the same bytes.

    `program` is the General MIDI instrument, 0-127. `played` are its notes as somebody plays them, in place of the
    written ones, and `pedal` says, in their ticks, when the sustain pedal is held. Empty bars at the end don't survive
    a round trip.
    """
    scale = WRITTEN_TICKS_PER_QUARTER // TICKS_PER_QUARTER
    file = MidiFile(ticks_per_beat=WRITTEN_TICKS_PER_QUARTER)
    for i, (tick, bar) in enumerate(zip(piece.bar_starts, piece.bars, strict=False)):
        before = piece.bars[i - 1] if i else None
        if before is None or before.bpm != bar.bpm:
            file.tempo_changes.append(MidiTempo(bar.bpm, tick * scale))
        if before is None or (before.numerator, before.denominator) != (bar.numerator, bar.denominator):
            signature = MidiTimeSignature(bar.numerator, bar.denominator, tick * scale)
            file.time_signature_changes.append(signature)
    if key is not None:
        file.key_signature_changes.append(MidiKeySignature(key.signature, 0))
    part = Instrument(program)
    written_notes = (PlayedNote(n.onset * scale, n.pitch, n.end * scale, n.velocity) for n in piece.notes)
    part.notes = [
        MidiNote(n.velocity, n.pitch, n.onset, n.end)
        for n in (written_notes if played is None else sorted(played))
    ]
    part.control_changes = [
        ControlChange(_SUSTAIN, value, tick)
        for press in pedal
        for value, tick in zip((MAX_VELOCITY, 0), press, strict=True)
    ]
    file.instruments.append(part)
    file.max_tick = piece.ticks * scale
    written = io.BytesIO()
    file.dump(file=written)
    return written.getvalue()


def sounding_notes(part: Instrument, *, pedal: bool = True) -> Iterator[tuple[MidiNote, int]]:
    """The part's audible notes, each with the file's tick at which it ends, the sustain pedal honoured or not."""
    releases = _pedal_releases(part) if pedal else []
    for note in part.notes:
        if note.velocity < 1:
            continue
        end = note.end
        down = bisect_right(releases, (end, float("inf"))) - 1
        if down >= 0 and releases[down][1] > end:
            end = int(releases[down][1])
        yield note, end


def _held_notes(part: Instrument, file: MidiFile, *, pedal: bool) -> list[Note]:
    held = []
    for note, end in sounding_notes(part, pedal=pedal):
        onset = _on_grid(note.start, file)
        duration = max(1, _on_grid(end, file) - onset)
        held.append(Note(onset, note.pitch, duration, min(note.velocity, MAX_VELOCITY)))
    return held


def _pedal_releases(part: Instrument) -> list[tuple[int, float]]:
    """When the sustain pedal goes down, and until when it stays: pairs of the file's ticks, in order."""
    moves = sorted((c.time, c.value >= _SUSTAIN) for c in part.control_changes if c.number == _SUSTAIN)
    holds = []
    pressed: int | None = None
    for tick, down in moves:
        if down and pressed is None:
            pressed = tick
        elif not down and pressed is not None:
            holds.append((pressed, float(tick)))
            pressed = None
    return holds


def _on_grid(tick: int, file: MidiFile) -> int:
    """The nearest tick of the grid; halves go up."""
    beat: int = file.ticks_per_beat
    return (2 * tick * TICKS_PER_QUARTER + beat) // (2 * beat)


def _bars(file: MidiFile, end: int) -> tuple[Bar, ...]:
    """Bars that reach from 0 to at least `end`."""
    metres = sorted(
        ((_on_grid(m.time, file), (m.numerator, m.denominator)) for m in file.time_signature_changes),
        key=lambda change: change[0],
    )
    tempos = _tempos(file)
    bars: list[Bar] = []
    start, metre, coming = 0, COMMON_TIME, 0
    while start < end:
        while coming < len(metres) and metres[coming][0] <= start:
            metre = metres[coming][1] if metres[coming][1] in METRES else COMMON_TIME
            coming += 1
        stop = start + metre[0] * TICKS_PER_QUARTER * 4 // metre[1]
        bars.append(Bar(*metre, _mean_bpm(tempos, start, stop)))
        start = stop
        if len(bars) > MAX_BARS:
            raise InvalidMidiError(f"the MIDI file is longer than {MAX_BARS} bars")
    return tuple(bars)


def _tempos(file: MidiFile) -> list[Change]:
    """The tempo's changes in order; the library puts the default of 120 where the file marks none at its start.

    Of several on one tick of the grid the last one counts.
    """
    in_time = sorted(file.tempo_changes, key=lambda change: change.time)
    return sorted({_on_grid(change.time, file): float(change.tempo) for change in in_time}.items())


def _mean_bpm(tempos: Sequence[Change], start: int, stop: int) -> int:
    """Beats a minute between two ticks: the ticks divided by how long they take."""
    first = bisect_right(tempos, (start, float("inf"))) - 1
    last = bisect_right(tempos, (stop - 1, float("inf")))
    edges = [start, *(tick for tick, _ in tempos[first + 1 : last]), stop]
    minutes = sum(
        (until - since) / max(bpm, MIN_BPM)
        for (since, until), (_, bpm) in zip(pairwise(edges), tempos[first:last], strict=True)
    )
    return round(min(MAX_BPM, max(MIN_BPM, (stop - start) / minutes)))
