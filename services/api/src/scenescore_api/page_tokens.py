"""Opaque page tokens: where the next page starts."""

import base64
import binascii
from uuid import UUID

from scenescore_shared.errors import InvalidRequestError

PATTERN = "^[A-Za-z0-9_-]{22}$"
"""What tokens look like, for OpenAPI."""


def encode(last_id: str) -> str:
    return base64.urlsafe_b64encode(UUID(last_id).bytes).decode().rstrip("=")


def decode(token: str) -> str:
    """The id after which the page starts. Raises InvalidRequestError for what `encode` did not make."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return str(UUID(bytes=raw))
    except (binascii.Error, ValueError):
        raise InvalidRequestError(
            "The page_token is not one that this API gave out. Start again without it."
        ) from None
