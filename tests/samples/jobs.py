"""Jobs at every point of their way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from scenescore_shared.jobs import Classified, Composed, Job, LeasePolicy, Music, Output, Picture, new_job
from scenescore_shared.moves import claim, complete

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
POLICY = LeasePolicy(seconds=30, max_attempts=3)
MIX = {"happy": 0.2, "angry": 0.1, "sad": 0.7}

PICTURE = Picture(
    sha256="ab" * 32,
    content_type="image/png",
    width=640,
    height=480,
    bytes=1234,
    blob_key="jobs/x/picture.jpg",
)
OUTPUT = Output(
    name="music.mid",
    content_type="audio/midi",
    bytes=10,
    sha256="cd" * 32,
    blob_key="jobs/x/outputs/t/music.mid",
)
COMPOSED = Composed(
    outputs=(OUTPUT,),
    music=Music(seconds=30.0, tempo_bpm=96, key="A minor", notes=120),
    provenance={"seed": 7, "clips": [{"id": "c1", "title": "Étude", "emotion": "sad", "licence": "CC0"}]},
)


def job_id(number: int) -> str:
    """Ids that sort by number, shaped like UUIDv7."""
    return str(UUID(int=(number << 80) | (7 << 76) | (2 << 62)))


def queued(number: int = 1, *, at: datetime = NOW, emotions: dict[str, float] | None = None) -> Job:
    return new_job(
        job_id(number),
        now=at,
        request_id=f"request-{number}",
        options={"seconds": 30.0, "metadata": {"scene": "harbour"}},
        picture=PICTURE if emotions is None else None,
        emotions=emotions,
    )


def claimed(
    job: Job | None = None, *, at: datetime = NOW, token: str = "t1", policy: LeasePolicy = POLICY
) -> Job:
    return claim(job or queued(), now=at, token=token, policy=policy)


def classified(job: Job | None = None, *, at: datetime = NOW + timedelta(seconds=1)) -> Job:
    """Waiting for its composer."""
    result = Classified(emotions=MIX, classifier="thesis-relu@12345678")
    return complete(claimed(job), now=at, token="t1", result=result)


def composed(job: Job | None = None, *, at: datetime = NOW + timedelta(seconds=9)) -> Job:
    """Waiting to be rendered, its music made."""
    composing = claim(classified(job), now=NOW + timedelta(seconds=2), token="t2", policy=POLICY)
    return complete(composing, now=at, token="t2", result=replace(COMPOSED, to_render=True))


def succeeded(job: Job | None = None, *, at: datetime = NOW + timedelta(seconds=9)) -> Job:
    composing = claim(classified(job), now=NOW + timedelta(seconds=2), token="t2", policy=POLICY)
    return complete(composing, now=at, token="t2", result=COMPOSED)
