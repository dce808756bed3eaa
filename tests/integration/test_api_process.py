"""The API as a process, behind its real HTTP server: what it refuses, and what its log never says."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from samples.pictures import jpeg
from servers.scenescore import Stack

from scenescore_shared.api_keys import hash_of

OPEN = {"SCENESCORE_API__HOST": "0.0.0.0"}  # noqa: S104 - what it must refuse
LOCKED = {"SCENESCORE_API__REQUIRE_KEYS": "true"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, {**OPEN, **LOCKED, "SCENESCORE_LOG__LEVEL": "debug"})
    stack.run("scenescore_shared.provision")
    stack.start("api")
    yield stack
    assert stack.stop() == {"api": -signal.SIGTERM}


def new_key(api: Stack) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "scenescore_api.keys", "create", "me"],
        env=api.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def port_of(api: Stack) -> int:
    return int(api.environment["SCENESCORE_API__PORT"])


def status_of(api: Stack, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(api), timeout=20)
    with closing(connection):
        connection.request("POST" if body else "GET", path, body=body, headers=headers)
        return connection.getresponse().status


def test_a_strangers_upload_is_refused_before_a_byte_of_it_is_sent(api: Stack) -> None:
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: example\r\nContent-Length: 20000000\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port_of(api)), timeout=20) as connection:
        started = time.monotonic()
        connection.sendall(head.encode())
        answer = connection.recv(65536)
        assert time.monotonic() - started < 5
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'Bearer realm="scenescore"' in answer


def test_over_a_real_connection_head_ends_where_the_body_would_begin(api: Stack) -> None:
    with socket.create_connection(("127.0.0.1", port_of(api)), timeout=20) as connection:
        request = "{} /v1/capabilities HTTP/1.1\r\nHost: example\r\n{}\r\n"
        connection.sendall(
            request.format("HEAD", "").encode() + request.format("GET", "Connection: close\r\n").encode()
        )
        read = b""
        while chunk := connection.recv(65536):
            read += chunk
    head, get = re.split(rb"(?<=\r\n\r\n)(?=HTTP/)", read)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", get)
    assert length is not None
    assert length[0] in head
    assert len(get.split(b"\r\n\r\n", 1)[1]) == int(length[1])


GET = b"GET /v1/capabilities HTTP/1.1\r\nHost: example\r\n"
POST = b"POST /v1/jobs HTTP/1.1\r\nHost: example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"


@pytest.mark.parametrize(
    ("begin", "endless"),
    [(GET + b"X-Long: ", b"a" * 1000), (GET, b"X-Many: a\r\n" * 100), (POST, b"X-Trailer: a\r\n" * 100)],
    ids=["a header", "headers", "trailers"],
)
def test_what_has_no_end_around_a_body_is_cut_off(api: Stack, begin: bytes, endless: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port_of(api)), timeout=20) as connection:
        sent = 0
        # what was sent after it was cut off lies in buffers, or is answered with a reset
        with suppress(ConnectionError):
            connection.sendall(begin)
            while sent < 50_000_000:
                connection.sendall(endless)
                sent += len(endless)
        assert sent < 20_000_000


def test_a_head_just_short_of_its_limit_is_read(api: Stack) -> None:
    assert status_of(api, "/v1/capabilities", {"X-Long": "a" * 60_000}) == 200
    assert status_of(api, "/v1/capabilities", {"X-Long": "a" * 600_000}) == 400


def test_no_line_of_the_log_holds_a_key_its_secret_or_its_hash(api: Stack) -> None:
    good = new_key(api)
    bad = good[:-1] + ("a" if good[-1] != "a" else "b")
    assert status_of(api, "/v1/jobs", {"Authorization": f"Bearer {good}"}) == 200
    boundary = (
        b'--B\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n'
        + jpeg()
        + b"\r\n--B--\r\n"
    )
    form = {"Content-Type": "multipart/form-data; boundary=B", "Authorization": f"Bearer {good}"}
    assert status_of(api, "/v1/jobs", form, boundary) == 202
    for key in (good, bad):
        for scheme in ("Bearer", "Basic", "Token", ""):
            assert status_of(api, "/v1/jobs", {"Authorization": f"{scheme} {key} x".strip()}) == 401
        for path in (
            f"/v1/jobs?key={key}",
            f"/v1/jobs?{key}",
            f"/v1/jobs/{key}",
            f"/{key}",
            f"/v1/jobs/{key}/image?{key}",
        ):
            assert status_of(api, path, {"Authorization": f"Bearer {good}"}) in {404, 422}
            assert status_of(api, path, {"X-API-Key": key, "X-Request-ID": key}) in {401, 404}
    log = api.log("api").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert any(line.get("key_id") == good.split("_")[1] for line in lines)
    assert any(line.get("path") == "/v1/jobs" and line.get("status") == 422 for line in lines)
    for key in (good, bad):
        secret = key.split("_")[2]
        for hidden in (key, secret, secret[:12], hash_of(key), hash_of(secret)):
            assert hidden not in log
    assert "?" not in "".join(line.get("path", "") for line in lines)


@pytest.mark.parametrize("command", [["scenescore_api"], ["scenescore_standalone", "up"]])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "scenescore.example"])  # noqa: S104 - refused
def test_it_listens_to_others_only_if_they_need_a_key(tmp_path: Path, command: list[str], host: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "SCENESCORE_API__HOST": host, "SCENESCORE_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "SCENESCORE_API__REQUIRE_KEYS=true" in ended.stderr
    assert not (tmp_path / "data").exists()
