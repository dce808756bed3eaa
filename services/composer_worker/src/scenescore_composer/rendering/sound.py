"""Sound in a process of its own, under limits: `python -m` this module is the child.

The synthesiser and the encoders are native code that reads a file of somebody's choice: what goes wrong there ends the
child and costs a job its sound, not the worker.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from scenescore_composer.corpus.child import Child, ChildFailedError, serve
from scenescore_composer.midi import write
from scenescore_composer.rendering.encoding import encode
from scenescore_composer.rendering.loudness import normalised
from scenescore_composer.rendering.settings import Format
from scenescore_composer.rendering.soundfonts import NoSoundError, SoundFont
from scenescore_composer.rendering.synthesis import SAMPLE_RATE, Synthesiser, at_hand, play
from scenescore_composer.score import TICKS_PER_QUARTER, Bar, Note, Piece
from scenescore_shared.errors import InvalidMidiError
from scenescore_shared.logs import get_logger

_log = get_logger(__name__)

_SYNTHESIS_SHARE = 0.8
"""Of the time: what the child has started must be stopped by the child, which is killed at the end of all of it."""
_ONE_NOTE = Piece((Bar(4, 4, 240),), (Note(0, 60, TICKS_PER_QUARTER, 100),))


class SoundMaker:
    """Renders with one SoundFont. The child is reused from piece to piece; use it in a `with` or call `close`."""

    def __init__(
        self, soundfont: SoundFont, *, formats: Sequence[Format], seconds: float, memory_bytes: int
    ) -> None:
        self.soundfont = soundfont
        self.formats = tuple(formats)
        self._font = {"soundfont": str(soundfont.path), "seconds": seconds * _SYNTHESIS_SHARE}
        self._child = Child(__name__, seconds=seconds, memory_bytes=memory_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()

    def check(self) -> None:
        """Plays a note. Raises NoSoundError where that makes no sound."""
        self._ask(self._font)

    def render(self, midi: bytes) -> Mapping[Format, bytes]:
        """The music in each format. Raises NoSoundError."""
        with TemporaryDirectory(prefix="scenescore-sound-") as folder:
            files = {kind: Path(folder) / f"music.{kind}" for kind in self.formats}
            self._ask(
                {
                    **self._font,
                    "midi": base64.b64encode(midi).decode(),
                    "files": {kind: str(path) for kind, path in files.items()},
                }
            )
            return {kind: path.read_bytes() for kind, path in files.items()}

    def _ask(self, request: Mapping[str, Any]) -> None:
        try:
            self._child.ask(request)
        except ChildFailedError as error:
            _log.warning("no_sound", soundfont=self.soundfont.name, reason=str(error))
            raise NoSoundError(f"Making the sound failed: {error}.") from error


def _answer(request: Mapping[str, Any]) -> None:
    synthesiser = _synthesiser(request["soundfont"], request["seconds"])
    if "midi" not in request:
        play(synthesiser, write(_ONE_NOTE))
        return
    samples = normalised(play(synthesiser, base64.b64decode(request["midi"])), SAMPLE_RATE)
    for kind, path in request["files"].items():
        encode(samples, SAMPLE_RATE, kind, Path(path))


@cache
def _synthesiser(soundfont: str, seconds: float) -> Synthesiser:
    return at_hand(Path(soundfont), seconds=seconds)


if __name__ == "__main__":
    serve(_answer, expected=(InvalidMidiError, OSError, RuntimeError, ValueError))
