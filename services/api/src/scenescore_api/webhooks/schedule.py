"""The life of a delivery: claims, results, the times of the next attempts, and replays. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from scenescore_shared.errors import IllegalMoveError
from scenescore_shared.webhooks import Attempt, Delivery, DeliveryStatus, Moved

OFFSETS: Sequence[timedelta] = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=24),
)
"""When each attempt is due, counted from the first."""

JITTER = 0.1
"""The most by which an attempt comes early, as a share of its offset: never late, so all ends within a day."""

_MAY_ASK_FOR_TIME = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of sending: a status code, or else a sentence about why there is none."""

    status_code: int | None = None
    error: str | None = None
    retry_after: str | None = None
    final: bool = False
    """Trying again can't help."""


def claim(delivery: Delivery, *, now: datetime, token: str, lease: timedelta) -> Moved:
    """A due delivery in the hands of the deliverer that made up `token`.

    Where the one before was lost in the middle of an attempt, that goes on record; if it was the last, all ends.
    """
    lost = None
    if delivery.lease_token is not None:
        lost = Attempt(
            delivery_id=delivery.id,
            number=delivery.attempts,
            at=(delivery.due_at or now) - lease,
            status_code=None,
            error="The sending process was lost; whether the message arrived is not known.",
            seconds=0.0,
        )
        if delivery.steps >= len(OFFSETS):
            return Moved(delivery=_ended(delivery, DeliveryStatus.FAILED, now), attempt=lost)
    claimed = replace(
        delivery,
        attempts=delivery.attempts + 1,
        steps=delivery.steps + 1,
        first_tried_at=delivery.first_tried_at or now,
        due_at=now + lease,
        lease_token=token,
    )
    return Moved(delivery=claimed, attempt=lost)


def record(
    delivery: Delivery, answer: Answer, *, started: datetime, now: datetime, token: str, jitter: float
) -> Moved:
    """The delivery after an attempt that the holder of `token` made; `jitter` is drawn from [0, 1].

    Raises IllegalMoveError where somebody else holds it by now.
    """
    if delivery.lease_token != token:
        raise IllegalMoveError(f"The delivery {delivery.id} is in other hands by now.")
    attempt = Attempt(
        delivery_id=delivery.id,
        number=delivery.attempts,
        at=started,
        status_code=answer.status_code,
        error=answer.error,
        seconds=round((now - started).total_seconds(), 3),
    )
    return Moved(delivery=_after(delivery, answer, now, jitter), attempt=attempt)


def replay(delivery: Delivery, *, now: datetime) -> Moved:
    """The same message, due now on a fresh schedule. Raises IllegalMoveError in the middle of an attempt."""
    if delivery.lease_token is not None and delivery.due_at is not None and delivery.due_at > now:
        raise IllegalMoveError(
            f"The delivery {delivery.id} is being attempted just now: see what comes of it, then replay it."
        )
    fresh = replace(
        delivery,
        status=DeliveryStatus.PENDING,
        steps=0,
        first_tried_at=None,
        due_at=now,
        lease_token=None,
        finished_at=None,
    )
    return Moved(delivery=fresh)


def waiting(
    delivery: Delivery, *, now: datetime, jitter: float, retry_after: timedelta | None = None
) -> Delivery | None:
    """The delivery until the next step of its schedule, None after the last.

    Of the steps that went by meanwhile only the last is made up for. A receiver that asks for more time gets it,
    up to the step after that, and up to a day in all.
    """
    first = delivery.first_tried_at or now
    gone_by = [step for step in range(delivery.steps, len(OFFSETS)) if OFFSETS[step] <= now - first]
    step = gone_by[-1] if gone_by else delivery.steps
    if step >= len(OFFSETS):
        return None
    due = max(now, first + OFFSETS[step] * (1 - JITTER * jitter))
    if retry_after is not None:
        bound = first + OFFSETS[min(step + 1, len(OFFSETS) - 1)]
        due = max(due, min(now + retry_after, bound))
    return replace(delivery, steps=step, due_at=due, lease_token=None)


def retry_after_of(answer: Answer, now: datetime) -> timedelta | None:
    """How long the receiver asks to be left alone: seconds, or a date (RFC 9110 §10.2.3)."""
    text = (answer.retry_after or "").strip()
    if answer.status_code not in _MAY_ASK_FOR_TIME or not text:
        return None
    if text.isascii() and text.isdigit():
        # no more digits than a day could need: beyond that timedelta overflows
        return min(timedelta(seconds=int(text[:10])), OFFSETS[-1])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=now.tzinfo)
    return max(at - now, timedelta(0))


def _after(delivery: Delivery, answer: Answer, now: datetime, jitter: float) -> Delivery:
    code = answer.status_code
    if code is not None and HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES:
        return _ended(delivery, DeliveryStatus.DELIVERED, now)
    if code == HTTPStatus.GONE:
        return _ended(delivery, DeliveryStatus.GONE, now)
    until_next = None
    if not answer.final:
        until_next = waiting(delivery, now=now, jitter=jitter, retry_after=retry_after_of(answer, now))
    return until_next or _ended(delivery, DeliveryStatus.FAILED, now)


def _ended(delivery: Delivery, status: DeliveryStatus, now: datetime) -> Delivery:
    return replace(delivery, status=status, due_at=None, lease_token=None, finished_at=now)
