"""One message over real HTTP: what comes of every kind of receiver, and of those that should not be reached."""

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from servers.process import free_port
from servers.receiver import Receiver, answer, drip, drip_body, hang_up, nonsense, pour

from scenescore_api.webhooks.addresses import AddressRules, Resolver
from scenescore_api.webhooks.schedule import Answer
from scenescore_api.webhooks.sender import Sender, look_up
from scenescore_shared.webhook_urls import WebhookUrl, parse_webhook_url

LOOPBACK = AddressRules(allowed=(ip_network("127.0.0.0/8"),))
HEADERS = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x v1,y"}


def sender(
    *,
    rules: AddressRules = LOOPBACK,
    resolver: Resolver = look_up,
    seconds: float = 10.0,
    tls: ssl.SSLContext | None = None,
) -> Sender:
    return Sender(
        rules=rules,
        timeout_seconds=seconds,
        user_agent="Scenescore/1.2.3",
        resolver=resolver,
        tls=tls or ssl.create_default_context(),
    )


def send(url: str, by: Sender | None = None, body: bytes = b'{"a":1}') -> Answer:
    return (by or sender()).send(parse_webhook_url(url), body, HEADERS)


def always(*addresses: str) -> Resolver:
    return lambda _host, _port: addresses


def test_the_receiver_gets_the_bytes_and_the_headers() -> None:
    with Receiver([answer(204)]) as receiver:
        assert send(receiver.url()) == Answer(status_code=204)
    (request,) = receiver.requests
    assert request.body == b'{"a":1}'
    assert request.path == "/hook?token=hidden-in-the-url"
    assert (
        request.headers.items()
        >= {
            **HEADERS,
            "content-type": "application/json",
            "content-length": "7",
            "user-agent": "Scenescore/1.2.3",
            "host": f"127.0.0.1:{receiver.port}",
        }.items()
    )


@pytest.mark.parametrize("status", [200, 201, 299, 404, 410, 500])
def test_the_status_is_told(status: int) -> None:
    with Receiver([answer(status, b"body")]) as receiver:
        assert send(receiver.url()) == Answer(status_code=status)


def test_retry_after_is_told() -> None:
    with Receiver([answer(429, Retry_After="7")]) as receiver:
        assert send(receiver.url()) == Answer(status_code=429, retry_after="7")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Receiver([answer(200)]) as trap, Receiver([answer(status, Location=trap.url())]) as receiver:
        assert send(receiver.url()).status_code == status
        assert len(receiver.requests) == 1
    assert trap.requests == []


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver([answer(200)]) as trap, Receiver([answer(200)]) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.url("/"))
        assert send(receiver.url()) == Answer(status_code=200)
    assert trap.requests == []


def test_a_receiver_that_hangs_up_talks_nonsense_or_is_away_is_told_in_a_sentence() -> None:
    with Receiver([hang_up, nonsense]) as receiver:
        assert send(receiver.url()).error == "The receiver closed the connection without an answer."
        assert send(receiver.url()).error == "The receiver's answer was no HTTP."
    assert send(f"http://127.0.0.1:{free_port()}/").error == "The receiver refused the connection."


@pytest.mark.parametrize("behave", [drip, lambda _: time.sleep(5)])
def test_a_slow_receiver_has_so_long_and_no_longer(behave: Any) -> None:
    with Receiver([behave]) as receiver:
        started = time.monotonic()
        assert send(receiver.url(), sender(seconds=0.8)).error == "There was no whole answer within 0.8 s."
        assert 0.7 < time.monotonic() - started < 3


@pytest.mark.parametrize("behave", [drip_body, pour])
def test_a_body_without_an_end_takes_nothing_from_the_answer(behave: Any) -> None:
    with Receiver([behave]) as receiver:
        started = time.monotonic()
        assert send(receiver.url(), sender(seconds=0.8)) == Answer(status_code=200)
        assert time.monotonic() - started < 3


def test_a_handshake_that_never_comes_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        answered = send(f"https://127.0.0.1:{mute.getsockname()[1]}/", sender(seconds=0.8))
        assert answered.error == "There was no whole answer within 0.8 s."
        assert time.monotonic() - started < 3


def test_a_lookup_that_never_ends_is_given_up() -> None:
    stuck = threading.Event()

    def resolver(_host: str, _port: int) -> Sequence[str]:
        stuck.wait(30)
        return []

    started = time.monotonic()
    answered = send("https://stuck.example/", sender(seconds=0.5, resolver=resolver))
    stuck.set()
    assert answered.error == "There was no whole answer within 0.5 s."
    assert time.monotonic() - started < 3


def test_a_name_that_is_none_is_told() -> None:
    def resolver(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert send("https://nowhere.example/", sender(resolver=resolver)).error == (
        "The host's name could not be looked up."
    )


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("::1",),
        ("8.8.8.8", "127.0.0.1"),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("0.0.0.0",),  # noqa: S104 - an address to refuse
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_with_an_inner_address_is_not_connected_to(
    scheme: str, addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket.socket, "connect", connect)
    answered = send(f"{scheme}://inside.example/", sender(rules=AddressRules(), resolver=always(*addresses)))
    assert answered.status_code is None
    assert any(reason in (answered.error or "") for reason in ("not public", "use https"))
    assert not any(address in (answered.error or "") for address in addresses)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "0", "127.0.0.1"]
)
def test_however_the_loopback_is_written_the_systems_lookup_gives_it_away(host: str) -> None:
    with Receiver([answer(200)]) as trap:
        # as if the check at submission had missed it
        url = WebhookUrl(secure=False, host=host, port=trap.port, target="/")
        answered = sender(rules=AddressRules()).send(url, b"", HEADERS)
        assert answered.status_code is None
        assert answered.error is not None
    assert trap.requests == []


def test_a_second_lookup_that_answers_otherwise_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver([answer(200)]) as receiver:
        asked: list[str] = []
        real = socket.getaddrinfo

        def rebinding(host: Any, *rest: Any, **named: Any) -> Any:
            asked.append(str(host))
            return real("127.0.0.1" if asked.count("rebinding.example") == 1 else "127.0.0.9", *rest, **named)

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        connected: list[Any] = []
        real_connect = socket.socket.connect

        def connect(self: socket.socket, address: Any) -> None:
            connected.append(address[0])
            real_connect(self, ("127.0.0.1", address[1]))

        monkeypatch.setattr(socket.socket, "connect", connect)
        resolved: list[Sequence[str]] = []

        def resolver(host: str, port: int) -> Sequence[str]:
            resolved.append(look_up(host, port))
            return resolved[-1]

        send(receiver.url(host="rebinding.example"), sender(resolver=resolver))
        assert asked.count("rebinding.example") == 1
        assert resolved == [["127.0.0.1"]]
        assert "rebinding.example" not in asked[1:]


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    with Receiver([answer(200)]) as receiver:
        answered = send(receiver.url(host="hooks.example"), sender(resolver=always("127.0.0.1")))
    assert answered == Answer(status_code=200)
    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_an_address_that_is_away_leaves_the_others() -> None:
    with Receiver([answer(200)]) as receiver:
        away = "127.0.0.77"
        answered = send(receiver.url(host="hooks.example"), sender(resolver=always(away, "127.0.0.1")))
    assert answered == Answer(status_code=200)
    assert len(receiver.requests) == 1


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority / "ca.pem"))


@pytest.mark.parametrize("host", ["hooks.example", "hooks.example.", "127.0.0.1"])
def test_tls_is_verified_by_the_name_and_pinned_to_the_address(
    authority: Path, tls: ssl.SSLContext, host: str
) -> None:
    with Receiver([answer(200)], tls=tls) as receiver:
        by = sender(resolver=always("127.0.0.1"), tls=trusting(authority))
        assert send(receiver.url(host=host), by) == Answer(status_code=200)
    assert receiver.requests[0].headers["host"] == f"{host.rstrip('.')}:{receiver.port}"


def test_a_certificate_of_another_name_is_refused(authority: Path, tls: ssl.SSLContext) -> None:
    with Receiver([answer(200)], tls=tls) as receiver:
        by = sender(resolver=always("127.0.0.1"), tls=trusting(authority))
        answered = send(receiver.url(host="other.example"), by)
    assert "certificate is not good" in (answered.error or "")
    assert receiver.requests == []


def test_a_certificate_that_nobody_known_signed_is_refused(tls: ssl.SSLContext) -> None:
    with Receiver([answer(200)], tls=tls) as receiver:
        answered = send(receiver.url(host="hooks.example"), sender(resolver=always("127.0.0.1")))
    assert "certificate is not good" in (answered.error or "")
    assert receiver.requests == []


def test_a_receiver_without_tls_is_told() -> None:
    with Receiver([answer(200)]) as receiver:
        answered = send(receiver.url().replace("http:", "https:"))
    assert answered.error == "The receiver and this server could not agree on TLS."
    assert receiver.requests == []


def test_a_dripping_tls_receiver_is_cut_off_too(authority: Path, tls: ssl.SSLContext) -> None:
    with Receiver([drip], tls=tls) as receiver:
        started = time.monotonic()
        answered = send(receiver.url(), sender(seconds=0.8, tls=trusting(authority)))
        assert answered.error == "There was no whole answer within 0.8 s."
        assert time.monotonic() - started < 3
