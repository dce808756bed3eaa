"""The step `render`: a score, a picture and, where there is a SoundFont, the sound of music that is stored already."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scenescore_composer.midi import read
from scenescore_composer.rendering.musicxml import score
from scenescore_composer.rendering.piano_roll import piano_roll
from scenescore_composer.rendering.settings import Format
from scenescore_composer.rendering.soundfonts import NoSoundError
from scenescore_shared.blob_keys import output_key
from scenescore_shared.errors import PermanentError, TransientError
from scenescore_shared.jobs import Job, JobWarning, Output, Rendered, StepResult
from scenescore_shared.logs import get_logger
from scenescore_shared.outputs import MIDI, OUTPUT_TYPES, PIANO_ROLL, SCORE, variation
from scenescore_shared.ports import BlobStore
from scenescore_shared.step_runner import Checkpoint

_log = get_logger(__name__)

_TITLE = "Scenescore"


class Sound(Protocol):
    def render(self, midi: bytes) -> Mapping[Format, bytes]:
        """The music in each format that is asked for. Raises NoSoundError."""


@dataclass(frozen=True, slots=True)
class NoSound:
    """Where there is none to be had. Says why."""

    reason: NoSoundError

    def render(self, midi: bytes) -> Mapping[Format, bytes]:
        raise self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderStep:
    """A `StepHandler`. What can't be made is a warning and takes nothing else along."""

    blobs: BlobStore
    sound: Sound

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterator[tuple[Job, StepResult | Exception]]:
        for job in batch:
            yield job, self._render(job, checkpoint)

    def _render(self, job: Job, checkpoint: Checkpoint) -> Rendered:
        pieces = [output for output in job.outputs if output.content_type == OUTPUT_TYPES[MIDI]]  # in order
        if not pieces:
            raise PermanentError(f"Job {job.id} came to be rendered without music.")
        files: dict[str, bytes] = {}
        types: dict[str, str] = {}
        warnings: dict[str, JobWarning] = {}
        for number, piece in enumerate(pieces, start=1):
            makers = self._makers(self.blobs.get(piece.blob_key), job)
            for part, make in enumerate(makers):
                checkpoint(job, (number - 1 + part / len(makers)) / len(pieces))
                try:
                    made = make()
                except NoSoundError as error:
                    message = f"The music was not rendered to sound. {error.message}"
                    warnings[error.code] = JobWarning(code=error.code, message=message)
                except Exception:  # noqa: BLE001 - whatever one file's trouble is, the others are as good without it
                    _log.exception("not_rendered", job_id=job.id)
                    warnings[_INCOMPLETE.code] = _INCOMPLETE
                else:
                    files |= {variation(name, number): data for name, data in made.items()}
                    types |= {variation(name, number): OUTPUT_TYPES[name] for name in made}
        checkpoint(job, 1.0)
        return Rendered(outputs=self._store(job, files, types), warnings=tuple(warnings.values()))

    def _makers(self, midi: bytes, job: Job) -> tuple[Callable[[], Mapping[str, bytes]], ...]:
        """What makes the files of one piece, by their names in the first variation."""
        key = job.music.key if job.music else "C major"
        return (
            lambda: {SCORE: score(read(midi, pedal=False), key=key, title=_TITLE)},
            lambda: {PIANO_ROLL: piano_roll(read(midi, pedal=False))},
            lambda: {f"music.{kind}": data for kind, data in self.sound.render(midi).items()},
        )

    def _store(self, job: Job, files: Mapping[str, bytes], types: Mapping[str, str]) -> tuple[Output, ...]:
        """All of the files or none."""
        token = job.lease.token if job.lease else ""
        outputs = [
            Output(
                name=name,
                content_type=types[name],
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                blob_key=output_key(job.id, token, name),
            )
            for name, data in files.items()
        ]
        try:
            for output in outputs:
                self.blobs.put(output.blob_key, files[output.name], output.content_type)
        except TransientError:
            self._delete(outputs)
            raise
        return tuple(outputs)

    def _delete(self, outputs: Sequence[Output]) -> None:
        try:
            for output in outputs:
                self.blobs.delete(output.blob_key)
        except TransientError as error:
            # the orphan sweep takes them
            _log.warning("orphans_left", reason=error.message)


_INCOMPLETE = JobWarning(
    code="not_rendered",
    message="A file of the music could not be made. If it happens again, report the job's id.",
)
