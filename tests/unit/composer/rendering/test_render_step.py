"""The step `render` on fakes: what it adds to a job, and what becomes of one that it can't add to."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from samples.jobs import COMPOSED, NOW, POLICY, composed
from samples.midi import piece

from scenescore_composer.rendering import service
from scenescore_composer.rendering.service import NoSound, RenderStep, Sound
from scenescore_composer.rendering.settings import Format
from scenescore_composer.rendering.soundfonts import NoSoundError, find
from scenescore_shared.blob_keys import output_key
from scenescore_shared.errors import JobCanceledError, PermanentError, TransientError
from scenescore_shared.fakes import InMemoryBlobStore
from scenescore_shared.jobs import Job, Rendered
from scenescore_shared.moves import claim

MIDI = piece("sad", seconds=4)


class TapeRecorder:
    """In the place of a synthesiser."""

    def render(self, midi: bytes) -> Mapping[Format, bytes]:
        return {"ogg": b"OggS" + hashlib.sha256(midi).digest(), "wav": b"RIFF"}


@pytest.fixture
def blobs() -> InMemoryBlobStore:
    return InMemoryBlobStore()


@pytest.fixture
def job(blobs: InMemoryBlobStore) -> Job:
    """Leased by its renderer, its music stored."""
    waiting = composed()
    blobs.put(waiting.outputs[0].blob_key, MIDI, "audio/midi")
    return claim(waiting, now=NOW, token="token-3", policy=POLICY)


def rendered(blobs: InMemoryBlobStore, job: Job, sound: Sound) -> Rendered:
    ((_, outcome),) = RenderStep(blobs=blobs, sound=sound)([job], lambda *_: None)
    assert isinstance(outcome, Rendered)
    return outcome


def test_sound_score_and_picture_are_stored_and_told(blobs: InMemoryBlobStore, job: Job) -> None:
    result = rendered(blobs, job, TapeRecorder())
    assert {output.name: output.content_type for output in result.outputs} == {
        "music.musicxml": "application/vnd.recordare.musicxml+xml",
        "pianoroll.png": "image/png",
        "music.ogg": "audio/ogg",
        "music.wav": "audio/wav",
    }
    assert result.warnings == ()
    files = {output.name: blobs.get(output.blob_key) for output in result.outputs}
    for output in result.outputs:
        assert output.blob_key == output_key(job.id, "token-3", output.name)
        data = files[output.name]
        assert (output.bytes, output.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert files["music.ogg"] == b"OggS" + hashlib.sha256(MIDI).digest()
    assert files["pianoroll.png"].startswith(b"\x89PNG")
    assert ET.fromstring(files["music.musicxml"]).findtext(".//key/mode") == "minor"  # noqa: S314 - our own
    assert COMPOSED.music.key == "A minor"


def test_every_variation_is_rendered_under_its_own_name(blobs: InMemoryBlobStore, job: Job) -> None:
    second = replace(job.outputs[0], name="music-2.mid", blob_key="second")
    other = piece("happy", seconds=4)
    blobs.put("second", other, "audio/midi")
    result = rendered(blobs, replace(job, outputs=(*job.outputs, second)), TapeRecorder())
    assert {output.name: output.content_type for output in result.outputs if "-2" in output.name} == {
        "music-2.musicxml": "application/vnd.recordare.musicxml+xml",
        "pianoroll-2.png": "image/png",
        "music-2.ogg": "audio/ogg",
        "music-2.wav": "audio/wav",
    }
    assert len(result.outputs) == 8
    sound = {output.name: blobs.get(output.blob_key) for output in result.outputs}
    assert sound["music.ogg"] == b"OggS" + hashlib.sha256(MIDI).digest()
    assert sound["music-2.ogg"] == b"OggS" + hashlib.sha256(other).digest()


def test_without_a_soundfont_the_rest_is_made_and_it_is_said(blobs: InMemoryBlobStore, job: Job) -> None:
    with pytest.raises(NoSoundError) as caught:
        find(None, [])
    result = rendered(blobs, job, NoSound(caught.value))
    assert {output.name for output in result.outputs} == {"music.musicxml", "pianoroll.png"}
    (warning,) = result.warnings
    assert warning.code == "no_soundfont"
    assert "fluid-soundfont-gm" in warning.message


def test_one_file_that_fails_takes_no_other_along(
    blobs: InMemoryBlobStore, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(service, "piano_roll", torn)
    result = rendered(blobs, job, TapeRecorder())
    assert {output.name for output in result.outputs} == {"music.musicxml", "music.ogg", "music.wav"}
    assert [warning.code for warning in result.warnings] == ["not_rendered"]
    assert "ZeroDivision" not in result.warnings[0].message


def test_cancellation_comes_through(blobs: InMemoryBlobStore, job: Job) -> None:
    def checkpoint(*_: object) -> None:
        raise JobCanceledError(job.id)

    with pytest.raises(JobCanceledError):
        list(RenderStep(blobs=blobs, sound=TapeRecorder())([job], checkpoint))
    assert [blob.key for blob in blobs.list("")] == [job.outputs[0].blob_key]


def test_a_store_that_goes_away_keeps_none_of_the_files(
    blobs: InMemoryBlobStore, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = blobs.put

    def put_two(key: str, data: bytes, content_type: str) -> None:
        if key.endswith(".ogg"):
            raise TransientError("away")
        put(key, data, content_type)

    monkeypatch.setattr(blobs, "put", put_two)
    with pytest.raises(TransientError):
        rendered(blobs, job, TapeRecorder())
    assert [blob.key for blob in blobs.list("")] == [job.outputs[0].blob_key]


def test_a_job_without_music_is_refused(blobs: InMemoryBlobStore, job: Job) -> None:
    with pytest.raises(PermanentError):
        rendered(blobs, replace(job, outputs=()), TapeRecorder())
