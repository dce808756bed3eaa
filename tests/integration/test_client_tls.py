"""The client over real TLS: a certificate is trusted or the key is not sent."""

import json
import ssl
from pathlib import Path

import pytest
from samples.mock_server import JOB_ID, KEY, job_json
from servers.receiver import Receiver, answer

from scenescore_client import Scenescore, UntrustedServerError

ACCEPTED = answer(202, json.dumps(job_json()).encode())


def test_a_certificate_that_nobody_here_trusts_ends_it_at_once(tls: ssl.SSLContext) -> None:
    with Receiver([ACCEPTED], tls=tls) as receiver, Scenescore(receiver.url(""), KEY) as client:
        with pytest.raises(UntrustedServerError, match="can't be trusted"):
            client.submit(b"picture")
        assert receiver.requests == []


def test_an_authority_of_ones_own_is_named_by_the_environment(
    tls: ssl.SSLContext, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    with Receiver([ACCEPTED], tls=tls) as receiver, Scenescore(receiver.url(""), KEY) as client:
        assert client.submit(b"picture").id == JOB_ID
        (request,) = receiver.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
