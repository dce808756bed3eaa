"""The class, against a server that answers what it is told."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from samples.mock_server import (
    JOB_ID,
    JOB_PATH,
    MockServer,
    job,
    job_json,
    output_json,
    problem,
)

from scenescore_client import (
    ConflictError,
    DamagedFileError,
    FileThereError,
    InvalidRequestError,
    Job,
    Music,
    NotFoundError,
    Notice,
    Options,
    TooManyRequestsError,
    UnsafeNameError,
    UsageError,
)

OTHER_ID = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a002"


@pytest.fixture
def server() -> MockServer:
    return MockServer()


def fields(request: httpx2.Request) -> dict[str, bytes]:
    """The parts of a form, by name."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = [part for part in request.content.split(b"--" + boundary) if b"\r\n\r\n" in part]
    found = {}
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        match = re.search(rb'name="(\w+)"', head)
        assert match is not None
        found[match[1].decode()] = body.removesuffix(b"\r\n")
    return found


def done(*outputs: dict[str, Any]) -> Job:
    return Job.parse(job_json(status="succeeded", outputs=list(outputs)))


def test_a_picture_and_options_become_a_form(server: MockServer, tmp_path: Path) -> None:
    server.on("POST /v1/jobs", lambda _: job(202))
    (tmp_path / "my secret wedding.jpg").write_bytes(b"picture")
    with server.client() as client:
        accepted = client.submit(tmp_path / "my secret wedding.jpg", Options(seed=7, key="F# minor"))
        client.submit(b"bytes")
        client.submit(None, {"emotions": {"happy": 1}})
    assert (accepted.id, accepted.status) == (JOB_ID, "queued")
    first, second, third = (fields(request) for request in server.requests)
    assert first["image"] == b"picture"
    assert json.loads(first["options"]) == {"seed": 7, "key": "F# minor"}
    assert b"wedding" not in server.requests[0].content
    assert (second["image"], json.loads(second["options"])) == (b"bytes", {})
    assert third.keys() == {"options"}


def test_each_submission_has_a_key_of_its_own_and_keeps_it_through_every_try(server: MockServer) -> None:
    server.on(
        "POST /v1/jobs",
        httpx2.ReadError("reset"),
        problem(503, "temporarily_unavailable", Retry_After="5"),
        problem(409, "idempotency_key_in_flight", Retry_After="1"),
        problem(429, "too_many_requests", Retry_After="7"),
        httpx2.Response(502, text="<html/>"),
        lambda _: job(202),
    )
    with server.client() as client:
        client.submit(b"picture")
        client.submit(b"picture")
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert len(keys) == 7
    assert len(set(keys[:6])) == 1
    assert keys[6] != keys[0]
    assert UUID(keys[0]).version == 4
    assert server.time.waits == [0.5, 5, 1, 7, 8]
    assert {fields(request)["image"] for request in server.requests} == {b"picture"}


def test_a_key_of_ones_own_is_taken(server: MockServer) -> None:
    server.on("POST /v1/jobs", job(202))
    with server.client() as client:
        client.submit(b"picture", idempotency_key="mine-1")
        with pytest.raises(UsageError):
            client.submit(b"picture", idempotency_key="two words")
    assert [request.headers["Idempotency-Key"] for request in server.requests] == ["mine-1"]


@pytest.mark.parametrize("status", [400, 413, 415, 422, 500])
def test_what_was_refused_is_not_sent_again(server: MockServer, status: int) -> None:
    server.on("POST /v1/jobs", problem(status, "invalid_picture", "The picture is damaged."))
    with server.client() as client, pytest.raises(Exception, match="The picture is damaged"):
        client.submit(b"picture")
    assert len(server.requests) == 1


def test_a_key_that_came_with_something_else_is_not_waited_for(server: MockServer) -> None:
    server.on("POST /v1/jobs", problem(422, "idempotency_key_reused"))
    with server.client() as client, pytest.raises(InvalidRequestError) as raised:
        client.submit(b"picture", idempotency_key="mine-1")
    assert (raised.value.code, len(server.requests)) == ("idempotency_key_reused", 1)


def test_a_quota_for_an_hour_is_told_at_once(server: MockServer) -> None:
    server.on("POST /v1/jobs", problem(429, "too_many_requests", Retry_After="3600"))
    with server.client() as client, pytest.raises(TooManyRequestsError) as raised:
        client.submit(b"picture")
    assert (raised.value.retry_after, server.time.waits) == (3600, [])


def test_options_that_are_no_json_are_refused_here(server: MockServer) -> None:
    with server.client() as client, pytest.raises(UsageError):
        client.submit(None, {"temperature": float("nan")})
    assert server.requests == []


def test_a_job_is_told_whole_and_what_is_new_in_it_is_kept(server: MockServer) -> None:
    told = job_json(
        status="succeeded",
        step=None,
        progress=1,
        queue_position=None,
        emotions={"happy": 0.7, "sad": 0.3},
        outputs=[output_json(loudness=-16)],
        music={"seconds": 30, "tempo_bpm": 96, "key": "G major", "notes": 180, "swing": True},
        warnings=[{"code": "no_soundfont", "message": "No sound."}],
        provenance={"seed": 7},
        finished_at="2026-03-01T12:01:00Z",
        mood="new",
    )
    server.on(f"GET {JOB_PATH}", httpx2.Response(200, json=told))
    with server.client() as client:
        read = client.get(JOB_ID)
    assert read.music == Music(seconds=30, tempo_bpm=96, key="G major", notes=180)
    assert read.warnings == (Notice(code="no_soundfont", message="No sound."),)
    assert (read.ended, read.succeeded, read.error) == (True, True, None)
    assert read.created_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (read.provenance["seed"], read.options["seconds"]) == (7, 30.0)
    assert read.raw == told


def test_a_job_with_only_what_every_version_has_is_a_job() -> None:
    bare = Job.parse({"id": JOB_ID, "status": "paused"})
    assert (bare.ended, bare.outputs, bare.emotions) == (False, (), None)


def test_lists_go_on_page_by_page_as_asked_for(server: MockServer) -> None:
    def page(*ids: str, token: str | None) -> httpx2.Response:
        return httpx2.Response(200, json={"data": [job_json(id=i) for i in ids], "next_page_token": token})

    server.on("GET /v1/jobs", page(JOB_ID, OTHER_ID, token="t+1"), page(JOB_ID, token=None))
    with server.client() as client:
        jobs = client.list(status="succeeded", page_size=2)
        assert [next(jobs).id, next(jobs).id] == [JOB_ID, OTHER_ID]
        assert len(server.requests) == 1
        assert [job.id for job in jobs] == [JOB_ID]
    assert [dict(request.url.params) for request in server.requests] == [
        {"page_size": "2", "status": "succeeded"},
        {"page_size": "2", "status": "succeeded", "page_token": "t+1"},
    ]


def test_canceling_is_retried_and_an_ended_job_is_a_conflict(server: MockServer) -> None:
    server.on(f"POST {JOB_PATH}/cancel", problem(503, "x"), job(status="canceled"))
    with server.client() as client:
        assert client.cancel(JOB_ID).status == "canceled"
        server.on(f"POST {JOB_PATH}/cancel", problem(409, "illegal_move"))
        with pytest.raises(ConflictError):
            client.cancel(JOB_ID)


def test_a_deletion_whose_answer_was_lost_is_done(server: MockServer) -> None:
    server.on(f"DELETE {JOB_PATH}", httpx2.ReadError("reset"), problem(404, "not_found"))
    with server.client() as client:
        client.delete(JOB_ID)
        server.on(f"DELETE {JOB_PATH}", httpx2.Response(204))
        client.delete(JOB_ID)
        server.on(f"DELETE {JOB_PATH}", problem(404, "not_found"))
        with pytest.raises(NotFoundError):
            client.delete(JOB_ID)


@pytest.mark.parametrize("job_id", ["", "..", "../../healthz", "x/y", "new", JOB_ID + "?x"])
def test_what_is_no_id_leads_nowhere(server: MockServer, job_id: str) -> None:
    with server.client() as client:
        for act in (client.get, client.cancel, client.delete, client.wait, client.image):
            with pytest.raises(UsageError):
                act(job_id)
    assert server.requests == []


def test_files_are_saved_and_checked(server: MockServer, tmp_path: Path) -> None:
    finished = done(output_json("music.mid", b"MThd"), output_json("pianoroll.png", b"PNG"))
    server.on(f"GET {JOB_PATH}/outputs/music.mid", lambda _: httpx2.Response(200, content=b"MThd"))
    server.on(f"GET {JOB_PATH}/outputs/pianoroll.png", lambda _: httpx2.Response(200, content=b"PNG"))
    with server.client() as client:
        places = client.download(finished, tmp_path)
        assert places == {name: tmp_path / name for name in ("music.mid", "pianoroll.png")}
        assert [place.read_bytes() for place in places.values()] == [b"MThd", b"PNG"]
        (tmp_path / "other").mkdir()
        assert list(client.download(finished, tmp_path / "other", only=["music.mid"])) == ["music.mid"]
        assert [path.name for path in (tmp_path / "other").iterdir()] == ["music.mid"]
        with pytest.raises(UsageError, match=r"no music\.wav; it has: music\.mid, pianoroll\.png"):
            client.download(finished, tmp_path, only=["music.wav"])


def test_damaged_files_are_not_saved(server: MockServer, tmp_path: Path) -> None:
    server.on(f"GET {JOB_PATH}/outputs/music.mid", httpx2.Response(200, content=b"MThX"))
    with server.client() as client, pytest.raises(DamagedFileError):
        client.download(done(output_json()), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_a_download_that_broke_off_has_saved_is_not_fetched_again(
    server: MockServer, tmp_path: Path, *, overwrite: bool
) -> None:
    (tmp_path / "music.mid").write_bytes(b"MThd")
    server.on(f"GET {JOB_PATH}/outputs/pianoroll.png", httpx2.Response(200, content=b"PNG"))
    finished = done(output_json("music.mid"), output_json("pianoroll.png", b"PNG"))
    with server.client() as client:
        places = client.download(finished, tmp_path, overwrite=overwrite)
    assert {name: place.read_bytes() for name, place in places.items()} == {
        "music.mid": b"MThd",
        "pianoroll.png": b"PNG",
    }
    assert server.paths() == [f"GET {JOB_PATH}/outputs/pianoroll.png"]


def test_nothing_is_fetched_for_what_can_not_be_saved(server: MockServer, tmp_path: Path) -> None:
    (tmp_path / "pianoroll.png").write_bytes(b"mine")
    finished = done(output_json("music.mid"), output_json("pianoroll.png"))
    with server.client() as client:
        with pytest.raises(FileThereError):
            client.download(finished, tmp_path)
        for name in ("../music.mid", "/etc/music.mid", ".profile", "a\\b"):
            with pytest.raises(UnsafeNameError):
                client.download(
                    done(output_json("music.mid"), output_json(name)), tmp_path / "x", overwrite=True
                )
    assert server.requests == []
    assert (tmp_path / "pianoroll.png").read_bytes() == b"mine"


def test_files_are_replaced_where_asked(server: MockServer, tmp_path: Path) -> None:
    (tmp_path / "music.mid").write_bytes(b"before")
    server.on(f"GET {JOB_PATH}/outputs/music.mid", httpx2.Response(200, content=b"MThd"))
    with server.client() as client:
        client.download(done(output_json()), tmp_path, overwrite=True)
    assert (tmp_path / "music.mid").read_bytes() == b"MThd"


def test_the_picture_as_kept_and_what_the_server_can(server: MockServer) -> None:
    server.on(f"GET {JOB_PATH}/image", httpx2.ReadError("reset"), httpx2.Response(200, content=b"JPEG"))
    told = {
        "version": "0.1.0",
        "emotions": ["happy", "sad"],
        "picture": {"content_types": ["image/png"], "max_bytes": 1, "max_pixels": 2},
        "sound": {"rendered": True, "soundfonts": []},
        "outputs": ["music.mid"],
        "options": {"type": "object"},
        "new": 1,
    }
    server.on("GET /v1/capabilities", httpx2.Response(200, json=told))
    with server.client() as client:
        assert client.image(JOB_ID) == b"JPEG"
        can = client.capabilities()
    assert (can.version, can.emotions, can.max_bytes, can.max_pixels) == ("0.1.0", ("happy", "sad"), 1, 2)
    assert (can.sound, can.outputs, can.content_types, can.raw) == (
        True,
        ("music.mid",),
        ("image/png",),
        told,
    )
