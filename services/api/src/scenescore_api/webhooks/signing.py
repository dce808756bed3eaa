"""Secrets, derived and never stored, and the signatures made with them."""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from secrets import token_hex, token_urlsafe

from pydantic import SecretStr
from standardwebhooks import Webhook

from scenescore_api.settings import ApiSettings
from scenescore_shared.webhooks import Delivery, WebhookSecret

_KEY_FILE = "webhook-signing-key"
_PREFIX = "whsec_"


def new_secret(owner: str, now: datetime) -> WebhookSecret:
    return WebhookSecret(id=f"whs_{token_hex(12)}", owner=owner, created_at=now)


def derived(key: SecretStr, secret: WebhookSecret) -> str:
    """The secret as its owner knows it: the same each time, from the server's key and the secret's name."""
    name = f"scenescore webhook secret v1:{secret.owner}:{secret.id}".encode()
    digest = hmac.digest(key.get_secret_value().encode(), name, hashlib.sha256)
    return _PREFIX + base64.b64encode(digest).decode()


def signed_headers(
    delivery: Delivery, key: SecretStr, secrets: Iterable[WebhookSecret], now: datetime
) -> dict[str, str]:
    """The three headers of Standard Webhooks, with a signature by each secret."""
    signatures = [Webhook(derived(key, secret)).sign(delivery.id, now, delivery.body) for secret in secrets]
    return {
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def signing_key(settings: ApiSettings) -> SecretStr | None:
    """The server's key: the one that is set, or on SQLite one in data_dir, made by whoever comes first."""
    if settings.webhooks.signing_key is not None or not settings.on_sqlite:
        return settings.webhooks.signing_key
    path = settings.data_dir / _KEY_FILE
    if not path.exists():
        _make_key(path)
    return SecretStr(path.read_text(encoding="ascii"))


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{token_hex(8)}")
    file = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w", encoding="ascii") as writer:
            writer.write(token_urlsafe(48))
            writer.flush()
            os.fsync(writer.fileno())
        # a link, unlike a rename, never replaces what another process has put there meanwhile
        path.hardlink_to(staged)
    except FileExistsError:
        return
    finally:
        staged.unlink()
