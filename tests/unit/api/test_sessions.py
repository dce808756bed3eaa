"""Browsers' sessions: a key for a cookie, and what the cookie opens to whom."""

from collections.abc import Iterator

import pytest
from httpx2 import Response
from samples.api import Api, api_on_fakes, bearer
from samples.pictures import jpeg

from scenescore_shared.api_keys import hash_of

PAGE = {"X-Requested-With": "scenescore"}
COOKIE = "scenescore_session"


@pytest.fixture
def locked() -> Iterator[Api]:
    with api_on_fakes(require_keys=True, session_seconds=3600) as api:
        yield api


def sign_in(api: Api, key: str, **headers: str) -> Response:
    return api.client.post("/v1/session", headers=bearer(key) | headers)


def submit(api: Api, **headers: str) -> Response:
    return api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers=headers)


def test_a_key_becomes_a_cookie_that_no_script_can_read(locked: Api) -> None:
    assert locked.client.get("/v1/session").json() == {
        "object": "session",
        "keys_required": True,
        "signed_in": False,
        "owner": None,
        "scopes": [],
    }
    answer = sign_in(locked, locked.key(owner="ann"))
    assert answer.status_code == 201
    assert answer.json()["owner"] == "ann"
    assert answer.json() == locked.client.get("/v1/session").json()
    cookie = {part.strip() for part in answer.headers["Set-Cookie"].split(";")}
    assert cookie >= {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=3600"}
    assert "Secure" not in cookie


@pytest.mark.parametrize("forwarded", ["https", "https, http"])
def test_over_https_the_cookie_never_goes_by_http(locked: Api, forwarded: str) -> None:
    answer = sign_in(locked, locked.key(), **{"X-Forwarded-Proto": forwarded})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_the_server_keeps_the_tokens_hash_alone(locked: Api) -> None:
    sign_in(locked, locked.key())
    token = locked.client.cookies[COOKIE]
    assert locked.keys.find_by_session(hash_of(token), locked.clock.now()) is not None
    assert token not in repr(vars(locked.keys))


def test_a_session_does_what_its_key_does(locked: Api) -> None:
    ann, bob = locked.key(), locked.key("bob")
    sign_in(locked, ann)
    mine = submit(locked, **PAGE).json()["id"]
    bobs = submit(locked, **bearer(bob)).json()["id"]
    assert [job["id"] for job in locked.client.get("/v1/jobs").json()["data"]] == [mine]
    locked.advance(mine, to="succeeded")
    for path in ("", "/image", "/events", "/outputs/music.mid"):
        assert locked.client.get(f"/v1/jobs/{mine}{path}").status_code == 200
        assert locked.client.get(f"/v1/jobs/{bobs}{path}").status_code == 404
    assert locked.client.get("/metrics").status_code == 403


def test_a_key_that_is_sent_goes_before_the_session(locked: Api) -> None:
    sign_in(locked, locked.key())
    bob = locked.key("bob")
    job = submit(locked, **bearer(bob)).json()["id"]
    assert locked.client.get(f"/v1/jobs/{job}").status_code == 404
    assert locked.client.get(f"/v1/jobs/{job}", headers=bearer(bob)).status_code == 200
    assert locked.client.get("/v1/jobs", headers=bearer("scs_wrong")).status_code == 401


def test_what_a_page_elsewhere_makes_the_browser_send_is_refused(locked: Api) -> None:
    sign_in(locked, locked.key())
    without = submit(locked)
    assert (without.status_code, without.json()["code"]) == (403, "cross_site")
    assert "X-Requested-With" in without.json()["detail"]
    for site in ("cross-site", "same-site"):
        for answer in (
            locked.client.get("/v1/jobs", headers={"Sec-Fetch-Site": site}),
            submit(locked, **PAGE, **{"Sec-Fetch-Site": site}),
            locked.client.delete("/v1/session", headers=PAGE | {"Sec-Fetch-Site": site}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert locked.client.delete("/v1/session").status_code == 403
    assert locked.client.get("/v1/jobs", headers={"Sec-Fetch-Site": "same-origin"}).json()["data"] == []


def test_signing_out_ends_the_session_for_whoever_kept_its_token(locked: Api) -> None:
    sign_in(locked, locked.key())
    token = locked.client.cookies[COOKIE]
    answer = locked.client.delete("/v1/session", headers=PAGE)
    assert answer.status_code == 204
    assert COOKIE not in locked.client.cookies
    assert locked.client.get("/v1/jobs", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 401
    assert locked.client.delete("/v1/session").status_code == 204


def test_a_session_ends_with_its_time_and_with_its_key(locked: Api) -> None:
    key = locked.key()
    sign_in(locked, key)
    token = locked.client.cookies[COOKIE]
    locked.client.cookies.clear()
    cookie = {"Cookie": f"{COOKIE}={token}"}
    assert locked.client.get("/v1/jobs", headers=cookie).status_code == 200
    locked.clock.advance(3600)
    assert locked.client.get("/v1/jobs", headers=cookie).status_code == 401
    sign_in(locked, key)
    locked.keys.revoke(key.split("_")[1], locked.clock.now())
    assert locked.client.get("/v1/jobs").status_code == 401
    assert locked.client.get("/v1/session").json()["signed_in"] is False


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "a b", "%00"])
def test_a_made_up_token_opens_nothing(locked: Api, token: str) -> None:
    headers = {"Cookie": f"{COOKIE}={token}"}
    assert locked.client.get("/v1/jobs", headers=headers).status_code == 401
    assert locked.client.get("/v1/session", headers=headers).json()["signed_in"] is False


@pytest.mark.parametrize("headers", [{}, bearer("scs_wrong"), {"Authorization": "Basic YTpi"}])
def test_only_a_key_makes_a_session(locked: Api, headers: dict[str, str]) -> None:
    answer = locked.client.post("/v1/session", headers=headers)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_session_is_counted_as_its_key() -> None:
    with api_on_fakes(require_keys=True, limits={"requests": 3}) as api:
        sign_in(api, api.key())
        statuses = [api.client.get("/v1/jobs").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_where_no_key_is_needed_an_old_cookie_is_no_hindrance(api: Api) -> None:
    api.client.cookies.set(COOKIE, "of another day")
    assert api.client.get("/v1/session").json()["keys_required"] is False
    assert api.client.get("/v1/jobs").status_code == 200
