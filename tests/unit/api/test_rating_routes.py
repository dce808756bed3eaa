"""Owners: ratings of their jobs, listening sessions, reports."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api, api_on_fakes, bearer
from samples.jobs import NOW, job_id
from samples.listening_api import (
    GRADES,
    assert_problem,
    let_the_files_go,
    make_session,
    submitted,
    token_of,
)

from scenescore_shared.api_keys import hash_of
from scenescore_shared.fakes import InMemoryJobRepository
from scenescore_shared.ratings import RatedPiece, Rating


def rate(api: Api, job: str, *, listener: str = "ann", **given: Any) -> Response:
    return api.client.post(f"/v1/jobs/{job}/ratings", json={"listener": listener, **GRADES, **given})


@pytest.fixture
def locked() -> Iterator[Api]:
    with api_on_fakes(require_keys=True) as api:
        yield api


def test_a_rating_is_new_once_and_then_changed(api: Api) -> None:
    job = submitted(api)
    first = rate(api, job)
    assert first.status_code == 201
    assert first.json() == {
        "object": "rating",
        "job_id": job,
        "output": "music.mid",
        "listener": "ann",
        "session_id": None,
        **GRADES,
        "created_at": "2026-03-01T12:00:00.123456Z",
        "updated_at": "2026-03-01T12:00:00.123456Z",
    }
    api.clock.advance(60)
    second = rate(api, job, quality="bad")
    assert second.status_code == 200
    changed = {"quality": "bad", "updated_at": "2026-03-01T12:01:00.123456Z"}
    assert second.json() == first.json() | changed
    listed = api.client.get(f"/v1/jobs/{job}/ratings").json()
    assert listed == {"object": "list", "data": [second.json()], "next_page_token": None}


def test_a_name_that_can_not_be_is_refused_in_a_sentence(api: Api) -> None:
    job = submitted(api)
    refused = (rate(api, job, listener="x;=1"), api.client.get(f"/v1/jobs/{job}/ratings?listener=x;%3D1"))
    for answer in refused:
        assert answer.status_code == 422
        assert "A listener's name has 1 to 64 characters without" in answer.json()["detail"]
        assert "\\x00" not in answer.text


def test_ratings_are_listed_a_page_at_a_time_and_by_listener(api: Api) -> None:
    job = submitted(api)
    for name in ("ann", "bob", "José"):
        rate(api, job, listener=name)
    path = f"/v1/jobs/{job}/ratings"
    first = api.client.get(path, params={"page_size": 2}).json()
    assert [each["listener"] for each in first["data"]] == ["José", "bob"]
    rest = api.client.get(path, params={"page_size": 2, "page_token": first["next_page_token"]}).json()
    assert [each["listener"] for each in rest["data"]] == ["ann"]
    assert rest["next_page_token"] is None
    (only,) = api.client.get(path, params={"listener": "José"}).json()["data"]
    assert only["listener"] == "José"


@pytest.mark.parametrize("to", ["queued", "claimed", "classified"])
def test_music_that_is_not_there_yet_can_not_be_rated(api: Api, to: str) -> None:
    assert "yet: wait" in assert_problem(rate(api, submitted(api, to=to)), 409, "no_music")


def test_music_that_waits_to_be_rendered_can_be(api: Api) -> None:
    assert rate(api, submitted(api, to="composed")).status_code == 201


def test_what_never_had_music_can_not_be_rated(api: Api) -> None:
    job = submitted(api, to="queued")
    api.client.post(f"/v1/jobs/{job}/cancel")
    assert assert_problem(rate(api, job), 409, "no_music").endswith("has no music to listen to.")


def test_music_that_has_gone_can_not_be_rated_and_its_ratings_stay(api: Api) -> None:
    job = submitted(api)
    rate(api, job)
    let_the_files_go(api, job)
    assert_problem(rate(api, job, quality="bad"), 410, "expired")
    (kept,) = api.client.get(f"/v1/jobs/{job}/ratings").json()["data"]
    assert kept["quality"] == "good"
    api.client.delete(f"/v1/jobs/{job}")
    assert api.client.get(f"/v1/jobs/{job}/ratings").status_code == 404
    assert api.client.get("/v1/reports/ratings").json()["ratings"] == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quality": "great"}, "body.quality"),
        ({"quality": None}, "body.quality"),
        ({"fit": "great"}, "body.fit"),
        ({"listener": ""}, "body.listener"),
        ({"listener": "=1+1"}, "body.listener"),
        ({"listener": "a/b"}, "body.listener"),
        ({"listener": "x" * 65}, "body.listener"),
        ({"output": "music.ogg"}, "body.output"),
        ({"output": "music-2.mid"}, "has no music 'music-2.mid'; it has: music.mid"),
        ({"fit": None}, "`fit` is one of the grades"),
        ({"stars": 5}, "body.stars"),
    ],
)
def test_what_is_wrong_is_told(api: Api, wrong: dict[str, Any], said: str) -> None:
    assert said in assert_problem(rate(api, submitted(api), **wrong), 422, "invalid_request")


def test_where_there_is_no_picture_there_is_no_fit(api: Api) -> None:
    job = submitted(api, picture=False)
    assert "no picture" in assert_problem(rate(api, job), 422, "invalid_request")
    answer = api.client.post(f"/v1/jobs/{job}/ratings", json={"listener": "ann", "quality": "good"})
    assert (answer.status_code, answer.json()["fit"]) == (201, None)


def test_a_rating_is_taken_back(api: Api) -> None:
    job = submitted(api)
    rate(api, job, listener="Ann Lee")
    made = make_session(api, job)
    (item,) = api.client.get(f"/v1/listening/{token_of(made)}?listener=ann").json()["items"]
    inside = f"/v1/listening/{token_of(made)}/items/{item['item']}/ratings/Ann Lee"
    assert api.client.put(inside, json=GRADES).status_code == 201
    path = f"/v1/jobs/{job}/ratings/Ann Lee"
    assert api.client.delete(path).status_code == 204
    assert_problem(api.client.delete(path), 404, "not_found")
    assert_problem(api.client.delete(path, params={"session": "none"}), 404, "not_found")
    assert api.client.delete(path, params={"session": made["id"]}).status_code == 204
    assert api.client.get(f"/v1/jobs/{job}/ratings").json()["data"] == []


def test_ratings_are_their_owners_alone(locked: Api) -> None:
    ann, bob = locked.key(owner="ann"), locked.key(owner="bob")
    job = submitted(locked, key=ann)
    path = f"/v1/jobs/{job}/ratings"
    given = {"listener": "ann", **GRADES}
    assert locked.client.post(path, json=given).status_code == 401
    assert_problem(locked.client.post(path, json=given, headers=bearer(bob)), 404, "not_found")
    assert locked.client.post(path, json=given, headers=bearer(ann)).status_code == 201
    assert locked.client.get(path, headers=bearer(bob)).status_code == 404
    assert locked.client.delete(f"{path}/ann", headers=bearer(bob)).status_code == 404
    assert locked.client.get("/v1/reports/ratings", headers=bearer(bob)).json()["ratings"] == 0
    assert locked.client.get("/v1/reports/ratings", headers=bearer(ann)).json()["ratings"] == 1
    admin = bearer(locked.key(scopes="admin"))
    assert locked.client.get("/v1/reports/ratings", headers=admin).json()["ratings"] == 1


def test_a_session_of_a_browser_rates_only_from_the_page_itself(locked: Api) -> None:
    key = locked.key(owner="ann")
    job = submitted(locked, key=key)
    locked.client.post("/v1/session", headers=bearer(key))
    path, given = f"/v1/jobs/{job}/ratings", {"listener": "ann", **GRADES}
    assert_problem(locked.client.post(path, json=given), 403, "cross_site")
    assert locked.client.post(path, json=given, headers={"X-Requested-With": "page"}).status_code == 201


def test_a_listening_session_is_made_and_shows_its_link_once(api: Api) -> None:
    jobs = [submitted(api) for _ in range(3)]
    answer = api.client.post(
        "/v1/listening-sessions", json={"title": "Three", "jobs": jobs, "closes_at": None}
    )
    made = answer.json()
    path = f"/v1/listening-sessions/{made['id']}"
    assert made == {
        "object": "listening_session",
        "id": made["id"],
        "title": "Three",
        "created_at": "2026-03-01T12:00:00.123456Z",
        "closes_at": None,
        "jobs": jobs,
        "listeners": [],
        "links": {"self": path, "report": f"{path}/report"},
        "link": made["link"],
    }
    assert answer.headers["Location"] == path
    read = api.client.get(path).json()
    assert read == {name: value for name, value in made.items() if name != "link"}
    assert api.client.get("/v1/listening-sessions").json()["data"] == [read]


def test_a_links_token_is_kept_as_its_hash_alone(api: Api) -> None:
    token = token_of(make_session(api, submitted(api)))
    jobs: InMemoryJobRepository = api.jobs
    assert jobs.ratings.sessions.find(hash_of(token)) is not None
    assert token not in repr(vars(jobs.ratings.sessions))


def test_sessions_are_listed_newest_first(api: Api) -> None:
    job = submitted(api)
    ids = [make_session(api, job, title=str(number))["id"] for number in range(3)]
    first = api.client.get("/v1/listening-sessions", params={"page_size": 2}).json()
    assert [each["id"] for each in first["data"]] == ids[:0:-1]
    query = {"page_size": 2, "page_token": first["next_page_token"]}
    rest = api.client.get("/v1/listening-sessions", params=query).json()
    assert ([each["id"] for each in rest["data"]], rest["next_page_token"]) == (ids[:1], None)


def test_a_session_is_made_of_ones_own_jobs_that_have_music(locked: Api) -> None:
    ann, bob = locked.key(owner="ann"), locked.key(owner="bob")
    foreign, waiting = submitted(locked, key=bob), submitted(locked, key=ann, to="queued")
    gone = submitted(locked, key=ann)
    let_the_files_go(locked, gone)
    good = submitted(locked, key=ann)

    def ask(*jobs: str, **fields: Any) -> Response:
        body = {"title": "T", "jobs": jobs, **fields}
        return locked.client.post("/v1/listening-sessions", json=body, headers=bearer(ann))

    assert_problem(ask(good, foreign), 404, "not_found")
    assert_problem(ask(good, job_id(99)), 404, "not_found")
    assert_problem(ask("no id"), 404, "not_found")
    assert_problem(ask(good, waiting), 409, "no_music")
    assert_problem(ask(good, gone), 410, "expired")
    assert "twice" in assert_problem(ask(good, good.upper()), 422, "invalid_request")
    for wrong in (
        {"closes_at": NOW.isoformat()},
        {"closes_at": "9999-12-31T23:59:59-14:00"},
        {"title": "a\nb"},
    ):
        assert_problem(ask(good, **wrong), 422, "invalid_request")
    assert_problem(ask(), 422, "invalid_request")
    assert_problem(ask(good, closes_at="2026-03-02T12:00:00"), 422, "invalid_request")
    assert locked.client.get("/v1/listening-sessions", headers=bearer(ann)).json()["data"] == []
    assert ask(good, closes_at="2026-03-02T12:00:00+01:00").json()["closes_at"] == "2026-03-02T11:00:00Z"


def test_sessions_are_their_owners_alone(locked: Api) -> None:
    ann, bob = locked.key(owner="ann"), locked.key(owner="bob")
    made = make_session(locked, submitted(locked, key=ann), key=ann)
    path = made["links"]["self"]
    asked = (
        ("GET", ""),
        ("POST", "/close"),
        ("DELETE", ""),
        ("GET", "/report"),
        ("GET", "/report/grades.svg"),
    )
    for method, rest in asked:
        assert locked.client.request(method, path + rest).status_code == 401
        answer = locked.client.request(method, path + rest, headers=bearer(bob))
        assert_problem(answer, 404, "not_found")
    assert locked.client.get("/v1/listening-sessions", headers=bearer(bob)).json()["data"] == []
    admin = bearer(locked.key(scopes="admin"))
    assert locked.client.get(path, headers=admin).status_code == 200
    assert locked.client.delete(path, headers=bearer(ann)).status_code == 204
    assert locked.client.get(path, headers=bearer(ann)).status_code == 404


@pytest.mark.parametrize("name", ["none", "0197f2a0", job_id(77)])
def test_sessions_that_are_not_there(api: Api, name: str) -> None:
    assert_problem(api.client.get(f"/v1/listening-sessions/{name}"), 404, "not_found")


def test_a_report_is_json_or_a_table_as_asked(api: Api) -> None:
    job = submitted(api)
    rate(api, job)
    path = "/v1/reports/ratings"
    plain = api.client.get(path)
    assert plain.json()["listeners"][0]["mean_quality"] == 4
    assert (plain.headers["Content-Type"], plain.headers["Vary"]) == ("application/json", "Accept")
    for query, accept in (
        ({"format": "csv"}, "application/json"),
        ({}, "text/csv"),
        ({}, "text/csv;q=0.9, text/plain"),
    ):
        table = api.client.get(path, params=query, headers={"Accept": accept})
        assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert table.headers["Content-Disposition"] == 'attachment; filename="ratings.csv"'
        assert f"{job},music.mid,ann,good,fair" in table.text
    for query, accept in (({"format": "json"}, "text/csv"), ({}, "text/csv, application/json"), ({}, "*/*")):
        answer = api.client.get(path, params=query, headers={"Accept": accept})
        assert answer.json()["object"] == "ratings_report"
    assert_problem(api.client.get(path, params={"format": "xml"}), 422, "invalid_request")
    assert_problem(api.client.get(path, params={"a": "nobody's"}), 422, "invalid_request")


def test_a_session_has_a_report_of_its_own(api: Api) -> None:
    jobs = [submitted(api) for _ in range(2)]
    made = make_session(api, *jobs)
    rate(api, jobs[0], listener="outside")
    token = token_of(made)
    for name, quality in (("ann", "good"), ("bob", "poor")):
        for item in api.client.get(f"/v1/listening/{token}?listener={name}").json()["items"]:
            path = f"/v1/listening/{token}/items/{item['item']}/ratings/{name}"
            assert api.client.put(path, json={"quality": quality, "fit": "fair"}).status_code == 201
    report = api.client.get(made["links"]["report"]).json()
    assert (report["pieces"], report["ratings"]) == (2, 4)
    assert [
        (row["listener"], row["quality"]["good"], row["mean_quality"]) for row in report["listeners"]
    ] == [
        ("ann", 2, 4),
        ("bob", 0, 2),
    ]
    assert report["overall"]["quality"]["fair_or_better"]["share"] == 0.5
    assert report["by_version"][0]["version"] == "thesis-relu@12345678"
    assert report["reference"]["pieces"] == 16
    progress = api.client.get(made["links"]["self"]).json()["listeners"]
    assert progress == [{"listener": "ann", "rated": 2, "of": 2}, {"listener": "bob", "rated": 2, "of": 2}]
    assert api.client.get("/v1/reports/ratings").json()["ratings"] == 5
    assert api.client.delete(made["links"]["self"]).status_code == 204
    assert api.client.get("/v1/reports/ratings").json()["ratings"] == 1


def test_charts_do_not_ask_what_made_the_pieces(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submitted(api)
    made = make_session(api, job)
    rate(api, job)
    asked: list[int] = []
    with_versions = api.jobs.ratings.with_versions

    def noted(ratings: Sequence[Rating]) -> list[RatedPiece]:
        asked.append(len(ratings))
        return with_versions(ratings)

    monkeypatch.setattr(api.jobs.ratings, "with_versions", noted)
    paths = (made["links"]["report"], "/v1/reports/ratings")
    assert [api.client.get(f"{path}/grades.svg").status_code for path in paths] == [200, 200]
    assert asked == []
    assert [api.client.get(path).status_code for path in paths] == [200, 200]
    assert asked == [0, 1]


def test_a_chart_is_a_picture_in_which_nothing_runs(api: Api) -> None:
    job = submitted(api)
    rate(api, job, listener="<script>alert(1)<")
    answer = api.client.get("/v1/reports/ratings/grades.svg", params={"measure": "fit"})
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;: 0 excellent, 0 good, 1 fair" in answer.text
    assert "Fit of the music" in answer.text
    assert_problem(
        api.client.get("/v1/reports/ratings/grades.svg", params={"measure": "tempo"}), 422, "invalid_request"
    )
