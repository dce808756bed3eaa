"""Forms that are broken, lie, or never end: each is a 4xx problem document, and hurts nobody else."""

import json
import socket
import time
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from samples.api import Api, api_on_fakes
from samples.pictures import jpeg
from servers.in_thread import served
from starlette import formparsers

from scenescore_shared.ports import Everybody

_START = b'--B\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'
_OPTIONS = b'--B\r\nContent-Disposition: form-data; name="options"\r\n\r\n{}\r\n'
_WHOLE = _START + jpeg() + b"\r\n--B--\r\n"
_TYPE = "multipart/form-data; boundary=B"


def _part(name: str, value: bytes = b"x", *, more: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data", _WHOLE, "malformed_request"),
        ("multipart/form-data; boundary=", _WHOLE, "malformed_request"),
        ("multipart/form-data; boundary=other", _WHOLE, "malformed_request"),
        ("multipart/form-data; boundary=" + "B" * 5000, _WHOLE, "malformed_request"),
        ("multipart/mixed; boundary=B", _WHOLE, "malformed_request"),
        ("application/json", b"{}", "malformed_request"),
        ("", _WHOLE, "malformed_request"),
        (_TYPE, _START + jpeg() + b"\r\n" + _WHOLE, "invalid_request"),
        (_TYPE, _OPTIONS + _OPTIONS + _WHOLE, "invalid_request"),
        (_TYPE, b"--B\r\nX: " + b"a" * 100_000 + b"\r\n\r\n\r\n--B--\r\n", "malformed_request"),
        (_TYPE, b"--B\r\n" + b"X: a\r\n" * 5000 + b"\r\n\r\n--B--\r\n", "malformed_request"),
        (_TYPE, b"--B\r\n\r\nno name\r\n--B--\r\n", "malformed_request"),
        (_TYPE, b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n", "malformed_request"),
        (_TYPE, _part("x") * 3000 + b"--B--\r\n", "malformed_request"),
        (_TYPE, _part("image", more='; filename="p"') * 2000 + b"--B--\r\n", "malformed_request"),
        (_TYPE, _part("image\0", jpeg(), more='; filename="p"') + b"--B--\r\n", "invalid_request"),
        (_TYPE, _part("options", b"\0" * 100) + _WHOLE, "invalid_request"),
        (_TYPE, _part("options", b"x" * 100_000) + _WHOLE, "malformed_request"),
        (_TYPE, _part("options", b"[" * 60_000) + _WHOLE, "invalid_request"),
        (
            _TYPE,
            _part("image", b"--C\r\n\r\n" + jpeg() + b"\r\n--C--", more='; filename="p"') + b"--B--",
            None,
        ),
        (_TYPE + "; charset=utf-16", _part("options", b"\xff") + b"--B--\r\n", None),
        (_TYPE, b"\0" * 100_000, "malformed_request"),
        (_TYPE, b"--B", "malformed_request"),
        (_TYPE, b"\r\n" * 50_000, "malformed_request"),
    ],
)
def test_a_broken_form_is_a_problem_that_says_why(
    api: Api, content_type: str, body: bytes, code: str | None
) -> None:
    answer = api.client.post("/v1/jobs", content=body, headers={"Content-Type": content_type})
    problem = answer.json()
    assert 400 <= answer.status_code < 500, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["detail"].endswith(".")
    assert code in {None, problem["code"]}, problem
    assert list(api.blobs.list("")) == []


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("before", [b"", _OPTIONS])
def test_a_form_cut_off_within_its_picture_says_so(api: Api, before: bytes, kept: float) -> None:
    whole = before + _WHOLE
    body = whole[: len(before) + int(len(_WHOLE) * kept)]
    answer = api.client.post("/v1/jobs", content=body, headers={"Content-Type": _TYPE})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert "cut off" in answer.json()["detail"]


def test_a_form_in_single_bytes_is_read_like_any_other(api: Api) -> None:
    chunks = (bytes([byte]) for byte in _WHOLE)
    answer = api.client.post("/v1/jobs", content=chunks, headers={"Content-Type": _TYPE})
    assert answer.status_code == 202


def _head(length: int | None) -> bytes:
    size = b"Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}".encode()
    return (
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
        + _TYPE.encode()
        + b"\r\n"
        + size
        + b"\r\n\r\n"
    )


def _exchange(port: int, *sent: bytes, end: bool = False) -> tuple[int, dict[str, object]]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        for data in sent:
            client.sendall(data)
        if end:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(65_536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += client.recv(65_536)
    return int(head.split()[1]), json.loads(body[:length])


def test_a_whole_request_is_answered_whatever_nonsense_follows_it(api: Api) -> None:
    with served(api.client.app) as port, socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(_head(len(_WHOLE)) + _WHOLE + b"\0nonsense\r\n\r\n")
        answer = b""
        while data := client.recv(65_536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert len(api.jobs.page(whose=Everybody(), status=None, limit=9, before_id=None)) == 1


def test_over_a_real_socket_lies_are_found_and_nobody_waits_for_the_slow(api: Api) -> None:
    with served(api.client.app) as port:
        stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        for client in stalled:
            client.sendall(_head(len(_WHOLE)) + _WHOLE[:200])
        # a hundred that stall, and still:
        assert _exchange(port, _head(len(_WHOLE)), _WHOLE)[0] == 202
        pieces = (
            b"%x\r\n%b\r\n" % (len(_WHOLE[at : at + 7]), _WHOLE[at : at + 7]) for at in range(0, 2000, 7)
        )
        rest = _WHOLE[2002:]
        assert _exchange(port, _head(None), *pieces, b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))[0] in {
            202,
            422,
        }
        for client in stalled[:50]:
            client.sendall(_WHOLE[200:])
        assert {client.recv(65_536).split()[1] for client in stalled[:50]} == {b"202"}
        # a length that is too small cuts the form off; one that is huge is refused as soon as the bytes are too many
        short = _exchange(port, _head(300), _WHOLE)
        assert (short[0], short[1]["code"]) == (400, "malformed_request")
        huge = _exchange(port, _head(10**12), _START + bytes(600_000))
        assert (huge[0], huge[1]["code"]) == (413, "picture_too_large")
        for client in stalled:
            client.close()
        # those who left in the middle are no fault of the server's
        assert _exchange(port, _head(len(_WHOLE)), _WHOLE)[0] == 202
    metrics = api.client.get("/metrics").text
    assert 'status="500"' not in metrics


def test_a_form_that_trickles_is_given_up_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[SpooledTemporaryFile[bytes]] = []

    def keep(**options: Any) -> SpooledTemporaryFile[bytes]:
        kept.append(SpooledTemporaryFile(**options))  # noqa: SIM115 - the form closes it, or fails the test
        return kept[-1]

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", keep)
    with (
        api_on_fakes(upload_seconds=0.5) as api,
        served(api.client.app) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as client,
    ):
        client.sendall(_head(len(_WHOLE)) + _WHOLE[:200])
        client.settimeout(0.05)
        answer, started = b"", time.monotonic()
        for byte in _WHOLE[200:]:
            assert time.monotonic() - started < 20
            # each byte comes long before any pause could be noticed; in the end nobody takes it
            try:
                data = client.recv(65_536)
            except TimeoutError:
                data = None
            except ConnectionResetError:
                break  # a byte met the closed end; what was answered has been read before
            if data == b"":
                break
            answer += data or b""
            with suppress(ConnectionError):
                client.sendall(bytes([byte]))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head.lower()
    assert json.loads(body)["code"] == "request_timeout"
    assert [file.closed for file in kept] == [True]
    assert list(api.blobs.list("")) == []
