"""The step `classify`: a batch of pictures in, the probabilities of their emotions out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenescore_classifier.inference import Classifier
from scenescore_shared.errors import PermanentError, ScenescoreError
from scenescore_shared.jobs import Classified, Job, StepResult
from scenescore_shared.ports import BlobStore
from scenescore_shared.step_runner import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyStep:
    """A `StepHandler`. One bad picture, or one that the store does not give, hurts no other."""

    classifier: Classifier
    blobs: BlobStore

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterator[tuple[Job, StepResult | Exception]]:
        fetched: list[tuple[Job, bytes]] = []
        for job in batch:
            try:
                checkpoint(job, 0.0)
                fetched.append((job, self._fetch(job)))
            except ScenescoreError as error:
                yield job, error
        results = self.classifier.classify([picture for _, picture in fetched])
        for (job, _), result in zip(fetched, results, strict=True):
            if isinstance(result, ScenescoreError):
                yield job, result
            else:
                yield job, Classified(emotions=result, classifier=self.classifier.name)

    def _fetch(self, job: Job) -> bytes:
        if job.picture is None:
            raise PermanentError(f"Job {job.id} came to the classifier without a picture.")
        return self.blobs.get(job.picture.blob_key)
