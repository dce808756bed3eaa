"""How the page and its files are served."""

import gzip
import re
from typing import Any

import pytest
from samples.api import Api
from samples.jobs import job_id
from samples.pictures import jpeg

IMMUTABLE = "public, max-age=31536000, immutable"


def files_of(api: Api) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', api.client.get("/").text)


PLACES = (f"/jobs/{job_id(1)}", "/listen/scl_x", "/listening", f"/listening/{job_id(2)}", "/listening/all")


def test_the_page_is_the_same_wherever_one_opens_it(api: Api) -> None:
    page = api.client.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert [path for path in PLACES if api.client.get(path).content != page.content] == []
    assert api.client.get("/jobs/<script>").content == page.content
    assert api.client.get("/jobs/a/b").status_code == 404


def test_nothing_comes_from_elsewhere_and_nothing_inline_may_run(api: Api) -> None:
    page = api.client.get("/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["trusted-types"] == "'none'"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page.text)
    assert all(path.startswith("/assets/") for path in files_of(api))
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    assert "camera=()" in api.client.get("/healthz").headers["Permissions-Policy"]


def test_files_are_kept_for_ever_since_their_names_change_with_them(api: Api) -> None:
    paths = files_of(api)
    assert len(paths) == 3
    for path in paths:
        answer = api.client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, IMMUTABLE)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert api.client.get("/").headers["Cache-Control"] == "no-cache"


def test_whoever_has_the_page_is_told_so(api: Api) -> None:
    etag = api.client.get("/").headers["ETag"]
    again = api.client.get("/", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br;q=1, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("gzip;q=0", False),
        ("br", False),
    ],
)
def test_files_are_compressed_for_those_who_take_it(api: Api, accepted: str, *, compressed: bool) -> None:
    path = next(path for path in files_of(api) if path.endswith(".js"))
    with api.client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    assert "Accept-Encoding" in answer.headers["Vary"]
    plain = api.client.get(path).content
    assert (gzip.decompress(raw) if compressed else raw) == plain
    assert (len(raw) < len(plain)) is compressed


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/..%2findex.html", "/assets/%2e%2e/router.py", "/assets/"]
)
def test_no_name_leads_out_of_the_folder(api: Api, path: str) -> None:
    answer = api.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_link_on_another_site_opens_the_page_and_nothing_else(api: Api) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    for path in ("/", *PLACES):
        assert api.client.get(path, headers=followed).status_code == 200
        assert api.client.get(path, headers=followed | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
        assert api.client.get(path, headers=followed | {"Host": "elsewhere.example"}).status_code == 421
    assert api.client.get("/v1/jobs", headers=followed).status_code == 403
    assert api.client.post("/", headers=followed).status_code == 403


def test_a_page_gets_files_from_here_and_names_them_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}).json()["id"]
    api.advance(job, to="succeeded")

    def elsewhere(*_: Any, **__: Any) -> str:
        return "https://store.example/signed"

    monkeypatch.setattr(api.blobs, "presigned_url", elsewhere)
    path = f"/v1/jobs/{job}/outputs/music.mid"
    assert api.client.get(path, follow_redirects=False).status_code == 307
    inline = api.client.get(path, params={"inline": "true"}, follow_redirects=False)
    assert (inline.status_code, inline.content) == (200, b"MThd-music")
    assert inline.headers["Content-Disposition"] == "inline"
    assert "default-src 'none'" in inline.headers["Content-Security-Policy"]
