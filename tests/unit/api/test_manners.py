"""Idempotency keys, preferences and events, over HTTP."""

import json
import threading
import time
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api
from samples.jobs import job_id
from samples.pictures import jpeg

from scenescore_shared.errors import TransientError
from scenescore_shared.idempotency import KEPT_FOR, RESERVED_FOR, Claimant, fingerprint
from scenescore_shared.jobs import Job, Status
from scenescore_shared.options import JobOptions


def submit(api: Api, headers: dict[str, str], *, seed: int = 1, **options: Any) -> Response:
    return api.client.post(
        "/v1/jobs",
        files={"image": ("p.jpg", jpeg(seed))},
        data={"options": json.dumps(options)},
        headers=headers,
    )


def key(name: str = "k-1") -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_the_same_request_again_is_the_same_job(api: Api) -> None:
    first = submit(api, key(), seed=1)
    api.advance(first.json()["id"], to="classified")
    again = submit(api, key(), seed=1)
    assert again.status_code == first.status_code == 202
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(api.jobs.seqs([job_id(1), job_id(2)])) == 1


def test_spelling_does_not_make_another_request(api: Api) -> None:
    first = submit(api, key(), seconds=30)
    spelt = api.client.post(
        "/v1/jobs",
        files={"options": (None, '{ "metadata":{}, "seconds": 30.0}'), "image": ("other-name.png", jpeg(1))},
        headers={"Idempotency-Key": '"k-1"'},
    )
    assert spelt.json()["id"] == first.json()["id"]


def test_another_request_with_the_key_is_422(api: Api) -> None:
    submit(api, key())
    for other in (submit(api, key(), seed=2), submit(api, key(), seconds=20)):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert submit(api, key("k-2"), seed=2).status_code == 202


def test_while_the_first_is_at_work_the_second_is_409(api: Api) -> None:
    options = JobOptions(emotions={"happy": 1.0})
    wanted = fingerprint(None, options.with_mix_over(("happy", "angry", "sad")).as_json())
    api.jobs.idempotency_keys.reserve(
        Claimant(owner="", key="k-1", fingerprint=wanted, token="another request"), now=api.clock.now()
    )

    def send() -> Response:
        return api.client.post(
            "/v1/jobs", files={"options": (None, '{"emotions": {"happy": 1}}')}, headers=key()
        )

    busy = send()
    assert (busy.status_code, busy.json()["code"]) == (409, "idempotency_key_in_flight")
    assert busy.headers["Retry-After"] == "1"
    # its process has died: after a while the key is free
    api.clock.advance(RESERVED_FOR.total_seconds())
    assert send().status_code == 202


def test_a_day_later_the_key_is_forgotten(api: Api) -> None:
    first = submit(api, key()).json()["id"]
    api.clock.advance(KEPT_FOR.total_seconds())
    assert submit(api, key()).json()["id"] != first


def test_a_refused_request_may_be_corrected_under_its_key(api: Api) -> None:
    broken = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg()[:500])}, headers=key())
    assert broken.status_code == 422
    assert submit(api, key()).status_code == 202


def test_a_request_that_failed_on_our_side_may_be_sent_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise TransientError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(api.jobs, "add", away)
        assert submit(api, key()).status_code == 503
    assert submit(api, key()).status_code == 202
    assert sum(api.jobs.unfinished_counts().values()) == 1


def test_a_commit_whose_answer_was_lost_is_answered_and_replayed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = api.jobs.add

    def committed_and_cut_off(job: Job, **given: Any) -> None:
        add(job, **given)
        raise TransientError("connection lost")

    with monkeypatch.context() as patched:
        patched.setattr(api.jobs, "add", committed_and_cut_off)
        first = submit(api, key())
    assert first.status_code == 202
    assert submit(api, key()).json() == first.json()


def test_a_deleted_job_is_not_made_anew(api: Api) -> None:
    first = submit(api, key()).json()
    api.client.delete(first["links"]["self"])
    again = submit(api, key() | {"Prefer": "wait=1"})
    assert again.json() == first
    assert api.jobs.seqs([first["id"]]) == {}


@pytest.mark.parametrize("bad", ["", '""', "a b", "x" * 256, "ü", "a\tb"])
def test_a_key_that_is_none_is_422(api: Api, bad: str) -> None:
    answer = api.client.post(
        "/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers={b"Idempotency-Key": bad.encode()}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_idempotency_key")


def _later(seconds: float, what: Any, *arguments: Any, **named: Any) -> threading.Timer:
    timer = threading.Timer(seconds, what, arguments, named)
    timer.start()
    return timer


def test_prefer_wait_answers_when_the_job_has_ended(api: Api) -> None:
    def work() -> None:
        while not api.jobs.seqs([job_id(1)]):
            time.sleep(0.01)
        api.advance(job_id(1), to="succeeded")

    worker = threading.Thread(target=work)
    worker.start()
    answer = submit(api, {"Prefer": "wait=30"})
    worker.join()
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["Location"].endswith(answer.json()["id"])
    assert "Retry-After" not in answer.headers


def test_prefer_wait_does_not_wait_for_ever(api: Api) -> None:
    started = time.monotonic()
    answer = submit(api, {"Prefer": "respond-async, wait=1"})
    assert 1 <= time.monotonic() - started < 10
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.headers["Preference-Applied"] == "respond-async, wait=1"
    assert answer.headers["Retry-After"] == "1"


def test_without_a_preference_nothing_is_said_of_one(api: Api) -> None:
    assert "Preference-Applied" not in submit(api, {}).headers
    assert submit(api, {"Prefer": "respond-async"}).headers["Preference-Applied"] == "respond-async"


def test_reading_may_wait_too(api: Api) -> None:
    job = submit(api, {}).json()["id"]
    timer = _later(0.2, api.advance, job, to="succeeded")
    answer = api.client.get(f"/v1/jobs/{job}", headers={"Prefer": "wait=30"})
    timer.join()
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=30"


def messages(text: str) -> list[dict[str, str]]:
    """The messages of an event stream, comments left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append(fields)
    return found


def test_the_events_of_an_ended_job_are_told_and_the_stream_ends(api: Api) -> None:
    job = submit(api, {}).json()["id"]
    api.advance(job, to="succeeded")
    answer = api.client.get(f"/v1/jobs/{job}/events")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    retry, *told = messages(answer.text)
    assert retry == {"retry": "1000"}
    assert [int(message["id"]) for message in told] == list(range(1, api.jobs.get(job).seq + 1))
    data = [json.loads(message["data"]) for message in told]
    assert [(item["status"], item["step"]) for item in data][-1] == ("succeeded", None)
    assert data[-1]["progress"] == 1
    assert data[0]["at"] == "2026-03-01T12:00:00.123456Z"


def test_a_stream_goes_on_after_the_last_event_seen(api: Api) -> None:
    job = submit(api, {}).json()["id"]
    api.advance(job, to="succeeded")
    last = api.jobs.get(job).seq
    answer = api.client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": str(last - 1)})
    assert [message["id"] for message in messages(answer.text)[1:]] == [str(last)]


@pytest.mark.parametrize("seen", ["{last}", "999999999999"])
def test_who_has_seen_the_end_is_told_not_to_come_back(api: Api, seen: str) -> None:
    job = submit(api, {}).json()["id"]
    api.advance(job, to="succeeded")
    headers = {"Last-Event-ID": seen.format(last=api.jobs.get(job).seq)}
    answer = api.client.get(f"/v1/jobs/{job}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("strange", ["x", "-1", "1.5", "²", ""])
def test_a_strange_last_id_counts_for_nothing(api: Api, strange: str) -> None:
    job = submit(api, {}).json()["id"]
    api.advance(job, to="succeeded")
    headers = {b"Last-Event-ID": strange.encode()}
    told = messages(api.client.get(f"/v1/jobs/{job}/events", headers=headers).text)
    assert told[1]["id"] == "1"


def test_a_stream_follows_a_job_to_its_end_with_its_place_in_the_queue(api: Api) -> None:
    submit(api, {})
    api.clock.advance(1)
    job = submit(api, {}).json()["id"]
    timer = _later(0.3, api.advance, job, to="succeeded")
    told = messages(api.client.get(f"/v1/jobs/{job}/events").text)
    timer.join()
    assert {"event": "queue", "data": '{"queue_position":1}'} in told
    assert json.loads(told[-1]["data"])["status"] == "succeeded"


def test_a_stream_ends_when_its_job_is_deleted(api: Api) -> None:
    job = submit(api, {}).json()["id"]
    timer = _later(0.3, api.client.delete, f"/v1/jobs/{job}")
    told = messages(api.client.get(f"/v1/jobs/{job}/events").text)
    timer.join()
    assert told[1]["id"] == "1"
    assert api.client.get(f"/v1/jobs/{job}/events").status_code == 404


def test_an_outage_of_the_database_interrupts_no_stream(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submit(api, {}).json()["id"]
    events, calls = api.jobs.events, 0

    def away_twice(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise TransientError("gone")
        return events(*arguments, **named)

    api.advance(job, to="succeeded")
    monkeypatch.setattr(api.jobs, "events", away_twice)
    answer = api.client.get(f"/v1/jobs/{job}/events")
    assert answer.text.count(": the database is away") == 2
    assert json.loads(messages(answer.text)[-1]["data"])["status"] == "succeeded"


def test_unknown_jobs_have_no_stream(api: Api) -> None:
    assert api.client.get(f"/v1/jobs/{job_id(9)}/events").status_code == 404


def test_no_more_streams_than_the_server_takes(api: Api) -> None:
    job = submit(api, {}).json()["id"]
    api.app.state.streams.limit = 0
    answer = api.client.get(f"/v1/jobs/{job}/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "5"
    assert api.jobs.get(job).status is Status.QUEUED
