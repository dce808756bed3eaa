import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api
from samples.jobs import MIX, NOW, queued, succeeded
from samples.webhooks import URL, end
from standardwebhooks import Webhook

from scenescore_api.callers import Caller, Scope
from scenescore_api.routes.dependencies import _admitted
from scenescore_api.webhooks import schedule
from scenescore_api.webhooks.schedule import Answer
from scenescore_api.webhooks.schemas import JobEvent
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import JobError, Status
from scenescore_shared.webhooks import deliveries_of

UNKNOWN = "msg_00000000000000000000000000000000"


def submit(api: Api, url: Any = URL) -> Response:
    options = {"emotions": {"sad": 1}, "webhook_url": url}
    return api.client.post("/v1/jobs", files={"options": (None, json.dumps(options))})


def assert_problem(answer: Response, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def new_secret(api: Api) -> dict[str, Any]:
    answer = api.client.post("/v1/webhooks/secrets")
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def as_somebody(api: Api, owner: str) -> None:
    caller = Caller(owner=owner, scopes=frozenset({Scope.JOBS}))
    api.client.app.dependency_overrides[_admitted] = lambda: caller  # type: ignore[attr-defined]


def delivery_of(api: Api, job: str) -> dict[str, Any]:
    (found,) = api.client.get(f"/v1/jobs/{job}/webhook-deliveries").json()["data"]
    delivery: dict[str, Any] = found
    return delivery


def test_a_secret_is_shown_once_and_listed_without_it(api: Api) -> None:
    first = new_secret(api)
    api.clock.advance(1)
    second = new_secret(api)
    assert first["secret"] != second["secret"]
    Webhook(first["secret"])
    listed = api.client.get("/v1/webhooks/secrets").json()
    assert [each["id"] for each in listed["data"]] == [second["id"], first["id"]]
    assert first["secret"] not in json.dumps(listed)
    assert api.client.delete(f"/v1/webhooks/secrets/{first['id']}").status_code == 204
    assert_problem(api.client.delete(f"/v1/webhooks/secrets/{first['id']}"), 404, "no webhook secret")
    (left,) = api.client.get("/v1/webhooks/secrets").json()["data"]
    assert left["id"] == second["id"]


def test_there_are_five_secrets_at_most(api: Api) -> None:
    made = [new_secret(api) for _ in range(5)]
    assert_problem(api.client.post("/v1/webhooks/secrets"), 409, "revoke one")
    api.client.delete(f"/v1/webhooks/secrets/{made[0]['id']}")
    new_secret(api)


def test_secrets_are_their_owners(api: Api) -> None:
    made = new_secret(api)
    as_somebody(api, "alice")
    assert api.client.get("/v1/webhooks/secrets").json()["data"] == []
    assert_problem(api.client.delete(f"/v1/webhooks/secrets/{made['id']}"), 404, "no webhook secret")
    assert_problem(submit(api), 422, "POST /v1/webhooks/secrets")
    assert new_secret(api)["secret"] != made["secret"]
    assert submit(api).status_code == 202


def test_a_webhook_needs_a_secret_first(api: Api) -> None:
    assert_problem(submit(api), 422, "POST /v1/webhooks/secrets")
    assert api.jobs.unfinished_counts() == {}
    new_secret(api)
    answer = submit(api)
    assert answer.status_code == 202
    assert answer.json()["input"]["options"]["webhook_url"] == URL


def test_a_server_without_a_key_takes_no_webhooks(api: Api) -> None:
    service = api.client.app.state.service  # type: ignore[attr-defined]
    keyless = replace(service, webhooks=replace(service.webhooks, key=None))
    api.client.app.state.service = keyless  # type: ignore[attr-defined]
    for answer in (submit(api), api.client.post("/v1/webhooks/secrets")):
        assert_problem(answer, 422, "SCENESCORE_WEBHOOKS__SIGNING_KEY")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (7, "valid string"),
        ("", "visible ASCII"),
        ("http://example.com/", "https"),
        ("https://user:pass@example.com/", "no user"),
        ("https://example.com/#x", "fragment"),
        ("https://example.com:70000/", "65535"),
        ("https://127.0.0.1/", "not public"),
        ("https://localhost./", "not public"),
        ("https://[::1]/", "not public"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://example.com/" + "x" * 2_000, "2000 characters"),
    ],
)
def test_a_url_that_can_not_be_sent_to_is_422(api: Api, url: Any, says: str) -> None:
    new_secret(api)
    assert_problem(submit(api, url), 422, says)


def test_the_log_tells_what_became_of_a_message(api: Api) -> None:
    new_secret(api)
    job = submit(api).json()["id"]
    assert api.client.get(f"/v1/jobs/{job}/webhook-deliveries").json() == {"object": "list", "data": []}
    api.client.post(f"/v1/jobs/{job}/cancel")
    waiting = delivery_of(api, job)
    assert waiting["status"] == "pending"
    assert waiting["type"] == "job.canceled"
    assert waiting["job_id"] == job
    assert waiting["next_attempt_at"] == "2026-03-01T12:00:00.123456Z"
    assert waiting["attempts"] == []
    move = partial(schedule.claim, now=NOW, token="t", lease=timedelta(seconds=9))
    (claimed,) = api.jobs.deliveries.claim(1, NOW, move)
    assert delivery_of(api, job)["next_attempt_at"] is None
    result = partial(
        schedule.record,
        answer=Answer(status_code=204),
        started=NOW,
        now=NOW + timedelta(seconds=0.5),
        token="t",
        jitter=0.0,
    )
    api.jobs.deliveries.update(claimed.id, result)
    done = delivery_of(api, job)
    assert done["status"] == "delivered"
    assert done["finished_at"] == "2026-03-01T12:00:00.623456Z"
    assert done["attempts"] == [
        {"number": 1, "at": "2026-03-01T12:00:00.123456Z", "status_code": 204, "error": None, "seconds": 0.5}
    ]


def test_a_replay_makes_it_due_now_but_not_in_the_middle_of_an_attempt(api: Api) -> None:
    job = end(api.jobs, url=URL, at=NOW)
    (delivery,) = api.jobs.deliveries.of_job(job)
    replay = f"/v1/webhooks/deliveries/{delivery.id}/replay"
    move = partial(schedule.claim, now=NOW, token="t", lease=timedelta(seconds=9))
    api.jobs.deliveries.update(delivery.id, move)
    assert_problem(api.client.post(replay), 409, "just now")
    api.clock.advance(10)
    answer = api.client.post(replay)
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    assert answer.json()["next_attempt_at"] == "2026-03-01T12:00:10.123456Z"


def test_other_peoples_deliveries_do_not_exist(api: Api) -> None:
    job = end(api.jobs, url=URL, at=NOW, owner="bob")
    (delivery,) = api.jobs.deliveries.of_job(job)
    as_somebody(api, "alice")
    replay = "/v1/webhooks/deliveries/{}/replay"
    assert_problem(api.client.post(replay.format(delivery.id)), 404, "no webhook delivery")
    assert_problem(api.client.post(replay.format(UNKNOWN)), 404, "no webhook delivery")
    assert_problem(api.client.get(f"/v1/jobs/{job}/webhook-deliveries"), 404, "no job")
    assert api.jobs.deliveries.get(delivery.id) == delivery
    as_somebody(api, "bob")
    assert api.client.post(replay.format(delivery.id)).status_code == 202
    assert delivery_of(api, job)["id"] == delivery.id


def test_an_administrator_may_see_and_replay_anybodys(api: Api) -> None:
    job = end(api.jobs, url=URL, at=NOW, owner="bob")
    delivery = delivery_of(api, job)
    assert api.client.post(f"/v1/webhooks/deliveries/{delivery['id']}/replay").status_code == 202


def test_a_database_that_is_away_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    service = api.client.app.state.service.webhooks  # type: ignore[attr-defined]

    def away(*_: object, **__: object) -> None:
        raise TransientError("gone")

    for name in ("live", "add"):
        monkeypatch.setattr(service.secrets, name, away)
    for answer in (
        api.client.get("/v1/webhooks/secrets"),
        api.client.post("/v1/webhooks/secrets"),
        submit(api),
    ):
        assert answer.status_code == 503


@pytest.mark.parametrize(
    "after",
    [
        succeeded(),
        replace(queued(), status=Status.CANCELED, finished_at=NOW),
        replace(
            queued(emotions=MIX), status=Status.FAILED, finished_at=NOW, error=JobError(code="a", message="b")
        ),
    ],
)
def test_what_is_sent_is_what_openapi_promises(after: Any) -> None:
    asking = replace(after, options={**after.options, "webhook_url": URL})
    (delivery,) = deliveries_of(queued(), asking)
    parsed = JobEvent.model_validate_json(delivery.body)
    assert json.loads(parsed.model_dump_json()) == json.loads(delivery.body)


def test_openapi_describes_the_webhooks(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    assert set(document["webhooks"]) == {"job.succeeded", "job.failed", "job.canceled"}
    for operations in document["webhooks"].values():
        operation = operations["post"]
        assert {parameter["name"]: parameter["required"] for parameter in operation["parameters"]} == {
            "webhook-id": True,
            "webhook-timestamp": True,
            "webhook-signature": True,
        }
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert body == {"$ref": "#/components/schemas/JobEvent"}
        assert set(operation["responses"]) == {"204", "2XX", "410", "default"}
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
    for name in ("JobEvent", "DeliveryView", "NewSecretView"):
        assert name in document["components"]["schemas"]
    operations = document["paths"]["/v1/webhooks/secrets"]["post"]["responses"]
    assert operations.keys() == {"201", "401", "403", "409", "422", "429", "503", "default"}
    options = document["components"]["schemas"]["JobOptions"]["properties"]["webhook_url"]
    assert options["format"] == "uri"
    assert "webhook_url" in api.client.get("/v1/capabilities").json()["options"]["properties"]
