"""Ratings and listening sessions."""

from datetime import datetime

from samples.jobs import NOW, job_id
from scenescore_shared.listening import ListeningItem, ListeningSession
from scenescore_shared.ratings import Grade, Rating

TOKEN = "scl_" + "a1" * 16
HEARD_JOB = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a0f1"
"""For a piece that can be heard by OpenAPI's example of a link, and that no other of its examples names."""
HEARD_SESSION = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a0f2"


def rating(
    number: int = 1,
    *,
    job: int = 1,
    output: str = "music.mid",
    listener: str = "ann",
    session: int | None = None,
    quality: Grade = Grade.GOOD,
    fit: Grade | None = Grade.FAIR,
    at: datetime = NOW,
) -> Rating:
    """With ids that sort by number."""
    return Rating(
        id=job_id(1000 + number),
        job_id=job_id(job),
        output=output,
        listener=listener,
        session_id=None if session is None else session_id(session),
        quality=quality,
        fit=fit,
        created_at=at,
        updated_at=at,
    )


def session_id(number: int) -> str:
    return job_id(2000 + number)


def session(
    number: int = 1,
    *,
    jobs: tuple[int, ...] = (1, 2),
    owner: str | None = None,
    closes_at: datetime | None = None,
) -> ListeningSession:
    return ListeningSession(
        id=session_id(number),
        owner=owner,
        title=f"Session {number}",
        items=tuple(ListeningItem(id=f"item{job}", job_id=job_id(job)) for job in jobs),
        created_at=NOW,
        closes_at=closes_at,
    )
