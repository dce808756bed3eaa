"""API keys, and the sessions that stand for them in a browser. Whoever holds one is let in; the server keeps its
SHA-256 only. Pure, but for the system's randomness.
"""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

_PREFIX = "scs"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 12
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
"""Digits that 32 bytes take in base 62."""

_KEY = re.compile(rf"{_PREFIX}_(?P<id>[0-9A-Za-z]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}")
_LOOKS_LIKE_SECRET = re.compile(rf"({_PREFIX}_[0-9A-Za-z]{{1,32}}|scl)_[0-9A-Za-z]+")
"""A key, or the token of a listening session's link."""
_OWNER = re.compile(r"[A-Za-z0-9._@-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. `id` is a part of it that is no secret; keys with one `owner` share their jobs."""

    id: str
    hash: str
    name: str
    owner: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySession:
    """What is known of a session: whoever holds its token asks as the key, as long as that is not revoked."""

    hash: str
    key_id: str
    created_at: datetime
    expires_at: datetime


def new_session(key: ApiKey, *, now: datetime, lasts: timedelta) -> tuple[str, KeySession]:
    """A new session's token, told this once, and what is kept of it."""
    token = secrets.token_urlsafe(_SECRET_BYTES)
    kept = KeySession(hash=hash_of(token), key_id=key.id, created_at=now, expires_at=now + lasts)
    return token, kept


def new_key(*, name: str, owner: str | None, scopes: frozenset[str], now: datetime) -> tuple[str, ApiKey]:
    """A new key, told this once, and what is kept of it. Without an owner it owns its jobs itself."""
    key_id = "".join(secrets.choice(_BASE62) for _ in range(_ID_LENGTH))
    key = f"{_PREFIX}_{key_id}_{_in_base62(int.from_bytes(secrets.token_bytes(_SECRET_BYTES)))}"
    kept = ApiKey(
        id=key_id, hash=hash_of(key), name=name, owner=owner or key_id, scopes=scopes, created_at=now
    )
    return key, kept


def is_well_formed(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def is_owner(name: str) -> bool:
    """Whether a set of jobs may be called so."""
    return _OWNER.fullmatch(name) is not None


def hash_of(key: str) -> str:
    """Without salt and in one round: 256 random bits can be neither guessed nor tabled (docs/adr/0102)."""
    return hashlib.sha256(key.encode()).hexdigest()


def redacted(text: str) -> str:
    """`text` with the secret part of each key, and each token of a listening session, taken out."""
    return _LOOKS_LIKE_SECRET.sub(r"\1_…", text)


def _in_base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits.rjust(_SECRET_LENGTH, _BASE62[0])
