from dataclasses import replace

from samples.jobs import PICTURE, job_id, queued
from samples.pictures import jpeg

from scenescore_classifier.inference import Classifier
from scenescore_classifier.service import ClassifyStep
from scenescore_shared.errors import InvalidPictureError, JobCanceledError, NotFoundError, WorkerStoppingError
from scenescore_shared.fakes import InMemoryBlobStore
from scenescore_shared.jobs import Classified, Job


def job_with(blobs: InMemoryBlobStore, number: int, picture: bytes | None) -> Job:
    key = f"jobs/{job_id(number)}/picture.jpg"
    if picture is not None:
        blobs.put(key, picture, "image/jpeg")
    return replace(queued(number), picture=replace(PICTURE, blob_key=key))


def test_each_picture_of_a_batch_gets_its_own_result_in_one_pass() -> None:
    blobs = InMemoryBlobStore()
    step = ClassifyStep(classifier=Classifier.load(), blobs=blobs)
    batch = [
        job_with(blobs, 1, jpeg(1)),
        job_with(blobs, 2, b"damaged"),
        job_with(blobs, 3, None),
        job_with(blobs, 4, jpeg(4)),
    ]
    outcomes = {job.id: outcome for job, outcome in step(batch, lambda *_: None)}
    good = [outcomes[job_id(1)], outcomes[job_id(4)]]
    assert isinstance(outcomes[job_id(2)], InvalidPictureError)
    assert isinstance(outcomes[job_id(3)], NotFoundError)
    for outcome in good:
        assert isinstance(outcome, Classified)
        assert outcome.classifier == step.classifier.name
        assert list(outcome.emotions) == ["happy", "angry", "sad"]
        assert abs(sum(outcome.emotions.values()) - 1) < 1e-9
    (alone,) = step(batch[:1], lambda *_: None)
    assert alone[1] == outcomes[job_id(1)]


def test_a_canceled_job_ends_alone() -> None:
    blobs = InMemoryBlobStore()
    step = ClassifyStep(classifier=Classifier.load(), blobs=blobs)

    def checkpoint(job: Job, _: float) -> None:
        if job.id == job_id(2):
            raise JobCanceledError(job.id)

    batch = [job_with(blobs, number, jpeg(number)) for number in (1, 2, 3)]
    outcomes = {job.id: outcome for job, outcome in step(batch, checkpoint)}
    assert isinstance(outcomes[job_id(2)], JobCanceledError)
    assert isinstance(outcomes[job_id(1)], Classified)
    assert isinstance(outcomes[job_id(3)], Classified)


def test_a_worker_that_stops_gives_up_the_whole_batch() -> None:
    def checkpoint(*_: object) -> None:
        raise WorkerStoppingError("stopping")

    blobs = InMemoryBlobStore()
    step = ClassifyStep(classifier=Classifier.load(), blobs=blobs)
    outcomes = [outcome for _, outcome in step([job_with(blobs, 1, jpeg(1))], checkpoint)]
    assert [type(outcome) for outcome in outcomes] == [WorkerStoppingError]
