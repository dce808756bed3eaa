"""What the API says about webhooks, and what receivers are sent. Examples are in OpenAPI."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from scenescore_api.schemas import ErrorView, MusicView, WarningView
from scenescore_shared.emotions import Mix
from scenescore_shared.webhooks import Attempt, Delivery, DeliveryStatus, WebhookSecret

_JOB_ID = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"
_SECRET_ID = "whs_5f2d8f1c9be04a37a6d1c0e2"  # noqa: S105 - the secret's name
_MESSAGE_ID = "msg_9c1d5a7e0b3f4826a1d2c3b4e5f60718"

EventType = Literal["job.succeeded", "job.failed", "job.canceled"]


class SecretView(BaseModel):
    id: Annotated[str, Field(examples=[_SECRET_ID])]
    object: Literal["webhook_secret"] = "webhook_secret"
    created_at: datetime


class NewSecretView(SecretView):
    secret: Annotated[
        str,
        Field(
            description="What your receiver verifies with. Shown this once: keep it as you keep a password",
            examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
        ),
    ]


class SecretList(BaseModel):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[SecretView]


class AttemptView(BaseModel):
    number: Annotated[int, Field(examples=[1])]
    at: datetime
    status_code: Annotated[int | None, Field(description="The receiver's", examples=[500])]
    error: Annotated[str | None, Field(description="Why there is no status code")]
    seconds: Annotated[float, Field(examples=[0.213])]


class DeliveryView(BaseModel):
    """A message on its way. `pending` until a receiver took it, said that it wants no more (`gone`), or none did
    for a day (`failed`).
    """

    id: Annotated[str, Field(description="The message's `webhook-id`", examples=[_MESSAGE_ID])]
    object: Literal["webhook_delivery"] = "webhook_delivery"
    job_id: Annotated[str, Field(examples=[_JOB_ID])]
    type: EventType
    url: Annotated[str, Field(examples=["https://example.com/hooks/scenescore"])]
    status: DeliveryStatus
    attempts: Annotated[list[AttemptView], Field(description="The last 100 on record, in their order")]
    next_attempt_at: Annotated[
        datetime | None, Field(description="null once it has ended, and in the middle of an attempt")
    ]
    created_at: datetime
    finished_at: datetime | None


class DeliveryList(BaseModel):
    object: Literal["list"] = "list"
    data: list[DeliveryView]


class EventOutput(BaseModel):
    name: Annotated[str, Field(examples=["music.mid"])]
    content_type: Annotated[str, Field(examples=["audio/midi"])]
    bytes: Annotated[int, Field(examples=[2_413])]
    sha256: str


class EventJob(BaseModel):
    """The job as it ended, in short; `GET /v1/jobs/{id}` tells the rest."""

    id: Annotated[str, Field(examples=[_JOB_ID])]
    object: Literal["job"]
    status: Literal["succeeded", "failed", "canceled"]
    emotions: Annotated[Mix | None, Field(examples=[{"happy": 0.71, "angry": 0.08, "sad": 0.21}])]
    outputs: list[EventOutput]
    music: MusicView | None
    error: ErrorView | None
    warnings: list[WarningView]
    metadata: Annotated[dict[str, str], Field(examples=[{"scene": "harbour"}])]
    created_at: datetime
    finished_at: datetime


class JobEvent(BaseModel):
    """The body of a webhook: the same bytes at each attempt."""

    type: EventType
    timestamp: Annotated[datetime, Field(description="When the job ended")]
    data: EventJob


def secret_view(secret: WebhookSecret) -> SecretView:
    return SecretView(id=secret.id, created_at=secret.created_at)


def delivery_view(delivery: Delivery, attempts: Sequence[Attempt]) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        job_id=delivery.job_id,
        type=delivery.type,
        url=delivery.url,
        status=delivery.status,
        attempts=[AttemptView.model_validate(attempt, from_attributes=True) for attempt in attempts],
        next_attempt_at=delivery.due_at if delivery.lease_token is None else None,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )
