"""The API on fakes: everything real but the outside world."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count

from fastapi.testclient import TestClient

from samples.jobs import COMPOSED, MIX, NOW, POLICY, job_id
from scenescore_api.app import make_app
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings
from scenescore_shared.fakes import FakeClock, InMemoryBlobStore, InMemoryJobRepository, RecordingPublisher
from scenescore_shared.jobs import Classified, Job, Step
from scenescore_shared.moves import claim, complete

LIMITS = PictureLimits(max_bytes=200_000, max_pixels=1_000_000)


@dataclass
class Api:
    client: TestClient
    jobs: InMemoryJobRepository
    blobs: InMemoryBlobStore
    publisher: RecordingPublisher
    clock: FakeClock

    def advance(self, job: str, *, to: str) -> Job:
        """Takes a queued job on as the workers would: `to` is claimed, classified or succeeded."""
        current = self.jobs.get(job)
        if current.step is Step.CLASSIFY:
            current = self.jobs.update(job, partial(claim, now=self.clock.now(), token="a", policy=POLICY))
            if to == "claimed":
                return current
            result = Classified(emotions=MIX, classifier="thesis-relu@12345678")
            current = self.jobs.update(job, partial(complete, now=self.clock.now(), token="a", result=result))
        if to == "classified":
            return current
        self.jobs.update(job, partial(claim, now=self.clock.now(), token="b", policy=POLICY))
        key = f"jobs/{job}/outputs/b/music.mid"
        self.blobs.put(key, b"MThd-music", "audio/midi")
        composed = replace(COMPOSED, outputs=(replace(COMPOSED.outputs[0], blob_key=key),))
        return self.jobs.update(job, partial(complete, now=self.clock.now(), token="b", result=composed))


@contextmanager
def api_on_fakes(limits: PictureLimits = LIMITS) -> Iterator[Api]:
    jobs, blobs, publisher, clock = (
        InMemoryJobRepository(),
        InMemoryBlobStore(),
        RecordingPublisher(),
        FakeClock(NOW),
    )
    numbers = count(1)
    service = JobService(
        jobs=jobs,
        blobs=blobs,
        publisher=publisher,
        clock=clock,
        pictures=PictureReader(limits, pixels_at_once=limits.max_pixels),
        emotions=("happy", "angry", "sad"),
        new_id=lambda: job_id(next(numbers)),
        presigned_for=timedelta(minutes=5),
    )
    settings = ApiSettings.model_validate(
        {"api": {"max_upload_bytes": limits.max_bytes, "max_pixels": limits.max_pixels}}
    )
    with TestClient(
        make_app(service, settings, on_shutdown=lambda: None), raise_server_exceptions=False
    ) as client:
        yield Api(client, jobs, blobs, publisher, clock)
