"""What is kept for a time only, and what nobody names: on fakes."""

from dataclasses import replace

import pytest
from pydantic import ValidationError
from samples.jobs import NOW, PICTURE, claimed, job_id, queued, succeeded
from structlog.testing import capture_logs

from scenescore_api.settings import RetentionGroup
from scenescore_api.sweeping.expiring import FileExpiry, RowExpiry
from scenescore_api.sweeping.orphans import OrphanSweep
from scenescore_shared.blob_keys import clip_key, output_key, picture_key
from scenescore_shared.errors import NotFoundError, TransientError
from scenescore_shared.fakes import FakeClock, InMemoryBlobIndex, InMemoryBlobStore, InMemoryJobRepository
from scenescore_shared.idempotency import Claimant
from scenescore_shared.jobs import Job, Status
from scenescore_shared.moves import cancel_now

WEEK, MONTH = 7 * 86400, 30 * 86400


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.jobs, self.blobs = InMemoryJobRepository(), InMemoryBlobStore(self.clock)
        self.settings = RetentionGroup()
        self.files = FileExpiry(jobs=self.jobs, blobs=self.blobs, clock=self.clock, settings=self.settings)
        self.rows = RowExpiry(
            jobs=self.jobs,
            idempotency_keys=self.jobs.idempotency_keys,
            clock=self.clock,
            settings=self.settings,
        )
        self.orphans = self.sweep()

    def sweep(self, *, keys_a_round: int = 100) -> OrphanSweep:
        return OrphanSweep(
            blobs=self.blobs,
            index=InMemoryBlobIndex(self.jobs, {clip_key("mine")}),
            clock=self.clock,
            settings=self.settings,
            keys_a_round=keys_a_round,
        )

    def add(self, job: Job) -> None:
        """With its picture and its outputs, and an output that a lost lease left."""
        outputs = tuple(
            replace(output, blob_key=output_key(job.id, "t2", output.name)) for output in job.outputs
        )
        self.jobs.add(replace(job, picture=replace(PICTURE, blob_key=picture_key(job.id)), outputs=outputs))
        self.put(picture_key(job.id), output_key(job.id, "lost", "music.mid"), *(o.blob_key for o in outputs))

    def put(self, *keys: str) -> None:
        for key in keys:
            self.blobs.put(key, b"x", "text/plain")

    @property
    def keys(self) -> set[str]:
        return {blob.key for blob in self.blobs.list("")}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_files_go_after_their_time_and_rows_after_theirs(bench: Bench) -> None:
    bench.add(succeeded(queued(1), at=NOW))
    bench.add(cancel_now(queued(2), now=NOW))
    bench.add(claimed(queued(3)))
    bench.clock.advance(WEEK - 1)
    assert (bench.files.round(), bench.rows.round()) == (0, 0)
    bench.clock.advance(1)
    assert bench.files.round() == 2
    assert [bench.jobs.get(job_id(number)).status for number in (1, 2, 3)] == [
        Status.EXPIRED,
        Status.CANCELED,
        Status.RUNNING,
    ]
    assert {key.split("/")[1] for key in bench.keys} == {job_id(3)}
    assert (bench.files.round(), bench.rows.round()) == (0, 0)
    bench.clock.advance(MONTH - WEEK)
    assert bench.rows.round() == 2
    with pytest.raises(NotFoundError):
        bench.jobs.get(job_id(1))
    assert bench.jobs.get(job_id(3)).status is Status.RUNNING


def test_idempotency_keys_are_kept_for_a_day() -> None:
    bench = Bench()
    claimant = Claimant(owner="ann", key="k", fingerprint="f", token="t")
    bench.jobs.idempotency_keys.reserve(claimant, now=NOW)
    bench.clock.advance(86400 - 1)
    assert bench.rows.round() == 0
    bench.clock.advance(1)
    assert bench.rows.round() == 1


def test_no_row_names_a_blob_that_is_gone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweeper that dies between the rows and the blobs leaves orphans, which the other duty takes."""
    bench.add(succeeded(queued(1), at=NOW))
    bench.clock.advance(WEEK)

    def away(_: str) -> None:
        raise TransientError("away")

    with monkeypatch.context() as patch:
        patch.setattr(bench.blobs, "delete", away)
        with pytest.raises(TransientError):
            bench.files.round()
    assert bench.jobs.get(job_id(1)).status is Status.EXPIRED
    assert len(bench.keys) == 3
    assert bench.orphans.round() == 3
    assert bench.keys == set()


def test_a_backlog_of_ended_jobs_is_worked_off_in_bounded_rounds(bench: Bench) -> None:
    for number in range(1, 121):
        bench.jobs.add(succeeded(queued(number), at=NOW))
    bench.clock.advance(MONTH)
    assert [bench.files.round() for _ in range(4)] == [50, 50, 20, 0]


def test_the_rows_of_a_job_do_not_go_before_its_files(bench: Bench) -> None:
    bench.add(succeeded(queued(1), at=NOW))
    bench.clock.advance(MONTH)
    assert (bench.rows.round(), bench.files.round(), bench.rows.round()) == (0, 1, 1)


def test_orphans_go_once_they_are_old(bench: Bench) -> None:
    bench.add(succeeded(queued(1)))
    bench.add(claimed(queued(2), token="now"))
    bench.put(output_key(job_id(2), "now", "music.mid"), picture_key(job_id(3)))
    orphans = {picture_key(job_id(3)), *(output_key(job_id(n), "lost", "music.mid") for n in (1, 2))}
    before = bench.keys
    bench.clock.advance(3599)
    assert bench.sweep().round() == 0
    assert bench.keys == before
    bench.clock.advance(1)
    assert bench.sweep().round() == 3
    assert bench.keys == before - orphans


def test_a_replaced_corpus_clips_go_after_a_day(bench: Bench) -> None:
    bench.put(clip_key("mine"), clip_key("replaced"))
    bench.clock.advance(86399)
    assert bench.sweep().round() == 0
    bench.clock.advance(1)
    assert bench.sweep().round() == 1
    assert bench.keys == {clip_key("mine")}


def test_a_walk_goes_on_where_it_was_and_begins_again_after_its_interval(bench: Bench) -> None:
    sweep = bench.sweep(keys_a_round=10)
    for number in range(1, 26):
        bench.put(picture_key(job_id(number)))
    bench.clock.advance(3600)
    assert [sweep.round() for _ in range(3)] == [10, 10, 5]
    bench.put(picture_key(job_id(99)))
    bench.clock.advance(3599)
    assert sweep.round() == 0
    bench.clock.advance(1)
    assert sweep.round() == 1


def test_a_listing_that_breaks_off_begins_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = bench.sweep(keys_a_round=1)
    bench.put(picture_key(job_id(1)), picture_key(job_id(2)))
    bench.clock.advance(3600)
    assert sweep.round() == 1

    def away(_: object) -> set[str]:
        raise TransientError("away")

    with monkeypatch.context() as patch:
        patch.setattr(InMemoryBlobIndex, "named", lambda _, keys: away(keys))
        with pytest.raises(TransientError):
            sweep.round()
    assert sweep.round() == 1
    assert bench.keys == set()


def test_strange_keys_are_left_alone_and_told_once_a_walk(bench: Bench) -> None:
    strange = {"jobs/x/picture.jpg", f"jobs/{job_id(1)}/notes.txt", "clips/x.txt", "jobs/readme"}
    bench.put(*strange, "elsewhere/x")
    bench.clock.advance(30 * 86400)
    with capture_logs() as logs:
        sweep = bench.sweep(keys_a_round=3)
        assert [sweep.round() for _ in range(3)] == [0, 0, 0]
    assert bench.keys == strange | {"elsewhere/x"}
    (told,) = [line for line in logs if line["event"] == "strange_keys_left_alone"]
    assert told["number"] == 4


@pytest.mark.parametrize(
    "wrong", [{"rows_seconds": 5.0, "files_seconds": 6.0}, {"orphan_grace_seconds": 59}, {"files_seconds": 0}]
)
def test_settings_that_contradict_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RetentionGroup.model_validate(wrong)
