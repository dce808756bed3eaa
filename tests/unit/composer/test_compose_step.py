import hashlib
import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from miditoolkit import MidiFile
from samples.checks import assert_music
from samples.jobs import claimed, queued
from samples.midi import write_corpus

from scenescore_composer.base_model.shipped import BaseModel, load_base
from scenescore_composer.composing import ComposerBudget
from scenescore_composer.corpus.catalogue import ClipCatalogue, InMemoryClipCatalogue
from scenescore_composer.corpus.importing import import_folder
from scenescore_composer.model import ModelFileError, TokenLstm, model_bytes
from scenescore_composer.service import ComposeStep, seed_of
from scenescore_shared.errors import EmptyCorpusError, JobCanceledError, PermanentError
from scenescore_shared.fakes import InMemoryBlobStore
from scenescore_shared.jobs import Composed, Job

SAD = {"happy": 0.0, "angry": 0.25, "sad": 0.75}
TINY = ComposerBudget(clips=8, training_tokens=800, candidates=2)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> ClipCatalogue:
    catalogue = InMemoryClipCatalogue()
    folder = write_corpus(tmp_path_factory.mktemp("corpus") / "tiny")
    import_folder(folder, corpus="tiny", catalogue=catalogue, blobs=InMemoryBlobStore(), show_progress=False)
    return catalogue


@pytest.fixture
def base(tiny_base: TokenLstm) -> BaseModel:
    return BaseModel(tiny_base, "tiny@0")


def composed(step: ComposeStep, job: Job) -> Composed:
    ((_, outcome),) = step([job], lambda *_: None)
    assert isinstance(outcome, Composed)
    return outcome


def leased(**options: object) -> Job:
    job = claimed(queued(emotions=SAD), token="token-1")
    return replace(job, options={"seconds": 12.0, **options})


def test_the_music_its_facts_and_where_it_came_from(catalogue: ClipCatalogue, base: BaseModel) -> None:
    blobs = InMemoryBlobStore()
    result = composed(ComposeStep(catalogue=catalogue, blobs=blobs, budget=TINY, base=base), leased(seed=7))
    (output,) = result.outputs
    midi = blobs.get(output.blob_key)
    assert "/token-1/" in output.blob_key
    assert (output.bytes, output.sha256) == (len(midi), hashlib.sha256(midi).hexdigest())
    assert_music(midi, seconds=12)
    assert result.music.seconds == pytest.approx(12, abs=2)
    clips = result.provenance["clips"]
    assert [clip["emotion"] for clip in clips].count("sad") == 6
    assert [clip["emotion"] for clip in clips].count("angry") == 2
    assert len({clip["id"] for clip in clips}) == 8
    assert all(clip["title"] and clip["licence"] for clip in clips)
    assert result.provenance["seed"] == 7
    assert result.provenance["corpus"][0].startswith("tiny@")
    assert result.provenance["base_model"] == "tiny@0"
    assert "torch" in result.provenance["library_versions"]


def test_every_variation_is_an_output(catalogue: ClipCatalogue, base: BaseModel) -> None:
    blobs = InMemoryBlobStore()
    step = ComposeStep(catalogue=catalogue, blobs=blobs, budget=TINY, base=base)
    options = {"variations": 3, "tempo_bpm": 77, "key": "Bb minor", "instrument": "Church Organ"}
    result = composed(step, leased(**options))
    assert [output.name for output in result.outputs] == ["music.mid", "music-2.mid", "music-3.mid"]
    assert len({output.sha256 for output in result.outputs}) == 3
    assert (result.music.tempo_bpm, result.music.key) == (77, "Bb minor")
    for output in result.outputs:
        part = MidiFile(file=io.BytesIO(blobs.get(output.blob_key))).instruments[0]
        assert part.program == 19


def test_a_base_model_is_known_by_its_bytes(tmp_path: Path, tiny_base: TokenLstm) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(model_bytes(tiny_base, {}))
    loaded = load_base(path)
    assert loaded.version.startswith("mine@")
    for kept, weights in zip(loaded.model.parameters(), tiny_base.parameters(), strict=True):
        torch.testing.assert_close(kept, weights, atol=1e-3, rtol=0)
    path.write_bytes(b"no tensors")
    with pytest.raises(ModelFileError, match="holds no model"):
        load_base(path)


def test_the_base_model_that_ships_loads() -> None:
    assert load_base().version.startswith("base@")


def test_a_job_without_a_seed_gets_the_same_one_whenever_it_is_tried() -> None:
    assert seed_of(leased()) == seed_of(leased())
    assert seed_of(leased()) != seed_of(replace(leased(), id="other"))
    assert seed_of(leased(seed=0)) == 0


def test_cancellation_comes_through_between_training_steps(catalogue: ClipCatalogue, base: BaseModel) -> None:
    calls = []

    def checkpoint(job: Job, progress: float) -> None:
        calls.append((job.id, progress))
        if len(calls) == 2:
            raise JobCanceledError("canceled")

    blobs = InMemoryBlobStore()
    step = ComposeStep(catalogue=catalogue, blobs=blobs, budget=TINY, base=base)
    with pytest.raises(JobCanceledError):
        list(step([leased()], checkpoint))
    assert all(0 <= progress <= 1 for _, progress in calls)
    assert list(blobs.list("")) == []


def test_without_clips_the_user_is_told_what_to_do(base: BaseModel) -> None:
    step = ComposeStep(catalogue=InMemoryClipCatalogue(), blobs=InMemoryBlobStore(), budget=TINY, base=base)
    with pytest.raises(EmptyCorpusError, match="corpus"):
        list(step([leased()], lambda *_: None))


def test_a_job_without_a_mix_is_refused(catalogue: ClipCatalogue, base: BaseModel) -> None:
    step = ComposeStep(catalogue=catalogue, blobs=InMemoryBlobStore(), budget=TINY, base=base)
    with pytest.raises(PermanentError):
        list(step([replace(leased(), emotions=None)], lambda *_: None))


def test_an_emotion_without_clips_is_left_out_and_said(tmp_path: Path, base: BaseModel) -> None:
    folder = write_corpus(tmp_path / "tiny")
    shutil.rmtree(folder / "angry")
    catalogue = InMemoryClipCatalogue()
    import_folder(folder, corpus="tiny", catalogue=catalogue, blobs=InMemoryBlobStore(), show_progress=False)
    step = ComposeStep(catalogue=catalogue, blobs=InMemoryBlobStore(), budget=TINY, base=base)
    job = replace(leased(), emotions={"happy": 0.5, "angry": 0.25, "sad": 0.25})
    provenance = composed(step, job).provenance
    drawn = [clip["emotion"] for clip in provenance["clips"]]
    assert (drawn.count("happy"), drawn.count("sad"), len(drawn)) == (5, 3, 8)
    assert provenance["emotions_without_clips"] == ["angry"]
    with pytest.raises(EmptyCorpusError, match="angry"):
        list(step([replace(job, emotions={"angry": 1.0})], lambda *_: None))
