import base64
import hashlib
import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from samples.api import SIGNING_KEY
from samples.jobs import NOW
from samples.webhooks import delivery_of
from standardwebhooks import Webhook, WebhookVerificationError

from scenescore_api.settings import ApiSettings
from scenescore_api.webhooks.signing import derived, new_secret, signed_headers, signing_key


def test_a_secret_is_derived_from_key_owner_and_id() -> None:
    secret = new_secret("alice", NOW)
    prefix, _, encoded = derived(SIGNING_KEY, secret).partition("_")
    assert prefix == "whsec"
    message = f"scenescore webhook secret v1:alice:{secret.id}".encode()
    expected = hmac.digest(SIGNING_KEY.get_secret_value().encode(), message, hashlib.sha256)
    assert base64.b64decode(encoded) == expected
    assert len(expected) == 32
    others = [
        derived(SIGNING_KEY, new_secret("alice", NOW)),
        derived(SecretStr("another key" * 5), secret),
        derived(SIGNING_KEY, secret),
    ]
    assert len({*others, derived(SIGNING_KEY, secret)}) == 3


def test_receivers_verify_with_either_secret_and_with_no_other() -> None:
    now = datetime.now(UTC)
    old, new = new_secret("", now), new_secret("", now)
    delivery = delivery_of()
    headers = signed_headers(delivery, SIGNING_KEY, [new, old], now)
    assert headers["webhook-id"] == delivery.id
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        message = Webhook(derived(SIGNING_KEY, secret)).verify(delivery.body, headers)
        assert message["type"] == "job.canceled"
        with pytest.raises(WebhookVerificationError):
            Webhook(derived(SIGNING_KEY, secret)).verify(delivery.body.replace("30", "31") + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(derived(SIGNING_KEY, new_secret("", now))).verify(delivery.body, headers)


def test_without_a_server_the_key_is_made_once_for_everybody(tmp_path: Path) -> None:
    settings = ApiSettings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        keys = {key.get_secret_value() for key in pool.map(signing_key, [settings] * 40) if key}
    assert len(keys) == 1
    (file,) = (tmp_path / "data").iterdir()
    assert file.name == "webhook-signing-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == keys.pop()
    assert len(file.read_text()) >= 32


def test_on_a_server_there_is_no_key_but_the_one_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENESCORE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SCENESCORE_DATABASE__URL", "postgresql+psycopg://somewhere/x")
    assert signing_key(ApiSettings()) is None
    monkeypatch.setenv("SCENESCORE_WEBHOOKS__SIGNING_KEY", "k" * 32)
    assert signing_key(ApiSettings()) == SecretStr("k" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SIGNING_KEY", "k" * 31, "at least 32"),
        ("ALLOWED_NETWORKS", "10.0.0.1/8", "host bits"),
        ("ALLOWED_NETWORKS", "inside", "does not appear"),
        ("LEASE_SECONDS", "10", "longer than timeout_seconds"),
        ("TIMEOUT_SECONDS", "21", "less than or equal to 20"),
    ],
)
def test_wrong_settings_are_refused_and_not_repeated(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SCENESCORE_WEBHOOKS__{name}", value)
    with pytest.raises(ValidationError, match=says) as refused:
        ApiSettings()
    assert "k" * 31 not in str(refused.value)


def test_networks_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENESCORE_WEBHOOKS__ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8,")
    assert [str(network) for network in ApiSettings().webhooks.allowed_networks] == ["10.0.0.0/8", "fd00::/8"]
    monkeypatch.setenv("SCENESCORE_WEBHOOKS__ALLOWED_NETWORKS", "")
    assert ApiSettings().webhooks.allowed_networks == ()
