"""What clients see of the end of a job's files, and what keeps a picture's row from coming too late."""

import json
from datetime import datetime, timedelta
from functools import partial

import pytest
from samples.api import Api
from samples.jobs import job_id
from samples.pictures import encoded, scene

from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Job
from scenescore_shared.moves import cancel_now, expire


def submit(api: Api) -> str:
    answer = api.client.post("/v1/jobs", files={"image": encoded(scene(40, 30))})
    assert answer.status_code == 202, answer.text
    created: str = answer.json()["id"]
    return created


def test_an_ended_job_says_until_when_its_files_are_kept(api: Api) -> None:
    job = submit(api)
    assert api.client.get(f"/v1/jobs/{job}").json()["expires_at"] is None
    api.advance(job, to="succeeded")
    body = api.client.get(f"/v1/jobs/{job}").json()
    kept = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["finished_at"])
    assert kept == timedelta(days=7)


def test_files_that_have_gone_are_gone_and_not_unknown(api: Api) -> None:
    job = submit(api)
    api.advance(job, to="succeeded")
    api.jobs.update(job, partial(expire, now=api.clock.now()))
    body = api.client.get(f"/v1/jobs/{job}").json()
    assert (body["status"], body["outputs"], body["links"]["image"]) == ("expired", [], None)
    assert body["expires_at"] is not None
    assert body["input"]["image"]["width"] == 40
    for path in ("image", "outputs/music.mid"):
        answer = api.client.get(f"/v1/jobs/{job}/{path}")
        assert answer.status_code == 410
        assert answer.json()["code"] == "expired"
        assert job in answer.json()["detail"]


def test_a_canceled_job_never_had_what_is_asked_for(api: Api) -> None:
    job = submit(api)
    api.jobs.update(job, partial(cancel_now, now=api.clock.now()))
    api.jobs.update(job, partial(expire, now=api.clock.now()))
    assert api.client.get(f"/v1/jobs/{job}/image").status_code == 410
    assert api.client.get(f"/v1/jobs/{job}/outputs/music.mid").status_code == 404


def test_music_of_a_job_canceled_while_it_is_rendered_can_be_fetched_until_its_time_is_over(api: Api) -> None:
    job = submit(api)
    api.advance(job, to="composed")
    waiting = api.client.get(f"/v1/jobs/{job}").json()
    assert (waiting["status"], waiting["step"], waiting["music"]["notes"]) == ("running", "render", 120)
    assert api.client.get(f"/v1/jobs/{job}/outputs/music.mid").content == b"MThd-music"
    assert api.client.post(f"/v1/jobs/{job}/cancel").json()["status"] == "canceled"
    assert api.client.get(f"/v1/jobs/{job}/outputs/music.mid").content == b"MThd-music"
    api.jobs.update(job, partial(expire, now=api.clock.now()))
    assert api.client.get(f"/v1/jobs/{job}/outputs/music.mid").status_code == 410


def test_openapi_lists_the_answer(api: Api) -> None:
    paths = api.client.get("/openapi.json").json()["paths"]
    for path in ("/v1/jobs/{job_id}/image", "/v1/jobs/{job_id}/outputs/{name}"):
        assert "410" in paths[path]["get"]["responses"], json.dumps(paths[path])


@pytest.mark.parametrize(("seconds", "status"), [(1800, 202), (1801, 503)])
def test_a_picture_that_took_half_the_grace_to_store_gets_no_row(
    api: Api, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    put = api.blobs.put

    def slow(key: str, data: bytes, content_type: str) -> None:
        put(key, data, content_type)
        api.clock.advance(seconds)

    monkeypatch.setattr(api.blobs, "put", slow)
    answer = api.client.post("/v1/jobs", files={"image": encoded(scene(40, 30))})
    assert answer.status_code == status
    kept = 1 if status == 202 else 0
    assert (len(list(api.blobs.list(""))), sum(api.jobs.unfinished_counts().values())) == (kept, kept)


def test_a_commit_that_arrives_after_its_connection_broke_finds_its_picture(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is not there yet when it is looked for: the picture must not go for that."""
    add, under_way = api.jobs.add, list[Job]()

    def cut_off(job: Job, **_: object) -> None:
        under_way.append(job)
        raise TransientError("connection lost")

    monkeypatch.setattr(api.jobs, "add", cut_off)
    answer = api.client.post("/v1/jobs", files={"image": encoded(scene(40, 30))})
    assert answer.status_code == 503
    add(under_way[0])
    assert api.client.get(f"/v1/jobs/{job_id(1)}/image").status_code == 200
