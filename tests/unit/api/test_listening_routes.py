"""Listeners: a link and no key, blind, resumable; and what that link must not open."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api, api_on_fakes, bearer
from samples.jobs import MIX, OUTPUT, POLICY
from samples.listening_api import (
    GRADES,
    assert_problem,
    let_the_files_go,
    make_session,
    submitted,
    token_of,
)

from scenescore_api.ratings import listening
from scenescore_shared.errors import NotFoundError
from scenescore_shared.jobs import Rendered
from scenescore_shared.moves import claim, complete
from scenescore_shared.outputs import OUTPUT_TYPES

UNKNOWN = "scl_" + "x" * 32


@pytest.fixture
def locked() -> Iterator[Api]:
    with api_on_fakes(require_keys=True) as api:
        yield api


def pieces(api: Api, token: str, listener: str = "ann") -> list[dict[str, Any]]:
    answer = api.client.get(f"/v1/listening/{token}", params={"listener": listener})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def rate(api: Api, token: str, item: str, listener: str = "ann", **grades: Any) -> Response:
    path = f"/v1/listening/{token}/items/{item}/ratings/{listener}"
    return api.client.put(path, json={**GRADES, **grades})


def render(api: Api, job: str, *names: str) -> None:
    api.jobs.update(job, partial(claim, now=api.clock.now(), token="r", policy=POLICY))
    outputs = []
    for name in names:
        key = f"jobs/{job}/outputs/r/{name}"
        api.blobs.put(key, b"sound", OUTPUT_TYPES[name])
        output = replace(OUTPUT, name=name, content_type=OUTPUT_TYPES[name], blob_key=key, bytes=5)
        outputs.append(output)
    result = Rendered(outputs=tuple(outputs))
    api.jobs.update(job, partial(complete, now=api.clock.now(), token="r", result=result))


def test_a_link_needs_no_key_where_keys_are_required(locked: Api) -> None:
    key = locked.key()
    token = token_of(make_session(locked, submitted(locked, key=key), key=key))
    (piece,) = pieces(locked, token)
    base = f"/v1/listening/{token}/items/{piece['item']}"
    assert locked.client.get(f"{base}/image").headers["Content-Type"] == "image/jpeg"
    assert locked.client.get(f"{base}/music.mid").content == b"MThd-music"
    assert rate(locked, token, piece["item"]).status_code == 201
    assert locked.client.get("/v1/jobs").status_code == 401


def test_a_listener_comes_back_to_what_he_said(api: Api) -> None:
    jobs = [submitted(api) for _ in range(6)]
    token = token_of(make_session(api, *jobs))
    first = pieces(api, token)
    rated = rate(api, token, first[2]["item"], quality="excellent", fit="bad")
    assert (rated.status_code, rated.json()["item"]) == (201, first[2]["item"])
    assert rate(api, token, first[2]["item"], quality="poor", fit="bad").status_code == 200
    again = api.client.get(f"/v1/listening/{token}?listener=ann").json()
    assert (again["total"], again["rated"], again["title"]) == (6, 1, "Sixteen scenes")
    assert [piece["item"] for piece in again["items"]] == [piece["item"] for piece in first]
    assert [piece["rating"] for piece in again["items"]].count(None) == 5
    assert again["items"][2]["rating"] == {"quality": "poor", "fit": "bad"}


def test_each_listener_has_an_order_and_ratings_of_his_own(api: Api) -> None:
    token = token_of(make_session(api, *(submitted(api) for _ in range(8))))
    orders = {name: [piece["item"] for piece in pieces(api, token, name)] for name in ("ann", "bob", "eve")}
    assert len({tuple(order) for order in orders.values()}) == 3
    assert len({frozenset(order) for order in orders.values()}) == 1
    rate(api, token, orders["ann"][0])
    assert all(piece["rating"] is None for piece in pieces(api, token, "bob"))


def test_before_he_says_who_he_is_he_sees_how_much_there_is(api: Api) -> None:
    token = token_of(make_session(api, submitted(api), closes_at="2026-03-02T12:00:00Z"))
    assert api.client.get(f"/v1/listening/{token}").json() == {
        "object": "listening",
        "title": "Sixteen scenes",
        "total": 1,
        "rated": 0,
        "closes_at": "2026-03-02T12:00:00Z",
        "items": [],
    }


def test_nothing_tells_how_a_piece_was_made(api: Api) -> None:
    job = submitted(api)
    made = make_session(api, job)
    token = token_of(made)
    (piece,) = pieces(api, token)
    base = f"/v1/listening/{token}"
    answers = [
        api.client.get(f"{base}?listener=ann"),
        api.client.get(f"{base}/items/{piece['item']}/image"),
        api.client.get(f"{base}/items/{piece['item']}/music.mid"),
        api.client.get(f"{base}/items/{piece['item']}/music.ogg"),
        api.client.get(f"{base}/items/none/image"),
        rate(api, token, piece["item"]),
        rate(api, token, piece["item"], fit=None),
    ]
    hidden = (job, made["id"], "thesis-relu", "seed", "emotion", *MIX, api.jobs.get(job).outputs[0].sha256)
    for answer in answers:
        told = f"{answer.headers} " + ("" if "image" in answer.headers["Content-Type"] else answer.text)
        assert not [word for word in hidden if word in told], told


def test_files_come_from_here_under_names_that_say_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submitted(api)
    token = token_of(make_session(api, job))
    monkeypatch.setattr(api.blobs, "presigned_url", lambda *_, **__: f"https://store.example/jobs/{job}")
    (piece,) = pieces(api, token)
    for name in ("image", "music.mid"):
        path = f"/v1/listening/{token}/items/{piece['item']}/{name}"
        answer = api.client.get(path, follow_redirects=False)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers.get("Content-Disposition", "inline") == "inline"
        again = api.client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_what_a_browser_still_has_is_not_opened(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submitted(api)
    token = token_of(make_session(api, job))
    (piece,) = pieces(api, token)
    listeners = f"/v1/listening/{token}/items/{piece['item']}"
    paths = (
        *(f"{listeners}/{name}" for name in ("image", "music.mid")),
        *(f"/v1/jobs/{job}/{name}" for name in ("image", "outputs/music.mid")),
    )
    opened: list[str] = []
    stream = api.blobs.stream

    def noted(key: str) -> Iterator[bytes]:
        opened.append(key)
        return stream(key)

    monkeypatch.setattr(api.blobs, "stream", noted)
    tags = [api.client.get(path).headers["ETag"] for path in paths]
    assert len(opened) == len(paths)
    for path, tag in zip(paths, tags, strict=True):
        assert api.client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert len(opened) == len(paths)


def test_sound_is_offered_where_there_is_some(api: Api) -> None:
    job = submitted(api, to="composed")
    token = token_of(make_session(api, job))
    (piece,) = pieces(api, token)
    assert (piece["has_sound"], piece["sound"]) == (False, None)
    path = f"/v1/listening/{token}/items/{piece['item']}/music.mp3"
    assert "no music.mp3" in assert_problem(api.client.get(path), 404, "not_found")
    render(api, job, "music.wav", "music.mp3")
    (piece,) = pieces(api, token)
    assert (piece["has_sound"], piece["sound"]) == (True, "music.mp3")
    sound = api.client.get(path)
    assert (sound.headers["Content-Type"], sound.content) == ("audio/mpeg", b"sound")
    hidden = f"/v1/listening/{token}/items/{piece['item']}/pianoroll.png"
    assert_problem(api.client.get(hidden), 422, "invalid_request")


@pytest.mark.parametrize("token", [UNKNOWN, "none", "%00", "scl_"])
def test_a_guess_opens_nothing(api: Api, token: str) -> None:
    make_session(api, submitted(api))
    for method, rest in (("GET", ""), ("GET", "/items/a/image"), ("GET", "/items/a/music.mid")):
        answer = api.client.request(method, f"/v1/listening/{token}{rest}")
        assert "behind this link" in assert_problem(answer, 404, "not_found")
    assert rate(api, token, "a").status_code == 404


def test_a_link_ends_at_its_time_or_when_it_is_closed_or_deleted(api: Api) -> None:
    job = submitted(api)
    timed = make_session(api, job, closes_at="2026-03-01T13:00:00Z")
    closed, deleted = make_session(api, job), make_session(api, job)
    items = [pieces(api, token_of(made))[0]["item"] for made in (timed, closed, deleted)]
    assert rate(api, token_of(closed), items[1]).status_code == 201
    path = closed["links"]["self"]
    assert api.client.post(f"{path}/close").json()["closes_at"] == "2026-03-01T12:00:00.123456Z"
    assert api.client.post(f"{path}/close").status_code == 200
    assert api.client.delete(deleted["links"]["self"]).status_code == 204
    assert pieces(api, token_of(timed))
    api.clock.advance(3600)
    for made, item in zip((timed, closed, deleted), items, strict=True):
        token = token_of(made)
        for path in ("", f"/items/{item}/image", f"/items/{item}/music.mid"):
            assert_problem(api.client.get(f"/v1/listening/{token}{path}"), 404, "not_found")
        assert_problem(rate(api, token, item), 404, "not_found")
    assert api.client.get(closed["links"]["report"]).json()["ratings"] == 1


def test_a_link_opens_its_own_pieces_alone(api: Api) -> None:
    mine, other = make_session(api, submitted(api)), make_session(api, submitted(api))
    (foreign,) = pieces(api, token_of(other))
    path = f"/v1/listening/{token_of(mine)}/items/{foreign['item']}"
    assert_problem(api.client.get(f"{path}/image"), 404, "not_found")
    assert_problem(api.client.get(f"{path}/music.mid"), 404, "not_found")
    assert_problem(rate(api, token_of(mine), foreign["item"]), 404, "not_found")


def test_pieces_whose_files_have_gone_are_told_and_those_whose_job_has_are_not_there(api: Api) -> None:
    gone, deleted, there = (submitted(api) for _ in range(3))
    made = make_session(api, gone, deleted, there)
    token = token_of(made)
    let_the_files_go(api, gone)
    api.client.delete(f"/v1/jobs/{deleted}")
    found = pieces(api, token)
    assert sorted(piece["available"] for piece in found) == [False, True]
    assert api.client.get(made["links"]["self"]).json()["jobs"] == [gone, there]
    (item,) = (piece["item"] for piece in found if not piece["available"])
    for path in ("image", "music.mid"):
        assert_problem(api.client.get(f"/v1/listening/{token}/items/{item}/{path}"), 410, "expired")
    assert_problem(rate(api, token, item), 410, "expired")


def test_what_goes_between_two_looks_is_not_told_by_its_name(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(api)
    token = token_of(make_session(api, job))
    (piece,) = pieces(api, token)

    def gone(*_: object, **__: object) -> None:
        raise NotFoundError(f"There is no {job}.")

    monkeypatch.setattr(api.blobs, "stream", gone)
    monkeypatch.setattr(api.jobs.ratings, "put", gone)
    base = f"/v1/listening/{token}/items/{piece['item']}"
    files = [api.client.get(f"{base}/{name}") for name in ("image", "music.mid")]
    for answer in (*files, rate(api, token, piece["item"])):
        assert job not in assert_problem(answer, 410, "expired")


def test_a_piece_without_a_picture(api: Api) -> None:
    token = token_of(make_session(api, submitted(api, picture=False)))
    (piece,) = pieces(api, token)
    assert piece["has_picture"] is False
    assert_problem(api.client.get(f"/v1/listening/{token}/items/{piece['item']}/image"), 404, "not_found")
    assert_problem(rate(api, token, piece["item"]), 422, "invalid_request")
    assert rate(api, token, piece["item"], fit=None).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [{"quality": "great"}, {"fit": 5}, {"quality": None}, {"seed": 7}, {"output": "music.mid"}],
)
def test_wrong_grades_are_told(api: Api, wrong: dict[str, Any]) -> None:
    token = token_of(make_session(api, submitted(api)))
    (piece,) = pieces(api, token)
    assert_problem(rate(api, token, piece["item"], **wrong), 422, "invalid_request")


@pytest.mark.parametrize("name", ["=1", "x" * 65, "%20ann", "a%0Ab", "x%3B%3D1", "\uff1d1"])
def test_wrong_names_are_told(api: Api, name: str) -> None:
    token = token_of(make_session(api, submitted(api)))
    (piece,) = pieces(api, token)
    assert_problem(rate(api, token, piece["item"], listener=name), 422, "invalid_request")
    assert_problem(api.client.get(f"/v1/listening/{token}?listener={name}"), 422, "invalid_request")


def test_a_listener_changes_nobody_elses_rating(api: Api) -> None:
    """The owner's own, one of the same name in another session, and this one are three."""
    job = submitted(api)
    api.client.post(f"/v1/jobs/{job}/ratings", json={"listener": "ann", **GRADES})
    for made in (make_session(api, job), make_session(api, job)):
        (piece,) = pieces(api, token_of(made))
        assert piece["rating"] is None
        assert rate(api, token_of(made), piece["item"], quality="bad").status_code == 201
    found = api.client.get(f"/v1/jobs/{job}/ratings").json()["data"]
    assert [each["quality"] for each in found] == ["bad", "bad", "good"]


def test_a_session_takes_so_many_listeners(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listening.MOST_LISTENERS == 200
    monkeypatch.setattr(listening, "MOST_LISTENERS", 2)
    token = token_of(make_session(api, submitted(api)))
    (piece,) = pieces(api, token)
    statuses = [rate(api, token, piece["item"], listener=name).status_code for name in ("a", "b", "c", "b")]
    assert statuses == [201, 201, 409, 200]
    assert_problem(rate(api, token, piece["item"], listener="c"), 409, "too_many_listeners")


@pytest.mark.parametrize("require_keys", [False, True])
def test_listeners_of_a_session_share_its_limit(*, require_keys: bool) -> None:
    with api_on_fakes(require_keys=require_keys, limits={"listening": 3}) as api:
        key = api.key() if require_keys else None
        job = submitted(api, key=key)
        one, other = (token_of(make_session(api, job, key=key)) for _ in range(2))
        answers = [api.client.get(f"/v1/listening/{one}", params={"listener": name}) for name in "abcd"]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["RateLimit-Policy"] == '"listen";q=3;w=60'
        assert answers[0].headers["RateLimit"].startswith('"listen";r=2;')
        assert_problem(answers[3], 429, "too_many_requests")
        assert int(answers[3].headers["Retry-After"]) == 20
        assert api.client.get(f"/v1/listening/{other}").status_code == 200
        # strangers' guesses are not counted, and so fill nobody's memory
        assert all(api.client.get(f"/v1/listening/{UNKNOWN}").status_code == 404 for _ in range(5))


def test_a_key_that_is_sent_along_changes_nothing(locked: Api) -> None:
    key = locked.key()
    token = token_of(make_session(locked, submitted(locked, key=key), key=key))
    for headers in (bearer(key), bearer("scs_wrong"), {"Cookie": "scenescore_session=wrong"}):
        assert locked.client.get(f"/v1/listening/{token}", headers=headers).status_code == 200


def test_without_keys_no_page_elsewhere_may_listen_or_rate(api: Api) -> None:
    token = token_of(make_session(api, submitted(api)))
    (piece,) = pieces(api, token)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert api.client.get(f"/v1/listening/{token}", headers=elsewhere).status_code == 403
    path = f"/v1/listening/{token}/items/{piece['item']}/ratings/ann"
    assert (
        api.client.put(path, json=GRADES, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    )
    assert api.client.get(f"/v1/listening/{token}", headers={"Host": "elsewhere.example"}).status_code == 421


def test_misspelt_parameters_are_refused(api: Api) -> None:
    token = token_of(make_session(api, submitted(api)))
    assert_problem(api.client.get(f"/v1/listening/{token}?name=ann"), 422, "invalid_request")


def test_the_log_names_neither_links_nor_listeners(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    token = token_of(make_session(api, submitted(api)))
    (piece,) = pieces(api, token, "Roberta")
    rate(api, token, piece["item"], listener="Roberta")
    job = api.client.get("/v1/jobs").json()["data"][0]["id"]
    api.client.delete(f"/v1/jobs/{job}/ratings/Roberta")
    logged = capsys.readouterr().out
    assert "/v1/listening/{token}/items/{item}/ratings/{listener}" in logged
    assert token not in logged
    assert "Roberta" not in logged


@pytest.mark.parametrize("path", ["/listening", "/listening/0197f2a0", f"/listen/{UNKNOWN}"])
def test_the_page_is_there_too_for_those_who_ask_and_those_who_listen(locked: Api, path: str) -> None:
    page = locked.client.get(path)
    assert page.content == locked.client.get("/").content
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Cache-Control"] == "no-cache"


def test_a_link_in_a_letter_opens_the_listeners_page(api: Api) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    for path in (f"/listen/{UNKNOWN}", "/listening", "/listening/1"):
        assert api.client.get(path, headers=followed).status_code == 200
        assert api.client.get(path, headers=followed | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
