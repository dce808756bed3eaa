"""What tests of ratings and listening sessions ask of the API on fakes."""

from functools import partial
from typing import Any

from httpx2 import Response

from samples.api import Api, bearer
from samples.pictures import jpeg
from scenescore_shared.moves import expire

GRADES = {"quality": "good", "fit": "fair"}
_MIX = {"options": (None, '{"emotions": {"happy": 1}}')}


def submitted(api: Api, *, to: str = "succeeded", key: str | None = None, picture: bool = True) -> str:
    form: dict[str, Any] = {"image": ("p.jpg", jpeg())} if picture else dict(_MIX)
    headers = bearer(key) if key else {}
    job: str = api.client.post("/v1/jobs", files=form, headers=headers).json()["id"]
    if to != "queued":
        api.advance(job, to=to)
    return job


def make_session(api: Api, *jobs: str, key: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = api.client.post(
        "/v1/listening-sessions",
        json={"title": "Sixteen scenes", "jobs": jobs, **fields},
        headers=bearer(key) if key else {},
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def token_of(made: dict[str, Any]) -> str:
    token: str = made["link"].removeprefix("/listen/")
    return token


def assert_problem(answer: Response, status: int, code: str) -> str:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail: str = problem["detail"]
    return detail


def let_the_files_go(api: Api, job: str) -> None:
    api.jobs.update(job, partial(expire, now=api.clock.now()))
