"""What is sent to whom when a job ends, and the ports that keep it.

A delivery is written in the transaction that ends its job, so there is exactly one for each end; its body never
changes, so every attempt sends the same bytes under the same id (Standard Webhooks).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import Protocol

from scenescore_shared.jobs import Job, Status

NOBODY = ""
"""The owner of what is done on a server that asks for no key."""


class DeliveryStatus(StrEnum):
    """`gone`: the receiver said that it wants no more (410)."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to a receiver. `attempts` counts all of them; `steps` are those of the schedule that
    have gone by since the beginning or the last replay.
    """

    id: str
    job_id: str
    owner: str
    url: str
    type: str
    body: str
    created_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    steps: int = 0
    first_tried_at: datetime | None = None
    """When the first attempt of the present schedule was."""
    due_at: datetime | None
    """Of the next attempt, or the end of the present one's lease; None once it has ended."""
    lease_token: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one attempt: the receiver's status code, or a sentence about why there is none."""

    delivery_id: str
    number: int
    at: datetime
    status_code: int | None
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """A secret's name. The secret itself is derived from it and kept nowhere."""

    id: str
    owner: str
    created_at: datetime


def new_message_id() -> str:
    return f"msg_{token_hex(16)}"


def deliveries_of(
    before: Job, after: Job, *, new_id: Callable[[], str] = new_message_id
) -> tuple[Delivery, ...]:
    """What the change of a job gives to deliver: one message where it ended the job and its owner asked for one."""
    url = after.options.get("webhook_url")
    if before.finished or not after.finished or url is None:
        return ()
    now = after.finished_at or after.updated_at
    kind = f"job.{after.status}"
    return (
        Delivery(
            id=new_id(),
            job_id=after.id,
            owner=after.owner or NOBODY,
            url=url,
            type=kind,
            body=_body(kind, after, now),
            created_at=now,
            due_at=now,
        ),
    )


EVENT_TYPES = tuple(f"job.{status}" for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELED))


def _body(kind: str, job: Job, now: datetime) -> str:
    """Compact JSON in ASCII: bytes that no receiver's charset can bend."""
    data = {
        "id": job.id,
        "object": "job",
        "status": str(job.status),
        "emotions": job.emotions,
        "outputs": [
            {
                "name": output.name,
                "content_type": output.content_type,
                "bytes": output.bytes,
                "sha256": output.sha256,
            }
            for output in job.outputs
        ],
        "music": job.music
        and {
            "seconds": job.music.seconds,
            "tempo_bpm": job.music.tempo_bpm,
            "key": job.music.key,
            "notes": job.music.notes,
        },
        "error": job.error and {"code": job.error.code, "message": job.error.message},
        "warnings": [{"code": warning.code, "message": warning.message} for warning in job.warnings],
        "metadata": job.options.get("metadata", {}),
        "created_at": _rfc3339(job.created_at),
        "finished_at": _rfc3339(now),
    }
    message = {"type": kind, "timestamp": _rfc3339(now), "data": data}
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A delivery after a move, and the attempt that the move puts on record, if any."""

    delivery: Delivery
    attempt: Attempt | None = None


DeliveryChange = Callable[[Delivery], Moved]


class DeliveryRepository(Protocol):
    """The outbox, filled by the repository of jobs. Every method is one transaction; each may raise TransientError."""

    def get(self, delivery_id: str) -> Delivery:
        """Raises NotFoundError."""

    def claim(self, limit: int, now: datetime, change: DeliveryChange) -> list[Delivery]:
        """Applies `change` to at most `limit` due deliveries, longest due first, none that somebody else is
        claiming at this moment. Returns the changed ones, ended ones included.
        """

    def update(self, delivery_id: str, change: DeliveryChange) -> Delivery:
        """Reads, changes and saves the delivery under a lock on it, with the attempt on record.

        What `change` raises is passed on and nothing is written. Raises NotFoundError.
        """

    def of_job(self, job_id: str) -> list[Delivery]:
        """Oldest first."""

    def attempts(self, delivery_id: str, *, limit: int) -> list[Attempt]:
        """The last `limit` attempts on record, in their order."""


class SecretRepository(Protocol):
    """The names of the secrets. Every method is one transaction; each may raise TransientError."""

    def add(self, secret: WebhookSecret, *, at_most: int) -> bool:
        """Whether it was added: not where its owner has `at_most` live ones, however many ask at once."""

    def live(self, owner: str) -> Sequence[WebhookSecret]:
        """Newest first."""

    def revoke(self, secret_id: str, *, owner: str, now: datetime) -> None:
        """Raises NotFoundError for what is not a live secret of the owner."""
