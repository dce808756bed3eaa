"""The class and the API itself, over a socket: that they mean the same."""

from pathlib import Path

import pytest
from samples.jobs import MIX, job_id
from samples.pictures import jpeg
from servers.working_api import WorkingApi, working_api

from scenescore_client import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    Options,
    PictureRefusedError,
    Progress,
    Retrying,
    RetryPolicy,
    Scenescore,
    TooManyRequestsError,
)
from scenescore_shared.options import JobOptions


def test_a_picture_is_followed_to_its_files(working: WorkingApi, tmp_path: Path) -> None:
    heard: list[Progress] = []
    with Scenescore(working.url) as client:
        accepted = client.submit(jpeg(1), Options(seconds=20, metadata={"scene": "harbour"}))
        assert (accepted.status, accepted.options["metadata"]) == ("queued", {"scene": "harbour"})
        job = client.wait(accepted, heard.append)
        assert (job.status, job.emotions, job.error) == ("succeeded", MIX, None)
        assert job.music is not None
        assert job.finished_at is not None
        assert [output.name for output in job.outputs] == ["music.mid"]
        assert client.output(job, "music.mid") == b"MThd-music"
        assert client.download(job, tmp_path) == {"music.mid": tmp_path / "music.mid"}
        assert client.image(job).startswith(b"\xff\xd8")
        assert client.get(job.id) == job
    statuses = [progress.status for progress in heard]
    assert statuses[-1] == "succeeded"
    assert heard[-1].progress == 1
    assert (tmp_path / "music.mid").read_bytes() == b"MThd-music"


def test_options_are_those_of_the_api() -> None:
    assert Options.__annotations__.keys() == JobOptions.model_fields.keys()


def test_the_same_idempotency_key_is_the_same_job(working: WorkingApi) -> None:
    with Scenescore(working.url) as client:
        first = client.submit(jpeg(1), idempotency_key="mine-1")
        assert client.submit(jpeg(1), idempotency_key="mine-1").id == first.id
        assert client.submit(jpeg(1)).id != first.id
        with pytest.raises(InvalidRequestError) as raised:
            client.submit(jpeg(2), idempotency_key="mine-1")
    assert raised.value.code == "idempotency_key_reused"
    assert len(working.jobs()) == 2


def test_jobs_are_listed_canceled_and_deleted(working: WorkingApi) -> None:
    working.held.set()
    with Scenescore(working.url) as client:
        ids = [client.submit(None, {"emotions": {"happy": 1}}).id for _ in range(5)]
        assert [job.id for job in client.list(page_size=2)] == ids[::-1]
        assert client.cancel(ids[0]).status == "canceled"
        assert [job.id for job in client.list(status="canceled")] == [ids[0]]
        client.delete(ids[0])
        for act in (client.get, client.cancel, client.delete, client.wait):
            with pytest.raises(NotFoundError, match=ids[0]):
                act(ids[0])
        working.held.clear()
        client.wait(ids[1])
        with pytest.raises(ConflictError):
            client.cancel(ids[1])


def test_what_is_wrong_is_told_by_field(working: WorkingApi) -> None:
    with Scenescore(working.url) as client:
        with pytest.raises(InvalidRequestError) as raised:
            client.submit(jpeg(), {"seconds": 5})
        assert [error.field for error in raised.value.errors] == ["options.seconds"]
        with pytest.raises(InvalidRequestError):
            client.submit(jpeg()[:500])
        with pytest.raises(PictureRefusedError) as refused:
            client.submit(b"no picture at all")
        assert refused.value.status == 415
        with pytest.raises(NotFoundError):
            client.get(job_id(99))
    assert working.jobs() == []


def test_capabilities_are_told(working: WorkingApi) -> None:
    with Scenescore(working.url) as client:
        can = client.capabilities()
    assert can.emotions == ("happy", "angry", "sad")
    assert "image/jpeg" in can.content_types
    assert "seed" in can.options["properties"]
    assert "music.mid" in can.outputs


def test_keys_open_what_they_may() -> None:
    with working_api(require_keys=True) as working:
        good, metrics_only = working.api.key(), working.api.key("bob", scopes="none")
        with Scenescore(working.url, good) as client:
            job = client.submit(jpeg())
            assert client.wait(job).succeeded
        for key in (None, "scs_wrong", good[:-1] + "x"):
            with Scenescore(working.url, key) as stranger, pytest.raises(NotAuthenticatedError):
                stranger.submit(jpeg())
        with Scenescore(working.url, metrics_only) as other, pytest.raises(NotAllowedError):
            other.wait(job)


def test_a_limit_that_is_used_up_tells_when_to_come_back() -> None:
    with working_api(require_keys=True, limits={"submissions": 2}) as working:
        none = Retrying(policy=RetryPolicy(patience=0))
        with Scenescore(working.url, working.api.key(), retries=none) as client:
            for _ in range(2):
                client.submit(jpeg())
            with pytest.raises(TooManyRequestsError) as raised:
                client.submit(jpeg())
    assert raised.value.retry_after
