"""How often a key may ask, and how many jobs its owner may have under way."""

import json
import re
from collections.abc import Iterator

import pytest
from httpx2 import Response
from samples.api import Api, api_on_fakes, bearer
from samples.jobs import job_id
from samples.pictures import jpeg

from scenescore_api.settings import ApiSettings
from scenescore_shared.jobs import Job

FEW = {"requests": 4, "requests_window_seconds": 3600, "submissions": 2, "unfinished_jobs": 0}


@pytest.fixture
def few() -> Iterator[Api]:
    with api_on_fakes(limits=FEW) as api:
        yield api


def submit(api: Api, key: str | None) -> Response:
    options = {"options": (None, json.dumps({"emotions": {"sad": 1}}))}
    return api.client.post("/v1/jobs", files=options, headers=bearer(key) if key else None)


def test_every_answer_to_a_key_tells_its_limits_an_error_too(few: Api) -> None:
    key = few.key()
    listed = few.client.get("/v1/jobs", headers=bearer(key))
    assert listed.headers["RateLimit-Policy"] == '"default";q=4;w=3600'
    assert listed.headers["RateLimit"] == '"default";r=3;t=900'
    missing = few.client.get(f"/v1/jobs/{job_id(9)}", headers=bearer(key))
    assert (missing.status_code, missing.headers["RateLimit"][:13]) == (404, '"default";r=2')
    wrong = few.client.get("/v1/jobs", params={"page_size": 0}, headers=bearer(key))
    assert (wrong.status_code, wrong.headers["RateLimit"][:13]) == (422, '"default";r=1')
    submitted = submit(few, key)
    assert submitted.headers["RateLimit-Policy"] == '"default";q=4;w=3600, "submit";q=2;w=60'
    assert re.fullmatch(r'"default";r=0;t=3[56]\d\d, "submit";r=1;t=30', submitted.headers["RateLimit"])
    refused = few.client.get("/v1/jobs", headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["RateLimit"].startswith('"default";r=0;')
    assert 890 <= int(refused.headers["Retry-After"]) <= 900
    assert few.client.get("/v1/capabilities", headers=bearer(key)).status_code == 429
    assert few.client.get("/v1/capabilities").status_code == 200


def test_submissions_have_a_limit_of_their_own(few: Api) -> None:
    key = few.key()
    assert [submit(few, key).status_code for _ in range(3)] == [202, 202, 429]
    assert few.client.get("/v1/jobs", headers=bearer(key)).status_code == 200
    assert len(few.jobs.page(whose=key.split("_")[1], status=None, limit=9, before_id=None)) == 2
    assert submit(few, few.key("bob")).status_code == 202


def test_whoever_needs_no_key_has_no_limit(few: Api) -> None:
    answers = [submit(few, None) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {202}
    assert not any("RateLimit" in answer.headers for answer in answers)


def test_strangers_are_counted_against_nobody(few: Api) -> None:
    for _ in range(8):
        answer = few.client.get("/v1/jobs", headers=bearer("scs_x"))
        assert answer.status_code == 401
        assert "RateLimit" not in answer.headers


def test_0_is_no_limit() -> None:
    with api_on_fakes(limits={"requests": 0, "submissions": 0, "unfinished_jobs": 0}) as api:
        key = api.key()
        answers = [submit(api, key) for _ in range(130)]
    assert {answer.status_code for answer in answers} == {202}
    assert "RateLimit" not in answers[0].headers


def test_an_owner_has_so_many_unfinished_jobs_and_no_more() -> None:
    with api_on_fakes(limits={"unfinished_jobs": 2}) as api:
        key, same_owner, other = api.key(owner="ann"), api.key(owner="ann"), api.key()
        jobs = [submit(api, key).json()["id"], submit(api, same_owner).json()["id"]]
        refused = submit(api, key)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_unfinished_jobs")
        assert "2 unfinished jobs" in refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) >= 1
        assert submit(api, other).status_code == 202
        assert [submit(api, None).status_code for _ in range(3)] == [202] * 3
        api.client.post(f"/v1/jobs/{jobs[0]}/cancel")
        assert submit(api, key).status_code == 202


def test_the_picture_of_a_job_that_came_too_late_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look beforehand and the commit another request took the last place."""
    with api_on_fakes(limits={"unfinished_jobs": 1}) as api:
        key = api.key()
        add = api.jobs.add
        stored: list[str] = []

        def overtaken(job: Job, *, max_unfinished: int | None = None, **_: object) -> None:
            stored.extend(blob.key for blob in api.blobs.list(""))
            monkeypatch.setattr(api.jobs, "add", add)
            assert submit(api, key).status_code == 202
            add(job, max_unfinished=max_unfinished)

        monkeypatch.setattr(api.jobs, "add", overtaken)
        late = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers=bearer(key))
        assert late.status_code == 429
        assert len(stored) == 1
        assert list(api.blobs.list("")) == []


def test_the_defaults_are_those_of_the_settings() -> None:
    limits = ApiSettings().limits
    assert [(each.requests, each.window_seconds) for each in limits.of_requests] == [(600, 60)]
    assert [(each.requests, each.window_seconds) for each in limits.of_submissions] == [(120, 60)]
    assert limits.unfinished_jobs == 100
