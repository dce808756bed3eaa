import json
from dataclasses import replace
from datetime import timedelta

import pytest
from samples.jobs import MIX, NOW, claimed, classified, queued, succeeded

from scenescore_shared.jobs import Job, JobError, Status
from scenescore_shared.moves import cancel_now
from scenescore_shared.webhooks import EVENT_TYPES, NOBODY, deliveries_of


def asking(job: Job) -> Job:
    return replace(job, options={**job.options, "webhook_url": "https://example.com/hook"})


def failed(job: Job) -> Job:
    error = JobError(code="empty_corpus", message="Ein \x00 “Fehler”.")
    return replace(job, status=Status.FAILED, step=None, finished_at=NOW, error=error, lease=None)


def test_the_body_is_thin_compact_and_complete() -> None:
    (delivery,) = deliveries_of(asking(classified()), asking(succeeded()), new_id=lambda: "msg_1")
    assert delivery.id == "msg_1"
    assert delivery.owner == NOBODY
    assert delivery.due_at == delivery.created_at == NOW + timedelta(seconds=9)
    assert json.loads(delivery.body) == {
        "type": "job.succeeded",
        "timestamp": "2026-03-01T12:00:09.123456Z",
        "data": {
            "id": succeeded().id,
            "object": "job",
            "status": "succeeded",
            "emotions": MIX,
            "outputs": [
                {"name": "music.mid", "content_type": "audio/midi", "bytes": 10, "sha256": "cd" * 32}
            ],
            "music": {"seconds": 30.0, "tempo_bpm": 96, "key": "A minor", "notes": 120},
            "error": None,
            "warnings": [],
            "metadata": {"scene": "harbour"},
            "created_at": "2026-03-01T12:00:00.123456Z",
            "finished_at": "2026-03-01T12:00:09.123456Z",
        },
    }
    assert list(json.loads(delivery.body)["data"]["emotions"]) == list(MIX)
    assert ": " not in delivery.body
    assert "blob_key" not in delivery.body


def test_the_body_is_ascii_whatever_an_error_says() -> None:
    (delivery,) = deliveries_of(asking(claimed()), asking(failed(claimed())))
    assert delivery.body.isascii()
    assert "\x00" not in delivery.body
    assert json.loads(delivery.body)["data"]["error"] == {
        "code": "empty_corpus",
        "message": "Ein \x00 “Fehler”.",
    }


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (queued(), cancel_now(queued(), now=NOW), "job.canceled"),
        (claimed(), failed(claimed()), "job.failed"),
        (classified(), succeeded(), "job.succeeded"),
    ],
)
def test_each_end_has_its_type(before: Job, after: Job, kind: str) -> None:
    (delivery,) = deliveries_of(asking(before), asking(after))
    assert delivery.type == kind
    assert kind in EVENT_TYPES


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (asking(queued()), asking(claimed())),
        (asking(succeeded()), asking(succeeded())),
        (asking(succeeded()), asking(replace(succeeded(), status=Status.EXPIRED))),
        (classified(), succeeded()),
    ],
)
def test_anything_but_an_end_that_was_asked_about_is_not_told(before: Job, after: Job) -> None:
    assert deliveries_of(before, after) == ()


def test_ids_are_random() -> None:
    ends = [deliveries_of(asking(classified()), asking(succeeded()))[0].id for _ in range(50)]
    assert len(set(ends)) == 50
