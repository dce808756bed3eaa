"""The step `compose`: draw clips in the proportions of the mix, learn from them, write new music."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from scenescore_composer import keys
from scenescore_composer.base_model.shipped import BaseModel
from scenescore_composer.composing import (
    COMPOSER,
    ComposerBudget,
    Composition,
    CompositionRequest,
    compose,
)
from scenescore_composer.corpus.catalogue import Clip, ClipCatalogue
from scenescore_composer.corpus.draw import draw
from scenescore_composer.planning import Wishes
from scenescore_shared.blob_keys import output_key
from scenescore_shared.errors import PermanentError
from scenescore_shared.general_midi import program_of
from scenescore_shared.jobs import Composed, Job, Music, Output, StepResult
from scenescore_shared.options import JobOptions
from scenescore_shared.outputs import MIDI, OUTPUT_TYPES, variation
from scenescore_shared.ports import BlobStore
from scenescore_shared.step_runner import Checkpoint

_LIBRARIES = ("torch", "miditoolkit", "scenescore-composer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeStep:
    """A `StepHandler`. `renders`: its jobs go on to the step `render`, else they have succeeded."""

    catalogue: ClipCatalogue
    blobs: BlobStore
    budget: ComposerBudget
    base: BaseModel
    renders: bool = False

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterator[tuple[Job, StepResult | Exception]]:
        for job in batch:
            yield job, self._compose(job, checkpoint)

    def _compose(self, job: Job, checkpoint: Checkpoint) -> Composed:
        if job.emotions is None or job.lease is None:
            raise PermanentError(f"Job {job.id} came to the composer without a mix or a lease.")
        request = _request_of(job, job.emotions)
        available = self.catalogue.ids_by_emotion()
        # one's own corpus may lack an emotion altogether: the others keep their proportions among themselves
        wanted = {emotion: share for emotion, share in job.emotions.items() if emotion in available}
        missing = [emotion for emotion, share in job.emotions.items() if share and emotion not in available]
        ids = draw(
            wanted if any(wanted.values()) else job.emotions, self.budget.clips, request.seed, available
        )
        clips = self.catalogue.get(ids)
        compositions = compose(clips, request, self.budget, self.base.model, partial(checkpoint, job))
        provenance = self._provenance(request, clips)
        if missing:
            provenance["emotions_without_clips"] = missing
        # stored last: whatever fails before leaves no file behind
        outputs = tuple(
            self._store(job.id, job.lease.token, variation(MIDI, number), composition.midi)
            for number, composition in enumerate(compositions, start=1)
        )
        return Composed(
            outputs=outputs,
            music=_facts_of(compositions[0]),
            provenance=provenance,
            to_render=self.renders,
        )

    def _store(self, job_id: str, token: str, name: str, midi: bytes) -> Output:
        key = output_key(job_id, token, name)
        self.blobs.put(key, midi, OUTPUT_TYPES[MIDI])
        return Output(
            name=name,
            content_type=OUTPUT_TYPES[MIDI],
            bytes=len(midi),
            sha256=hashlib.sha256(midi).hexdigest(),
            blob_key=key,
        )

    def _provenance(self, request: CompositionRequest, clips: Sequence[Clip]) -> dict[str, Any]:
        used = {clip.corpus for clip in clips}
        return {
            "seed": request.seed,
            "composer": COMPOSER,
            "base_model": self.base.version,
            "corpus": [
                f"{found.name}@{found.version}" for found in self.catalogue.corpora() if found.name in used
            ],
            "clips": [
                {"id": clip.id, "title": clip.title, "emotion": clip.emotion, "licence": clip.licence}
                for clip in clips
            ],
            "library_versions": {name: version(name) for name in _LIBRARIES},
        }


def seed_of(job: Job) -> int:
    """The seed asked for, else one made from the job's id: a retried job gives the same music."""
    options = JobOptions.model_validate(dict(job.options))
    if options.seed is not None:
        return options.seed
    return int.from_bytes(hashlib.sha256(job.id.encode()).digest()[:4])


def _request_of(job: Job, mix: Mapping[str, float]) -> CompositionRequest:
    options = JobOptions.model_validate(dict(job.options))
    return CompositionRequest(
        mix=mix,
        seed=seed_of(job),
        wishes=Wishes(
            seconds=options.seconds,
            tempo_bpm=options.tempo_bpm,
            key=None if options.key is None else keys.parse(options.key),
        ),
        temperature=1.0 if options.temperature is None else options.temperature,
        program=0 if options.instrument is None else program_of(options.instrument) or 0,
        variations=options.variations,
    )


def _facts_of(composition: Composition) -> Music:
    return Music(
        seconds=composition.seconds,
        tempo_bpm=composition.tempo_bpm,
        key=composition.key,
        notes=composition.notes,
    )
