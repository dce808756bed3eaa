"""The API on fakes: everything real but the outside world."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from samples.jobs import COMPOSED, MIX, NOW, POLICY, job_id
from scenescore_api.app import make_app
from scenescore_api.doors import Doors
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.queue_places import QueuePlaces
from scenescore_api.ratings.service import RatingService
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.service import WebhookService
from scenescore_shared.api_keys import new_key
from scenescore_shared.fake_webhooks import InMemorySecretRepository
from scenescore_shared.fakes import (
    FakeClock,
    InMemoryApiKeys,
    InMemoryBlobStore,
    InMemoryJobRepository,
    InMemoryRateLimiter,
    RecordingPublisher,
)
from scenescore_shared.jobs import Classified, Job, Step
from scenescore_shared.moves import claim, complete
from scenescore_shared.ports import RateLimiter

SIGNING_KEY = SecretStr("a signing key that is good for tests only")
LIMITS = PictureLimits(max_bytes=200_000, max_pixels=1_000_000)


ORIGIN = "http://127.0.0.1:8000"


@dataclass
class Api:
    app: FastAPI
    client: TestClient
    jobs: InMemoryJobRepository
    blobs: InMemoryBlobStore
    publisher: RecordingPublisher
    clock: FakeClock
    keys: InMemoryApiKeys

    def key(self, name: str = "ann", *, scopes: str = "jobs", owner: str | None = None) -> str:
        """A new key."""
        key, kept = new_key(name=name, owner=owner, scopes=frozenset(scopes.split(",")), now=self.clock.now())
        self.keys.add(kept)
        return key

    def advance(self, job: str, *, to: str) -> Job:
        """Takes a queued job on as the workers would: `to` is claimed, classified, composed (to be
        rendered) or succeeded.
        """
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
        output = replace(COMPOSED.outputs[0], blob_key=key, sha256=hashlib.sha256(b"MThd-music").hexdigest())
        composed = replace(COMPOSED, outputs=(output,), to_render=to == "composed")
        return self.jobs.update(job, partial(complete, now=self.clock.now(), token="b", result=composed))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def api_on_fakes(
    *, limits: dict[str, int] | None = None, limiter: RateLimiter | None = None, **api_settings: Any
) -> Iterator[Api]:
    """The API with these settings of the groups `limits` and `api`."""
    settings = ApiSettings.model_validate(
        {
            "api": {"max_upload_bytes": LIMITS.max_bytes, "max_pixels": LIMITS.max_pixels, **api_settings},
            "limits": limits or {},
        }
    )
    clock = FakeClock(NOW)
    jobs, blobs, publisher = InMemoryJobRepository(), InMemoryBlobStore(clock), RecordingPublisher()
    keys = InMemoryApiKeys()
    numbers = count(1)
    service = JobService(
        jobs=jobs,
        idempotency_keys=jobs.idempotency_keys,
        blobs=blobs,
        publisher=publisher,
        places=QueuePlaces(jobs, clock),
        clock=clock,
        pictures=PictureReader(
            PictureLimits(max_bytes=settings.api.max_upload_bytes, max_pixels=settings.api.max_pixels),
            pixels_at_once=settings.api.max_pixels,
        ),
        emotions=("happy", "angry", "sad"),
        new_id=lambda: job_id(next(numbers)),
        presigned_for=timedelta(minutes=5),
        max_unfinished=settings.limits.unfinished_jobs or None,
        webhooks=WebhookService(
            deliveries=jobs.deliveries,
            secrets=InMemorySecretRepository(),
            clock=clock,
            key=SIGNING_KEY,
            rules=AddressRules(),
        ),
    )
    doors = Doors(
        clock=clock,
        session_lasts=timedelta(seconds=settings.api.session_seconds),
        keys=keys,
        limiter=limiter or InMemoryRateLimiter(),
        keys_required=settings.api.require_keys,
        limits=settings.limits.of_requests,
        submission_limits=settings.limits.of_submissions,
        listening_limits=settings.limits.of_listening,
    )
    ratings = RatingService(
        jobs=service,
        ratings=jobs.ratings,
        sessions=jobs.ratings.sessions,
        new_id=lambda: job_id(next(numbers)),
    )
    app = make_app(service, settings, doors=doors, ratings=ratings, on_shutdown=lambda: None)
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield Api(app, client, jobs, blobs, publisher, clock, keys)
