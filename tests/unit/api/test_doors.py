"""Who is let in: keys, scopes, whose jobs, and what a server without keys turns away."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api, api_on_fakes, bearer
from samples.jobs import job_id
from samples.pictures import jpeg

from scenescore_shared.errors import TransientError

UNKNOWN = f"scs_{'a' * 12}_{'b' * 43}"
OPEN = (
    "/healthz",
    "/readyz",
    "/v1/capabilities",
    "/v1/session",
    "/docs",
    "/openapi.json",
    "/",
    "/jobs/anything",
    "/listening",
    "/listening/anything",
    "/listen/anything",
)
CLOSED = (
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs"),
    ("GET", f"/v1/jobs/{job_id(1)}"),
    ("HEAD", f"/v1/jobs/{job_id(1)}"),
    ("POST", f"/v1/jobs/{job_id(1)}/cancel"),
    ("DELETE", f"/v1/jobs/{job_id(1)}"),
    ("GET", f"/v1/jobs/{job_id(1)}/image"),
    ("GET", f"/v1/jobs/{job_id(1)}/outputs/music.mid"),
    ("GET", "/metrics"),
)
CLOSED_TO_LISTENERS = (
    ("POST", f"/v1/jobs/{job_id(1)}/ratings"),
    ("GET", f"/v1/jobs/{job_id(1)}/ratings"),
    ("DELETE", f"/v1/jobs/{job_id(1)}/ratings/ann"),
    ("POST", "/v1/listening-sessions"),
    ("GET", "/v1/listening-sessions"),
    ("GET", "/v1/reports/ratings"),
    ("GET", "/v1/reports/ratings/grades.svg"),
)


@pytest.fixture
def locked() -> Iterator[Api]:
    with api_on_fakes(require_keys=True) as api:
        yield api


def submit(api: Api, key: str | None = None) -> Response:
    return api.client.post(
        "/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers=bearer(key) if key else None
    )


def assert_problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


@pytest.mark.parametrize("path", OPEN)
def test_some_doors_stand_open(locked: Api, path: str) -> None:
    assert locked.client.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path"), [*CLOSED, *CLOSED_TO_LISTENERS])
def test_no_other_opens_without_a_key(locked: Api, method: str, path: str) -> None:
    answer = locked.client.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="scenescore"'
    if method != "HEAD":
        assert "Authorization: Bearer" in assert_problem(answer, 401, "not_authenticated")["detail"]


@pytest.mark.parametrize("require_keys", [True, False])
@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {UNKNOWN}",
        "Bearer",
        "Bearer ",
        "Bearer scs_short",
        "Basic YTpi",
        UNKNOWN,
        "",
        "Bearer \xe9",
        f"Bearer {UNKNOWN}, Bearer {UNKNOWN}",
        "Bearer " + "x" * 30_000,
    ],
)
def test_a_wrong_key_is_told_needed_or_not(header: str, *, require_keys: bool) -> None:
    with api_on_fakes(require_keys=require_keys) as api:
        for path in ("/v1/jobs", "/v1/capabilities"):
            answer = api.client.get(path, headers=[(b"Authorization", header.encode("latin-1"))])
            assert_problem(answer, 401, "not_authenticated")
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="scenescore", error="invalid_token"'


def test_a_key_is_not_half_right(locked: Api) -> None:
    key = locked.key()
    for wrong in (key[:-1], key[:-1] + ("a" if key[-1] != "a" else "b"), key.upper(), f"{key}x", key[4:]):
        assert locked.client.get("/v1/jobs", headers=bearer(wrong)).status_code == 401
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {UNKNOWN}")]
    assert locked.client.get("/v1/jobs", headers=twice).status_code == 401
    assert locked.client.get("/v1/jobs", headers={"Authorization": f"bearer  {key}"}).status_code == 200


def test_a_revoked_key_opens_nothing_from_the_next_request_on(locked: Api) -> None:
    key = locked.key()
    assert submit(locked, key).status_code == 202
    locked.keys.revoke(key.split("_")[1], locked.clock.now())
    assert_problem(submit(locked, key), 401, "not_authenticated")


def test_a_key_sees_its_owners_jobs_and_others_look_like_none(locked: Api) -> None:
    ann, again, bob = locked.key(owner="ann"), locked.key(owner="ann"), locked.key("bob")
    job = submit(locked, ann).json()["id"]
    locked.advance(job, to="succeeded")
    assert locked.client.get(f"/v1/jobs/{job}", headers=bearer(again)).status_code == 200
    assert [found["id"] for found in locked.client.get("/v1/jobs", headers=bearer(ann)).json()["data"]] == [
        job
    ]
    assert locked.client.get("/v1/jobs", headers=bearer(bob)).json()["data"] == []
    for method, path in CLOSED[2:-1]:
        somebody_elses, unknown = (
            locked.client.request(method, path.replace(job_id(1), which), headers=bearer(bob))
            for which in (job, job_id(99))
        )
        assert somebody_elses.status_code == unknown.status_code == 404, path
        texts = (
            answer.text.replace(which, "ID")
            for answer, which in ((somebody_elses, job), (unknown, job_id(99)))
        )
        first, second = (json.loads(text or "{}") | {"request_id": ""} for text in texts)
        assert first == second
        assert sorted(somebody_elses.headers) == sorted(unknown.headers)
    assert locked.client.get(f"/v1/jobs/{job}", headers=bearer(ann)).status_code == 200


def test_an_administrator_sees_everything_and_a_user_no_figures(locked: Api) -> None:
    user, admin = locked.key(), locked.key("root", scopes="admin")
    job = submit(locked, user).json()["id"]
    assert locked.client.get(f"/v1/jobs/{job}", headers=bearer(admin)).status_code == 200
    assert len(locked.client.get("/v1/jobs", headers=bearer(admin)).json()["data"]) == 1
    assert locked.client.get("/metrics", headers=bearer(admin)).status_code == 200
    refused = locked.client.get("/metrics", headers=bearer(user))
    assert "`admin`" in assert_problem(refused, 403, "not_allowed")["detail"]
    assert 'error="insufficient_scope", scope="admin"' in refused.headers["WWW-Authenticate"]


def test_a_key_without_scopes_is_good_for_nothing(locked: Api) -> None:
    key = locked.key(scopes="something-newer")
    assert_problem(locked.client.get("/v1/jobs", headers=bearer(key)), 403, "not_allowed")


def test_where_no_key_is_needed_one_acts_as_itself(api: Api) -> None:
    key = api.key()
    mine, nobodys = submit(api, key).json()["id"], submit(api).json()["id"]
    assert api.jobs.get(mine).owner == key.split("_")[1]
    assert api.jobs.get(nobodys).owner is None
    assert api.client.get(f"/v1/jobs/{nobodys}", headers=bearer(key)).status_code == 404
    assert len(api.client.get("/v1/jobs").json()["data"]) == 2


def test_while_nobody_can_look_a_key_up_it_is_503(locked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise TransientError("gone")

    monkeypatch.setattr(locked.keys, "find", away)
    assert_problem(submit(locked, UNKNOWN), 503, "temporarily_unavailable")


@pytest.mark.parametrize("key", [None, UNKNOWN])
def test_nothing_of_the_body_is_read_for_a_stranger(locked: Api, key: str | None) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=B"} | (bearer(key) if key else {})
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def spied() -> Any:
            seen.append(True)
            return await receive()

        await inner(scope, spied, send)

    inner, locked.client._transport.app = locked.client._transport.app, app  # type: ignore[attr-defined]
    assert locked.client.post("/v1/jobs", content=b"x" * 20_000_000, headers=headers).status_code == 401
    assert seen == []
    assert (
        locked.client.post("/v1/jobs", content=b"--B--", headers=headers | bearer(locked.key())).status_code
        == 400
    )
    assert seen != []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "127.8.9.1", "localhost:1", "LOCALHOST", "[::1]:8000", "a.localhost."],
)
def test_without_keys_it_answers_to_this_machines_names(api: Api, host: str) -> None:
    assert api.client.get("/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "scenescore.example",
        "127.0.0.1.example:8000",
        "localhost.example",
        "10.0.0.1",
        "[::2]",
        "",
        "[",
        "user@localhost@example",
    ],
)
def test_a_name_that_was_bent_to_this_machine_is_421(api: Api, host: str) -> None:
    answer = api.client.get("/v1/jobs", headers={"Host": host})
    assert_problem(answer, 421, "wrong_host")
    assert "default-src" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://127.0.0.1.example:8000"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_another_sites_page_sends_is_403_and_no_job(api: Api, header: dict[str, str]) -> None:
    answer = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers=header)
    assert_problem(answer, 403, "cross_site")
    assert list(api.blobs.list("")) == []
    same = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert api.client.get("/v1/jobs", headers=same).status_code == 200


def test_with_keys_any_name_and_origin_will_do(locked: Api) -> None:
    headers = bearer(locked.key()) | {"Host": "scenescore.example", "Origin": "https://elsewhere.example"}
    assert locked.client.get("/v1/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize("require_keys", [True, False])
def test_openapi_tells_who_may_call_what(*, require_keys: bool) -> None:
    with api_on_fakes(require_keys=require_keys) as api:
        document = api.client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            if path == "/v1/session":
                continue
            if path.startswith("/v1/listening/"):
                # the link's token is the key, and its session has the limit
                assert operation["security"] == []
                assert not {"401", "403"} & set(responses)
                assert responses["429"]["headers"].keys() >= {"Retry-After", "RateLimit", "RateLimit-Policy"}
                continue
            if path in OPEN and path != "/v1/capabilities":
                assert operation["security"] == []
                assert not {"401", "403", "429"} & set(responses)
                continue
            optional = path == "/v1/capabilities" or not require_keys
            by_session: list[dict[str, list[str]]] = [] if path == "/v1/capabilities" else [{"session": []}]
            assert operation["security"] == [*([{}] if optional else []), {"key": []}, *by_session]
            assert "WWW-Authenticate" in responses["401"]["headers"]
            assert ("403" in responses) == (path != "/v1/capabilities")
            assert ("429" in responses) == path.startswith("/v1/")
            if path.startswith("/v1/"):
                assert responses["429"]["headers"].keys() >= {"Retry-After", "RateLimit", "RateLimit-Policy"}
                success = next(status for status in responses if status.startswith("2"))
                assert responses[success]["headers"].keys() >= {"RateLimit", "RateLimit-Policy"}
