import hashlib
import json
from typing import Any

import pytest
from httpx2 import Response
from samples.api import Api
from samples.jobs import MIX, job_id
from samples.pictures import encoded, jpeg, scene, with_exif

from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Job, Status, Step


def submit(api: Api, upload: bytes | None = None, **options: Any) -> Response:
    files = {"image": ("p.jpg", upload if upload is not None else jpeg())}
    return api.client.post(
        "/v1/jobs", files=files, data={"options": json.dumps(options)} if options else None
    )


def assert_problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["title"]
    assert problem["detail"].endswith("."), problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


def test_a_picture_is_accepted_stored_committed_and_a_worker_woken(api: Api) -> None:
    upload = with_exif(scene(80, 60), orientation=6)
    answer = submit(api, upload, seed=7, metadata={"scene": "harbour"})
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{body['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert body["status"] == "queued"
    assert body["step"] == "classify"
    assert body["queue_position"] == 0
    assert body["input"]["image"] == {
        "sha256": hashlib.sha256(upload).hexdigest(),
        "content_type": "image/jpeg",
        "width": 60,
        "height": 80,
        "bytes": len(upload),
    }
    assert body["input"]["options"] == {
        "seed": 7,
        "seconds": 30.0,
        "temperature": None,
        "tempo_bpm": None,
        "key": None,
        "instrument": None,
        "variations": 1,
        "emotions": None,
        "webhook_url": None,
        "metadata": {"scene": "harbour"},
    }
    job = api.jobs.get(body["id"])
    assert job.request_id == answer.headers["X-Request-ID"]
    assert api.publisher.sent == [(Step.CLASSIFY, WakeUp(job_id=job.id, request_id=job.request_id))]
    picture = api.client.get(f"/v1/jobs/{job.id}/image")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert job.picture is not None
    assert picture.content == api.blobs.get(job.picture.blob_key)
    assert b"Exif" not in picture.content


def test_a_mix_needs_no_picture_and_no_classifier(api: Api) -> None:
    answer = api.client.post(
        "/v1/jobs", files={"options": (None, json.dumps({"emotions": {"happy": 3, "sad": 1}}))}
    )
    body = answer.json()
    assert answer.status_code == 202
    assert body["emotions"] == {"happy": 0.75, "angry": 0.0, "sad": 0.25}
    assert body["step"] == "compose"
    assert body["input"]["image"] is None
    assert body["links"]["image"] is None
    assert_problem(api.client.get(f"/v1/jobs/{body['id']}/image"), 404, "not_found")


def test_a_job_is_followed_to_its_music(api: Api) -> None:
    job = submit(api).json()["id"]
    api.advance(job, to="classified")
    running = api.client.get(f"/v1/jobs/{job}")
    assert running.json()["status"] == "running"
    assert running.json()["emotions"] == MIX
    assert running.headers["Retry-After"] == "1"
    api.advance(job, to="succeeded")
    done = api.client.get(f"/v1/jobs/{job}")
    body = done.json()
    assert body["status"] == "succeeded"
    assert "Retry-After" not in done.headers
    assert body["progress"] == 1
    assert body["music"]["key"] == "A minor"
    assert body["provenance"]["classifier"] == "thesis-relu@12345678"
    assert body["metrics"] == {
        "queued_seconds": 0.0,
        "classify_seconds": 0.0,
        "compose_seconds": 0.0,
        "render_seconds": None,
    }
    assert body["links"]["outputs"] == [body["outputs"][0]["url"]]
    music = api.client.get(body["outputs"][0]["url"])
    assert music.content == b"MThd-music"
    assert music.headers["Content-Type"] == "audio/midi"
    assert music.headers["Content-Disposition"] == 'attachment; filename="music.mid"'
    assert music.headers["X-Content-Type-Options"] == "nosniff"
    missing = api.client.get(f"/v1/jobs/{job}/outputs/other.mid")
    assert "music.mid" in assert_problem(missing, 404, "not_found")["detail"]


@pytest.mark.parametrize("path", ["", "/image", "/outputs/music.mid"])
@pytest.mark.parametrize("job", [job_id(99), "no-id", "%00", "..%2f.."])
def test_unknown_ids_are_404(api: Api, job: str, path: str) -> None:
    assert_problem(api.client.get(f"/v1/jobs/{job}{path}"), 404, "not_found")


def test_unknown_ids_can_be_neither_canceled_nor_deleted(api: Api) -> None:
    assert_problem(api.client.post(f"/v1/jobs/{job_id(99)}/cancel"), 404, "not_found")
    assert_problem(api.client.delete(f"/v1/jobs/{job_id(99)}"), 404, "not_found")


@pytest.mark.parametrize(
    ("upload", "status", "code"),
    [
        (b"x" * 200_001, 413, "picture_too_large"),
        (b"x" * 600_000, 413, "picture_too_large"),
        (b"%PDF-1.7", 415, "picture_type_unsupported"),
        (jpeg()[:400], 422, "picture_undecodable"),
        (encoded(scene(1001, 1000), "WEBP", quality=1), 422, "picture_too_many_pixels"),
        (b"", 422, "invalid_request"),
    ],
)
def test_each_refusal_of_a_picture_says_which_limit(api: Api, upload: bytes, status: int, code: str) -> None:
    assert_problem(submit(api, upload), status, code)
    assert api.jobs.page(whose=None, status=None, limit=9, before_id=None) == []
    assert list(api.blobs.list("")) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": 5}, "options.seconds"),
        ({"seconds": 181}, "options.seconds"),
        ({"seconds": "soon"}, "options.seconds"),
        ({"seed": -1}, "options.seed"),
        ({"seed": 2**60}, "options.seed"),
        ({"seed": True}, "options.seed"),
        ({"seed": 1.5}, "options.seed"),
        ({"temperature": 9}, "options.temperature"),
        ({"emotions": {"happy": 0}}, "at least one"),
        ({"emotions": {"happy": -1, "sad": 2}}, "at least 0"),
        ({"emotions": {"bored": 1}}, "bored"),
        ({"emotions": {"calm": 1}}, "calm"),
        ({"emotions": {}}, "at least one"),
        ({"emotions": {"sad": True}}, "options.emotions"),
        ({"seconds": True}, "options.seconds"),
        ({"seconds": "30"}, "options.seconds"),
        ({"metadata": {"a": "\x00"}}, "NUL"),
        ({"metadata": {"a": "\ud800"}}, "options.metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "options.metadata"),
        ({"metadata": {"a": 1}}, "options.metadata"),
        ({"sedd": 1}, "sedd"),
        ({"tempo_bpm": 29}, "tempo_bpm"),
        ({"tempo_bpm": 90.5}, "tempo_bpm"),
        ({"key": "H dur"}, "key"),
        ({"key": "C"}, "key"),
        ({"instrument": "kazoo"}, "General MIDI has no such instrument"),
        ({"instrument": 128}, "instrument"),
        ({"variations": 0}, "variations"),
        ({"variations": 9}, "variations"),
    ],
)
def test_wrong_options_are_422_and_say_why(api: Api, options: dict[str, Any], says: str) -> None:
    problem = assert_problem(submit(api, **options), 422, "invalid_request")
    assert says in problem["detail"]
    assert list(api.blobs.list("")) == []


@pytest.mark.parametrize("raw", ["", "{", "[]", "7", "null", '{"seed": NaN}', "[" * 50_000])
def test_options_that_are_no_json_object_are_422(api: Api, raw: str) -> None:
    answer = api.client.post("/v1/jobs", files={"image": ("p", jpeg())}, data={"options": raw})
    assert_problem(answer, 422, "invalid_request")


def test_a_form_that_makes_no_sense_says_what_is_wrong_with_it(api: Api) -> None:
    post = api.client.post
    picture = ("p.jpg", jpeg())
    assert "multipart" in assert_problem(post("/v1/jobs", content=jpeg()), 400, "malformed_request")["detail"]
    assert_problem(
        post("/v1/jobs", content=b"--", headers={"Content-Type": "multipart/form-data"}),
        400,
        "malformed_request",
    )
    nothing = post("/v1/jobs", files={"options": (None, "{}")})
    assert "image" in assert_problem(nothing, 422, "invalid_request")["detail"]
    twice = post("/v1/jobs", files=[("image", picture), ("image", picture)])
    assert "2 times" in assert_problem(twice, 422, "invalid_request")["detail"]
    unknown = post("/v1/jobs", files={"picture": picture})
    assert "'picture'" in assert_problem(unknown, 422, "invalid_request")["detail"]
    text = post("/v1/jobs", files={"image": (None, "p.jpg")})
    assert "@" in assert_problem(text, 422, "invalid_request")["detail"]
    large = post("/v1/jobs", files={"image": picture}, data={"options": " " * 70_000})
    assert large.status_code in {400, 422}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-dataX; boundary=B", b"--B--"),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"--B--"),
        (
            "multipart/form-data; boundary=B",
            b'--B\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx',
        ),
    ],
)
def test_a_form_that_is_none_or_cut_off_is_400(api: Api, content_type: str, body: bytes) -> None:
    answer = api.client.post("/v1/jobs", content=body, headers={"Content-Type": content_type})
    assert_problem(answer, 400, "malformed_request")


@pytest.mark.parametrize("charset", ["punycode", "undefined", "nonsense", "utf-7", "idna"])
def test_no_charset_breaks_the_reading_of_a_form(api: Api, charset: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="options"\r\n\r\n\xff\r\n--B--\r\n'
    content_type = f"multipart/form-data; boundary=B; charset={charset}"
    answer = api.client.post("/v1/jobs", content=body, headers={"Content-Type": content_type})
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_types_are_compared_without_case(api: Api) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"emotions":{"sad":1}}\r\n--B--\r\n'
    answer = api.client.post(
        "/v1/jobs", content=body, headers={"Content-Type": "Multipart/Form-Data; boundary=B"}
    )
    assert answer.status_code == 202


def test_huge_weights_are_a_mix_like_any_other(api: Api) -> None:
    assert submit(api, emotions={"happy": 1e308, "sad": 1e308}).json()["emotions"]["happy"] == 0.5


def test_metadata_may_be_in_any_language(api: Api) -> None:
    metadata = {"title": "東京　タワー 👨‍👩‍👧", "note": "Bonjour !\n\tzwei"}
    assert submit(api, metadata=metadata).json()["input"]["options"]["metadata"] == metadata


def test_the_list_is_newest_first_and_paged(api: Api) -> None:
    ids = [submit(api).json()["id"] for _ in range(5)]
    api.advance(ids[2], to="succeeded")
    first = api.client.get("/v1/jobs", params={"page_size": 3}).json()
    assert [job["id"] for job in first["data"]] == ids[:1:-1]
    second = api.client.get(
        "/v1/jobs", params={"page_size": 3, "page_token": first["next_page_token"]}
    ).json()
    assert [job["id"] for job in second["data"]] == ids[1::-1]
    assert second["next_page_token"] is None
    assert second["object"] == "list"
    done = api.client.get("/v1/jobs", params={"status": "succeeded"}).json()
    assert [job["id"] for job in done["data"]] == [ids[2]]


@pytest.mark.parametrize(
    "query",
    [{"page_size": 0}, {"page_size": 101}, {"page_token": "!"}, {"page_token": "AAAA"}, {"status": "x"}],
)
def test_wrong_queries_are_422(api: Api, query: dict[str, Any]) -> None:
    assert_problem(api.client.get("/v1/jobs", params=query), 422, "invalid_request")


def test_a_waiting_job_is_canceled_at_once_and_only_that_one(api: Api) -> None:
    first, second = (submit(api).json()["id"] for _ in range(2))
    answer = api.client.post(f"/v1/jobs/{second}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert api.client.post(f"/v1/jobs/{second}/cancel").status_code == 200
    assert api.jobs.get(first).status is Status.QUEUED


def test_a_running_job_is_asked_to_stop(api: Api) -> None:
    job = submit(api).json()["id"]
    api.advance(job, to="claimed")
    assert api.client.post(f"/v1/jobs/{job}/cancel").json()["status"] == "running"
    assert api.jobs.get(job).cancel_requested


def test_an_ended_job_can_not_be_canceled(api: Api) -> None:
    job = submit(api).json()["id"]
    api.advance(job, to="succeeded")
    assert_problem(api.client.post(f"/v1/jobs/{job}/cancel"), 409, "illegal_move")


@pytest.mark.parametrize("state", ["queued", "claimed", "classified", "succeeded"])
def test_delete_takes_the_job_and_its_files_in_every_state(api: Api, state: str) -> None:
    job = submit(api).json()["id"]
    if state != "queued":
        api.advance(job, to=state)
    assert api.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert_problem(api.client.get(f"/v1/jobs/{job}"), 404, "not_found")
    assert list(api.blobs.list("")) == []


def test_a_broker_that_is_away_loses_no_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise TransientError("gone")

    monkeypatch.setattr(api.publisher, "wake", away)
    answer = submit(api)
    assert answer.status_code == 202
    assert api.jobs.get(answer.json()["id"]).status is Status.QUEUED


def test_a_database_that_is_away_accepts_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise TransientError("connection refused: postgresql://secret@host")

    monkeypatch.setattr(api.jobs, "add", away)
    answer = submit(api)
    problem = assert_problem(answer, 503, "temporarily_unavailable")
    assert "secret" not in problem["detail"]
    assert answer.headers["Retry-After"] == "5"
    # the picture is the orphan sweep's: the commit may still be under way
    assert api.jobs.unfinished_counts() == {}


def test_a_commit_whose_answer_was_lost_is_a_commit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    add = api.jobs.add

    def committed_and_cut_off(job: Job, **given: Any) -> None:
        add(job, **given)
        raise TransientError("connection lost")

    monkeypatch.setattr(api.jobs, "add", committed_and_cut_off)
    answer = submit(api)
    assert answer.status_code == 202
    assert api.client.get(answer.json()["links"]["image"]).status_code == 200
    assert len(api.publisher.sent) == 1


def test_where_nobody_can_tell_the_picture_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise TransientError("gone")

    monkeypatch.setattr(api.jobs, "add", away)
    monkeypatch.setattr(api.jobs, "get", away)
    assert_problem(submit(api), 503, "temporarily_unavailable")
    assert len(list(api.blobs.list(""))) == 1


def test_what_nobody_foresaw_is_a_problem_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(api.jobs, "get", broken)
    answer = api.client.get(f"/v1/jobs/{job_id(1)}")
    assert_problem(answer, 500, "internal_error")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "secret" not in answer.text


def test_a_tame_request_id_is_kept_and_a_wild_one_replaced(api: Api) -> None:
    kept = api.client.get("/healthz", headers={"X-Request-ID": "client-7"})
    replaced = api.client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert kept.headers["X-Request-ID"] == "client-7"
    assert len(replaced.headers["X-Request-ID"]) == 32
