"""Listening sessions: a fixed set of pieces behind an unguessable link. Pure, but for the system's randomness."""

import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

TOKEN_PATTERN = "^scl_[0-9A-Za-z]{32}$"  # noqa: S105 - what tokens look like
"""A link's token: 190 random bits. The prefix is what keeps it out of logs (`api_keys.redacted`)."""

_LETTERS = string.digits + string.ascii_letters
_TOKEN_LENGTH = 32
_ITEM_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningItem:
    """A piece under a name that says nothing of its job."""

    id: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningSession:
    """`items` are those whose jobs are there still, as they were given. Times are aware and in UTC."""

    id: str
    owner: str | None
    title: str
    items: Sequence[ListeningItem]
    created_at: datetime
    closes_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.closes_at is None or now < self.closes_at


def new_token() -> str:
    """What a link is made of. Only its SHA-256 is kept (`api_keys.hash_of`)."""
    return "scl_" + "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LENGTH))


def new_item(job_id: str) -> ListeningItem:
    return ListeningItem(id="".join(secrets.choice(_LETTERS) for _ in range(_ITEM_LENGTH)), job_id=job_id)


def in_order_for(listener: str, session: ListeningSession) -> list[ListeningItem]:
    """The items in an order that is random from listener to listener, and the same for one whenever he comes back: of
    two orders none is likelier, so that what comes first, or after what, weighs on no piece (Latin squares would take a
    known number of listeners).
    """

    def place(item: ListeningItem) -> bytes:
        return hashlib.sha256(f"{session.id}\n{item.id}\n{listener}".encode()).digest()

    return sorted(session.items, key=place)
