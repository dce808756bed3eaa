"""What every answer tells a browser; HEAD, OPTIONS and query parameters that nobody knows."""

import base64
import hashlib
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import anyio
import pytest
from fastapi.responses import StreamingResponse
from samples.api import Api, api_on_fakes
from samples.jobs import job_id
from samples.pictures import jpeg
from starlette.types import Message

from scenescore_api.answer_headers import Heads
from scenescore_shared.errors import TransientError

EVERY_ANSWER = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def submit(api: Api) -> str:
    job: str = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}).json()["id"]
    return job


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/jobs", 200),
        ("GET", "/v1/capabilities", 200),
        ("GET", f"/v1/jobs/{job_id(9)}", 404),
        ("POST", "/v1/jobs", 400),
        ("PUT", "/v1/jobs", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_every_answer_is_data_and_says_so(api: Api, method: str, path: str, status: int) -> None:
    answer = api.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers.items() >= {name.lower(): value for name, value in EVERY_ANSWER.items()}.items()
    assert answer.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_so_is_a_crash(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(api.jobs, "get", broken)
    answer = api.client.get(f"/v1/jobs/{job_id(1)}")
    assert answer.status_code == 500
    assert answer.headers.items() >= {name.lower(): value for name, value in EVERY_ANSWER.items()}.items()


def test_hsts_is_a_setting() -> None:
    with api_on_fakes(hsts_seconds=86400) as api:
        assert api.client.get("/healthz").headers["Strict-Transport-Security"] == "max-age=86400"


def test_files_may_be_kept_by_their_reader_alone_and_are_asked_about(api: Api) -> None:
    job = submit(api)
    api.advance(job, to="succeeded")
    for path in (f"/v1/jobs/{job}/image", f"/v1/jobs/{job}/outputs/music.mid"):
        first = api.client.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        etag = first.headers["ETag"]
        again = api.client.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert api.client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    api.client.delete(f"/v1/jobs/{job}")
    assert api.client.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_head_is_get_without_the_body(api: Api) -> None:
    job = submit(api)
    api.advance(job, to="succeeded")
    paths = [
        "/v1/jobs",
        f"/v1/jobs/{job}",
        f"/v1/jobs/{job}/image",
        f"/v1/jobs/{job}/outputs/music.mid",
        "/v1/capabilities",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        f"/v1/jobs/{job_id(9)}",
        "/v1/jobs?page_size=0",
        "/nowhere",
    ]
    known = {"X-Request-ID": "one"}
    for path in paths:
        get, head = (api.client.request(method, path, headers=known) for method in ("GET", "HEAD"))
        assert head.status_code == get.status_code, path
        assert head.content == b"", path
        # the figures grow from one request to the next
        ignored = {"content-length"} if path == "/metrics" else set()
        assert {item for item in head.headers.items() if item[0] not in ignored} == {
            item for item in get.headers.items() if item[0] not in ignored
        }, path
    assert 'method="HEAD",route="/v1/jobs/{job_id}",status="200"' in api.client.get("/metrics").text


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
def test_the_answer_to_head_ends_though_the_body_would_not(spec_version: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"data: again"

    async def no_body() -> Message:
        # a client that waits for its answer and says nothing more
        await anyio.sleep_forever()
        return {}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "asgi": {"spec_version": spec_version}}
    anyio.run(Heads(StreamingResponse(endless())), scope, no_body, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert scope["method"] == "HEAD"


def test_a_crash_before_the_answer_to_head_is_500(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(api.jobs, "get", broken)
    assert api.client.head(f"/v1/jobs/{job_id(1)}").status_code == 500
    monkeypatch.setattr(api.jobs, "ping", lambda: (_ for _ in ()).throw(TransientError("gone")))
    assert api.client.head("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/v1/jobs", "GET, HEAD, POST"),
        ("PUT", "/v1/jobs", "GET, HEAD, POST"),
        ("OPTIONS", f"/v1/jobs/{job_id(1)}", "DELETE, GET, HEAD"),
        ("HEAD", f"/v1/jobs/{job_id(1)}/cancel", "POST"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
def test_a_405_names_every_method_that_there_is(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("GET", "/v1/jobs", "it takes page_size, page_token, status"),
        ("GET", f"/v1/jobs/{job_id(1)}", "it takes none"),
        ("POST", "/v1/jobs", "it takes none"),
        ("POST", f"/v1/jobs/{job_id(1)}/cancel", "it takes none"),
        ("DELETE", f"/v1/jobs/{job_id(1)}", "it takes none"),
        ("GET", f"/v1/jobs/{job_id(1)}/image", "it takes none"),
        ("GET", f"/v1/jobs/{job_id(1)}/outputs/music.mid", "it takes inline"),
        ("GET", "/v1/session", "it takes none"),
        ("DELETE", "/v1/session", "it takes none"),
        ("GET", "/v1/capabilities", "it takes none"),
    ],
)
def test_a_query_parameter_that_nobody_knows_is_422(api: Api, method: str, path: str, takes: str) -> None:
    answer = api.client.request(method, path, params={"pagesize": 3})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert takes in problem["detail"]
    assert problem["errors"][0]["field"] == "query.pagesize"


class _Page(HTMLParser):
    """What a browser would fetch and run of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self.links: dict[str, str] = {}
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and given.get("src"):
            self.scripts.append(given["src"] or "")
        self._inside = tag == "script" and "src" not in given
        if tag == "link":
            self.links[given["rel"] or ""] = given["href"] or ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline.append(data)
            self._inside = False


def test_the_docs_may_run_the_scripts_that_they_consist_of_and_no_other(api: Api) -> None:
    answer = api.client.get("/docs")
    page = _Page(answer.text)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert len(page.inline) == 1
    digest = base64.b64encode(hashlib.sha256(page.inline[0].encode()).digest()).decode()
    assert policy["script-src"].split() == ["'self'", f"'sha256-{digest}'"]
    assert policy["style-src"].split() == ["'self'", "'unsafe-inline'"]
    for path in (*page.scripts, page.links["stylesheet"], page.links["shortcut icon"]):
        assert path.startswith("/docs/")
        assert api.client.get(path).status_code == 200
    assert api.client.get("/docs/redoc.standalone.js").status_code == 404
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "/openapi.json" in page.inline[0]
