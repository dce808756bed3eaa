from dataclasses import asdict

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from samples.api import Api

from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Step
from scenescore_shared.running_models import RunningModel, note


def away(*_: object) -> None:
    raise TransientError("gone")


def test_health(api: Api) -> None:
    assert api.client.get("/healthz").json()["status"] == "ok"
    ready = api.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")


def test_without_a_broker_jobs_are_still_taken(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.publisher, "ping", away)
    ready = api.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("part", ["jobs", "blobs"])
def test_without_database_or_store_it_is_not_ready(
    api: Api, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(getattr(api, part), "ping", away)
    assert api.client.get("/readyz").status_code == 503
    assert api.client.get("/healthz").status_code == 200


def test_capabilities_tell_the_limits(api: Api) -> None:
    body = api.client.get("/v1/capabilities").json()
    assert body["emotions"] == ["happy", "angry", "sad"]
    assert body["picture"]["max_bytes"] == 200_000
    assert "image/webp" in body["picture"]["content_types"]
    assert body["options"]["properties"]["seconds"]["maximum"] == 180
    assert {"tempo_bpm", "key", "instrument", "variations"} <= body["options"]["properties"].keys()


def test_capabilities_name_the_classifiers_at_work(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def classifiers() -> list[dict[str, str]] | None:
        found: list[dict[str, str]] | None = api.client.get("/v1/capabilities").json()["classifiers"]
        return found

    old = RunningModel(name="thesis-relu@aaaaaaaa", version="0.1.0", sha256="a" * 64)
    new = RunningModel(name="own@bbbbbbbb", version="0.2.0", sha256="b" * 64)
    assert classifiers() == []
    note(old, Step.CLASSIFY, api.blobs)
    note(new, Step.CLASSIFY, api.blobs)
    api.blobs.put("models/classify/strange.json", b"[]", "application/json")
    assert classifiers() == [asdict(new), asdict(old)]
    api.clock.advance(240)
    note(new, Step.CLASSIFY, api.blobs)
    api.clock.advance(61)
    assert classifiers() == [asdict(new)]
    monkeypatch.setattr(api.blobs, "list", away)
    assert classifiers() is None


def test_capabilities_say_whether_there_is_sound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def sound() -> dict[str, object]:
        found: dict[str, object] = api.client.get("/v1/capabilities").json()["sound"]
        return found

    assert sound() == {"rendered": False, "soundfonts": []}
    font = RunningModel(name="FluidR3_GM.sf2", version="0.1.0", sha256="a" * 64)
    note(font, Step.RENDER, api.blobs)
    assert sound() == {"rendered": True, "soundfonts": [asdict(font)]}
    assert "music.ogg" in api.client.get("/v1/capabilities").json()["outputs"]
    monkeypatch.setattr(api.blobs, "list", away)
    assert sound() is None


def test_metrics_count_jobs_and_requests_without_a_series_for_each_id(api: Api) -> None:
    api.client.post("/v1/jobs", files={"options": (None, '{"emotions": {"sad": 1}}')})
    api.client.get("/v1/jobs/0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001")
    api.client.get("/v1/nowhere")
    text = api.client.get("/metrics").text
    assert 'scenescore_jobs{status="queued",step="compose"} 1.0' in text
    assert 'route="/v1/jobs/{job_id}",status="404"} 1.0' in text
    assert "0197f2a0" not in text
    assert "nowhere" not in text
    api.client.request("FOO1", "/v1/jobs")
    assert "FOO1" not in api.client.get("/metrics").text


def test_ended_jobs_are_counted_once_a_minute_and_the_others_at_once(api: Api) -> None:
    def counts() -> set[str]:
        lines = api.client.get("/metrics").text.splitlines()
        return {line.removeprefix("scenescore_jobs") for line in lines if line.startswith("scenescore_jobs{")}

    job = api.client.post("/v1/jobs", files={"options": (None, '{"emotions": {"sad": 1}}')}).json()["id"]
    assert counts() == {'{status="queued",step="compose"} 1.0'}
    api.advance(job, to="succeeded")
    assert counts() == set()
    api.clock.advance(60)
    assert counts() == {'{status="succeeded",step=""} 1.0'}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/v1/jobs", 405)])
def test_unknown_paths_and_methods_are_problems(api: Api, method: str, path: str, status: int) -> None:
    answer = api.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert status != 405 or "POST" in answer.headers["Allow"]


def test_the_openapi_document_is_valid_and_complete(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    submit = document["paths"]["/v1/jobs"]["post"]
    assert set(submit["responses"]) == {
        *("200", "202", "400", "401", "403", "408", "409", "413", "415", "422", "429", "503"),
        "default",
    }
    assert set(submit["responses"]["202"]["headers"]) == {
        *("Location", "Retry-After", "Preference-Applied", "Idempotent-Replayed"),
        *("RateLimit", "RateLimit-Policy", "X-Request-ID"),
    }
    assert "Retry-After" in submit["responses"]["503"]["headers"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, response in operation["responses"].items():
                assert response["description"], (method, path, status)
                if status >= "400" and path != "/readyz":
                    assert "application/problem+json" in response["content"], (method, path, status)
    assert {"Problem", "JobEventData", "QueueEventData"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]
