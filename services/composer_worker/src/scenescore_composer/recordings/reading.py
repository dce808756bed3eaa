"""Reading MIDI files as recordings, in a child process with limits: `python -m` this module is the child."""

import base64
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Self

from miditoolkit import MidiFile

from scenescore_composer import midi
from scenescore_composer.corpus.child import Child, ChildFailedError, serve
from scenescore_composer.corpus.guarded import (
    MAX_BYTES,
    MEMORY_BYTES,
    SECONDS,
    piece_from_json,
    piece_to_json,
)
from scenescore_composer.recordings.recording import Recording, TimedNote, recording
from scenescore_composer.score import MAX_VELOCITY
from scenescore_shared.errors import InvalidMidiError

_SECONDS_A_MINUTE = 60.0
_CLICK_SECONDS = 0.001


def timed_notes(file: MidiFile) -> list[TimedNote]:
    """The notes of a MIDI file in seconds, drums dropped, the sustain pedal honoured."""
    clock = _Clock(file)
    pitched = [part for part in file.instruments if not part.is_drum]
    return [
        TimedNote(
            onset=clock.seconds(note.start),
            pitch=note.pitch,
            # some files hold notes of no length: they sound as a click, so they count
            duration=max(_CLICK_SECONDS, clock.seconds(end) - clock.seconds(note.start)),
            velocity=min(note.velocity, MAX_VELOCITY),
            part=place,
        )
        for place, part in enumerate(pitched)
        for note, end in midi.sounding_notes(part)
    ]


class GuardedReader:
    """Recordings of MIDI files, parsed in a child process with limits on size, wall time and memory.

    The child is reused from file to file. Use it in a `with` statement or call `close`.
    """

    def __init__(self, *, seconds: float = SECONDS, command: Sequence[str] | None = None) -> None:
        self._child = Child(__name__, seconds=seconds, memory_bytes=MEMORY_BYTES, command=command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()

    def read(self, path: Path) -> Recording:
        """The file's music. Raises InvalidMidiError, with a reason, for whatever can't be used."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            raise InvalidMidiError(f"the file can't be read: {error}") from error
        if len(data) > MAX_BYTES:
            raise InvalidMidiError(f"the MIDI file is larger than {MAX_BYTES} bytes")
        try:
            answer = self._child.ask(base64.b64encode(data).decode())
        except ChildFailedError as error:
            raise InvalidMidiError(f"parsing the MIDI file failed: {error}") from error
        return recording((TimedNote(*note) for note in answer["notes"]), piece_from_json(answer["piece"]))


class _Clock:
    """When each tick of a file sounds."""

    def __init__(self, file: MidiFile) -> None:
        marks = {change.time: float(change.tempo) for change in file.tempo_changes}
        ticks: list[int] = sorted(marks)
        slow: float = _SECONDS_A_MINUTE / file.ticks_per_beat
        self._ticks = ticks
        self._tick_seconds = [slow / marks[tick] for tick in ticks]
        self._starts = [
            0.0,
            *accumulate(
                (until - since) * each
                for (since, until), each in zip(pairwise(ticks), self._tick_seconds, strict=False)
            ),
        ]

    def seconds(self, tick: int) -> float:
        place = bisect_right(self._ticks, tick) - 1
        since: int = tick - self._ticks[place]
        return self._starts[place] + since * self._tick_seconds[place]


def _answer(request: str) -> dict[str, Any]:
    file = midi.opened(base64.b64decode(request))
    piece = midi.piece_of(file)  # first: it refuses what is too long or empty
    notes = [[note.onset, note.pitch, note.duration, note.velocity, note.part] for note in timed_notes(file)]
    return {"notes": notes, "piece": piece_to_json(piece)}


if __name__ == "__main__":
    serve(_answer, expected=(InvalidMidiError,))
