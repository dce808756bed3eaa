"""One server, its key for it alone, and no secret where somebody may read it."""

import logging
import ssl
from pathlib import Path

import httpx2
import pytest
from samples.mock_server import (
    JOB_PATH,
    KEY,
    SERVER,
    Chunks,
    MockServer,
    job,
    job_json,
    output_json,
    problem,
)

from scenescore_client import (
    ConnectionFailedError,
    Job,
    NotAuthenticatedError,
    Scenescore,
    StoreFailedError,
    UnexpectedAnswerError,
    UntrustedServerError,
    UsageError,
)

FILE = f"GET {JOB_PATH}/outputs/music.mid"
STORE = "http://store.test:9000/bucket/music.mid"
SIGNED = f"{STORE}?X-Amz-Signature=signature-that-opens-it"
DONE = Job.parse(job_json(status="succeeded", outputs=[output_json()]))


@pytest.fixture
def server() -> MockServer:
    return MockServer()


def redirect(url: str) -> httpx2.Response:
    return httpx2.Response(307, headers={"Location": url})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "scenescore.test",
        "ftp://scenescore.test",
        "http://",
        "http://scenescore.test:port",
        "https://ann:hush@scenescore.test",
        "https://scenescore.test/?hush=1",
        "https://scenescore.test/#x",
    ],
)
def test_what_is_no_servers_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Scenescore(url)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("key", ["F# minor", "scs_a\nX-Evil: 1", "schlüssel"])
def test_what_can_not_be_a_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError) as raised:
        Scenescore(SERVER, key)
    assert key not in str(raised.value)


def test_the_key_goes_to_the_server_below_its_own_path(server: MockServer) -> None:
    server.on(f"GET /api{JOB_PATH}", job())
    with server.client(url=f"{SERVER}/api/") as client:
        client.get(DONE)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent(server: MockServer) -> None:
    server.on(f"GET {JOB_PATH}", job())
    with server.client(key=None) as client:
        client.get(DONE)
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [SIGNED, "https://scenescore.test:8000/file", f"{SERVER}/elsewhere", "/elsewhere", "//other.test/file"],
)
def test_a_redirected_file_is_fetched_without_the_key(server: MockServer, url: str) -> None:
    cookie = httpx2.Response(307, headers={"Location": url, "Set-Cookie": "balancer=1; Path=/"})
    target = httpx2.URL(SERVER).join(url)
    server.on(FILE, cookie)
    server.on(f"GET {target.path}", httpx2.Response(200, content=b"MThd"))
    with server.client() as client:
        assert client.output(DONE, "music.mid") == b"MThd"
    asked, fetched = server.requests
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert fetched.url == target
    assert fetched.headers["Host"] == target.netloc.decode()
    assert {"authorization", "cookie"}.isdisjoint(fetched.headers)
    assert KEY not in str(fetched.headers.raw)


def test_a_store_may_send_on_but_not_for_ever(server: MockServer) -> None:
    server.on(FILE, redirect("http://a.test/1"))
    server.on("GET http://a.test/1", redirect("http://b.test/2"))
    server.on("GET http://b.test/2", httpx2.Response(200, content=b"MThd"))
    with server.client() as client:
        assert client.output(DONE, "music.mid") == b"MThd"
    assert all("authorization" not in request.headers for request in server.requests[1:])
    server.on("GET http://b.test/2", lambda _: redirect("http://b.test/2"))
    with server.client() as client, pytest.raises(UnexpectedAnswerError, match="on and on"):
        client.output(DONE, "music.mid")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://store.test/x", "http://store.test:port/", "mailto:a@b"]
)
def test_a_redirect_off_the_web_is_not_followed(server: MockServer, url: str) -> None:
    server.on(FILE, redirect(url))
    with server.client() as client, pytest.raises(UnexpectedAnswerError):
        client.output(DONE, "music.mid")
    assert len(server.requests) == 1


def test_a_redirect_out_of_the_encryption_is_not_followed(server: MockServer) -> None:
    server.on(FILE, redirect(SIGNED))
    with (
        server.client(url="https://scenescore.test") as client,
        pytest.raises(UnexpectedAnswerError) as raised,
    ):
        client.output(DONE, "music.mid")
    assert "signature" not in str(raised.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_server_that_is_elsewhere_is_named_and_gets_no_key(server: MockServer, status: int) -> None:
    server.on("POST /v1/jobs", httpx2.Response(status, headers={"Location": "https://new.test/v1/jobs?x=1"}))
    with (
        server.client() as client,
        pytest.raises(UnexpectedAnswerError, match=r"redirects to https://new\.test:"),
    ):
        client.submit(b"picture")
    assert len(server.requests) == 1


def test_a_presigned_address_that_ran_out_is_asked_for_anew(server: MockServer) -> None:
    server.on(FILE, lambda _: redirect(SIGNED))
    server.on(f"GET {STORE}", httpx2.Response(503), httpx2.Response(200, content=b"MThd"))
    with server.client() as client:
        assert client.output(DONE, "music.mid") == b"MThd"
    assert server.paths() == [FILE, "GET /bucket/music.mid"] * 2


def test_a_store_that_refuses_is_named_without_its_address(server: MockServer) -> None:
    server.on(FILE, redirect(SIGNED))
    server.on(f"GET {STORE}", httpx2.Response(403, text="<Error/>"))
    with server.client() as client, pytest.raises(StoreFailedError) as raised:
        client.output(DONE, "music.mid")
    assert str(raised.value) == "The object store http://store.test:9000 answered 403 instead of the file."


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.ReadTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.RemoteProtocolError("hung up"),
    ],
)
def test_a_lost_connection_is_tried_again(server: MockServer, trouble: Exception) -> None:
    server.on(f"GET {JOB_PATH}", trouble, job())
    with server.client() as client:
        client.get(DONE)
    assert server.time.waits == [0.5]


def test_a_server_that_never_answers_is_given_up_in_a_sentence(server: MockServer) -> None:
    server.on(f"GET {JOB_PATH}", httpx2.ConnectError("refused"))
    with server.client() as client, pytest.raises(ConnectionFailedError) as raised:
        client.get(DONE)
    assert str(raised.value) == f"{SERVER} does not answer (refused)."
    assert 60 < sum(server.time.waits) <= 90


def test_a_certificate_that_can_not_be_trusted_is_not_tried_again(server: MockServer) -> None:
    def distrust(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("certificate verify failed") from ssl.SSLCertVerificationError()

    server.on(f"GET {JOB_PATH}", distrust)
    with server.client() as client, pytest.raises(UntrustedServerError):
        client.get(DONE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>Welcome</html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={"id": 1}),
        httpx2.Response(200, json=None),
        httpx2.Response(204),
        httpx2.Response(200, json=job_json(created_at="yesterday")),
        httpx2.Response(200, json=job_json(outputs=[{"name": "music.mid"}])),
    ],
)
def test_what_is_no_answer_of_scenescores_is_said_to_be_none(
    server: MockServer, answer: httpx2.Response
) -> None:
    server.on(f"GET {JOB_PATH}", answer)
    with server.client() as client, pytest.raises(UnexpectedAnswerError, match=r"scenescore\.test:8000"):
        client.get(DONE)


def test_a_file_that_breaks_off_is_fetched_again_whole(server: MockServer, tmp_path: Path) -> None:
    broken = httpx2.Response(200, stream=Chunks(b"MT", httpx2.ReadError("reset")))
    server.on(FILE, broken, httpx2.Response(200, content=b"MThd"))
    with server.client() as client:
        assert client.download(DONE, tmp_path) == {"music.mid": tmp_path / "music.mid"}
    assert (tmp_path / "music.mid").read_bytes() == b"MThd"
    assert server.time.waits == [0.5]


def test_no_secret_is_in_a_repr_a_log_or_an_error(
    server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on(FILE, redirect(SIGNED))
    server.on(f"GET {STORE}", httpx2.Response(200, content=b"MThd"))
    server.on(f"GET {JOB_PATH}", problem(401, "not_authenticated"))
    with server.client() as client:
        client.output(DONE, "music.mid")
        with pytest.raises(NotAuthenticatedError) as raised:
            client.get(DONE)
        said = f"{client!r} {client} {raised.value!r} {caplog.text}"
    assert STORE in caplog.text
    assert KEY not in said
    assert "signature" not in said.lower()
