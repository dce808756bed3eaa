"""The step `compose`: draw clips in the proportions of the mix, learn from them, write new music."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from scenescore_composer.composing import (
    COMPOSER,
    ComposerBudget,
    Composition,
    CompositionRequest,
    compose,
)
from scenescore_composer.corpus.catalogue import Clip, ClipCatalogue
from scenescore_composer.corpus.draw import draw
from scenescore_shared.blob_keys import output_key
from scenescore_shared.errors import PermanentError
from scenescore_shared.jobs import Composed, Job, Music, Output, StepResult
from scenescore_shared.options import JobOptions
from scenescore_shared.outputs import MIDI, OUTPUT_TYPES
from scenescore_shared.ports import BlobStore
from scenescore_shared.step_runner import Checkpoint

_LIBRARIES = ("torch", "miditoolkit", "scenescore-composer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeStep:
    """A `StepHandler`. `renders`: its jobs go on to the step `render`, else they have succeeded."""

    catalogue: ClipCatalogue
    blobs: BlobStore
    budget: ComposerBudget
    renders: bool = False

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterator[tuple[Job, StepResult | Exception]]:
        for job in batch:
            yield job, self._compose(job, checkpoint)

    def _compose(self, job: Job, checkpoint: Checkpoint) -> Composed:
        if job.emotions is None or job.lease is None:
            raise PermanentError(f"Job {job.id} came to the composer without a mix or a lease.")
        request = _request_of(job)
        available = self.catalogue.ids_by_emotion()
        # one's own corpus may lack an emotion altogether: the others keep their proportions among themselves
        wanted = {emotion: share for emotion, share in job.emotions.items() if emotion in available}
        missing = [emotion for emotion, share in job.emotions.items() if share and emotion not in available]
        ids = draw(
            wanted if any(wanted.values()) else job.emotions, self.budget.clips, request.seed, available
        )
        clips = self.catalogue.get(ids)
        composition = compose(clips, request, self.budget, partial(checkpoint, job))
        provenance = self._provenance(request, clips)
        if missing:
            provenance["emotions_without_clips"] = missing
        # stored last: whatever fails before leaves no file behind
        output = self._store(job.id, job.lease.token, composition.midi)
        return Composed(
            outputs=(output,),
            music=_facts_of(composition),
            provenance=provenance,
            to_render=self.renders,
        )

    def _store(self, job_id: str, token: str, midi: bytes) -> Output:
        key = output_key(job_id, token, MIDI)
        self.blobs.put(key, midi, OUTPUT_TYPES[MIDI])
        return Output(
            name=MIDI,
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


def _request_of(job: Job) -> CompositionRequest:
    options = JobOptions.model_validate(dict(job.options))
    request = CompositionRequest(seed=seed_of(job), seconds=options.seconds)
    if options.temperature is None:
        return request
    return CompositionRequest(seed=request.seed, seconds=options.seconds, temperature=options.temperature)


def _facts_of(composition: Composition) -> Music:
    return Music(
        seconds=composition.seconds,
        tempo_bpm=composition.tempo_bpm,
        key=composition.key,
        notes=composition.notes,
    )
