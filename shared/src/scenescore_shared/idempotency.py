"""Idempotency keys: the same request sent twice is done once (draft-ietf-httpapi-idempotency-key-header-07). Pure.

A request first reserves its key. The transaction that commits its job writes its answer to the reservation as well,
so that either both are there or neither is. A reservation without an answer ends by itself: its request has died.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scenescore_shared.errors import IdempotencyKeyInFlightError, IdempotencyKeyReusedError

KEPT_FOR = timedelta(hours=24)
RESERVED_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """A request and the key it came with. `owner` is empty for callers without an API key; `token` is the request's
    own.
    """

    owner: str
    key: str
    fingerprint: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What is kept of a key. `answer` is None as long as its request is at work."""

    fingerprint: str
    token: str
    reserved_until: datetime
    created_at: datetime
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the claimant is about to be told, to be kept for whoever sends the same again."""

    claimant: Claimant
    answer: Mapping[str, Any]


def fingerprint(picture_sha256: str | None, options: Mapping[str, Any]) -> str:
    """Of what was asked for, not of the raw body, whose multipart boundaries differ from try to try."""
    asked = json.dumps([picture_sha256, options], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(asked.encode()).hexdigest()


def reserved(claimant: Claimant, now: datetime) -> Reservation:
    return Reservation(
        fingerprint=claimant.fingerprint,
        token=claimant.token,
        reserved_until=now + RESERVED_FOR,
        created_at=now,
    )


def earlier_answer(found: Reservation, claimant: Claimant, now: datetime) -> Mapping[str, Any] | None:
    """What the key was answered before; None when the claimant may take the key over.

    Raises IdempotencyKeyReusedError when the key came with something else before, and IdempotencyKeyInFlightError
    while that request is at work.
    """
    if found.created_at <= now - KEPT_FOR:
        return None
    if found.fingerprint != claimant.fingerprint:
        raise IdempotencyKeyReusedError
    if found.answer is None and found.reserved_until > now:
        raise IdempotencyKeyInFlightError
    return found.answer
