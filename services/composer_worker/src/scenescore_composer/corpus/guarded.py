"""Parsing MIDI files that nobody vouches for, in a child process: `python -m` this module is the child."""

import base64
from collections.abc import Sequence
from typing import Any, Self

from scenescore_composer import midi
from scenescore_composer.corpus.child import Child, ChildFailedError, serve
from scenescore_composer.score import Bar, Note, Piece
from scenescore_shared.errors import InvalidMidiError

MAX_BYTES = 4 * 2**20
"""Longest file accepted: a symphony takes half a megabyte."""
SECONDS = 10.0
MEMORY_BYTES = 2**30


class GuardedParser:
    """`midi.read` in a child process with limits on the file's size, wall time and memory.

    The child is reused from file to file, and replaced after it crashed or took too long. Use it in a `with`
    statement or call `close`. `command` replaces how the child is started (see `child.Child`).
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        seconds: float = SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        command: Sequence[str] | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._child = Child(__name__, seconds=seconds, memory_bytes=memory_bytes, command=command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()

    def parse(self, data: bytes) -> Piece:
        """The file's music.

        Raises InvalidMidiError, with a reason, for a file that is too large, can't be parsed, or makes the
        child crash or exceed its limits.
        """
        if len(data) > self._max_bytes:
            raise InvalidMidiError(f"the MIDI file is larger than {self._max_bytes} bytes")
        try:
            return piece_from_json(self._child.ask(base64.b64encode(data).decode()))
        except ChildFailedError as error:
            raise InvalidMidiError(f"parsing the MIDI file failed: {error}") from error


def piece_to_json(piece: Piece) -> dict[str, Any]:
    return {
        "bars": [[bar.numerator, bar.denominator, bar.bpm] for bar in piece.bars],
        "notes": [[note.onset, note.pitch, note.duration, note.velocity] for note in piece.notes],
    }


def piece_from_json(value: dict[str, Any]) -> Piece:
    return Piece(
        tuple(Bar(*bar) for bar in value["bars"]),
        tuple(Note(*note) for note in value["notes"]),
    )


def _answer(request: str) -> dict[str, Any]:
    return piece_to_json(midi.read(base64.b64decode(request)))


if __name__ == "__main__":
    serve(_answer, expected=(InvalidMidiError,))
