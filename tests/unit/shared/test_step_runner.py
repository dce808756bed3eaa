"""The engine on fakes: what becomes of a job for each thing that can happen to its step."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from samples.jobs import COMPOSED, MIX, NOW, composed, job_id, queued

from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import (
    InvalidPictureError,
    JobCanceledError,
    LeaseLostError,
    PermanentError,
    TransientError,
    WorkerStoppingError,
)
from scenescore_shared.fakes import FakeClock, InMemoryBlobStore, InMemoryJobRepository, RecordingPublisher
from scenescore_shared.jobs import Classified, Job, Rendered, Status, Step, StepResult
from scenescore_shared.moves import cancel_now, claim, request_cancel
from scenescore_shared.ports import Change
from scenescore_shared.settings import JobSettings
from scenescore_shared.step_runner import BatchPolicy, Checkpoint, StepRunner

CLASSIFIED = Classified(emotions=MIX, classifier="thesis-relu@12345678")
Outcome = StepResult | Exception
EIGHT = BatchPolicy(size=8)
SETTINGS = JobSettings()


@dataclass
class Bench:
    jobs: InMemoryJobRepository = field(default_factory=InMemoryJobRepository)
    blobs: InMemoryBlobStore = field(default_factory=InMemoryBlobStore)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    batches: list[list[str]] = field(default_factory=list)

    def runner(
        self,
        outcome: Callable[[Job, Checkpoint], Outcome],
        *,
        step: Step = Step.CLASSIFY,
        batch: BatchPolicy = EIGHT,
        stopping: Callable[[], bool] = lambda: False,
        settings: JobSettings = SETTINGS,
    ) -> StepRunner:
        def handle(jobs: Sequence[Job], checkpoint: Checkpoint) -> Iterator[tuple[Job, Outcome]]:
            self.batches.append([job.id for job in jobs])
            for job in jobs:
                yield job, outcome(job, checkpoint)

        return StepRunner(
            step=step,
            handler=handle,
            jobs=self.jobs,
            blobs=self.blobs,
            publisher=self.publisher,
            clock=self.clock,
            settings=settings,
            batch=batch,
            stopping=stopping,
        )

    def run(self, outcome: Callable[[Job, Checkpoint], Outcome], **how: object) -> Job:
        """One job through one step."""
        if not self.jobs.unfinished_counts() and not self.jobs.ended_counts():
            self.jobs.add(queued(emotions=MIX if how.get("step") is Step.COMPOSE else None))
        self.runner(outcome, **how).run_due(for_seconds=60)  # type: ignore[arg-type]
        return self.jobs.get(job_id(1))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def raising(error: Exception) -> Callable[[Job, Checkpoint], Outcome]:
    def work(_job: Job, _checkpoint: Checkpoint) -> Outcome:
        raise error

    return work


def test_a_step_done_wakes_the_next(bench: Bench) -> None:
    job = bench.run(lambda *_: CLASSIFIED)
    assert (job.step, job.emotions, job.lease) == (Step.COMPOSE, MIX, None)
    assert bench.publisher.sent == [(Step.COMPOSE, WakeUp(job_id=job.id, request_id="request-1"))]


def test_the_last_step_ends_the_job_and_wakes_nobody(bench: Bench) -> None:
    bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
    job = bench.run(lambda *_: COMPOSED, step=Step.COMPOSE)
    assert (job.status, job.outputs) == (Status.SUCCEEDED, COMPOSED.outputs)
    assert bench.publisher.sent == []
    assert bench.blobs.get(COMPOSED.outputs[0].blob_key) == b"midi"


def test_music_is_committed_before_it_is_rendered_and_stays_whatever_comes_of_that(bench: Bench) -> None:
    bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
    to_render = replace(COMPOSED, to_render=True)
    job = bench.run(lambda *_: to_render, step=Step.COMPOSE)
    assert (job.status, job.step, job.outputs) == (Status.RUNNING, Step.RENDER, COMPOSED.outputs)
    assert [step for step, _ in bench.publisher.sent] == [Step.RENDER]
    done = bench.run(raising(PermanentError("Torn.")), step=Step.RENDER)
    assert (done.status, done.outputs, len(done.warnings)) == (Status.SUCCEEDED, COMPOSED.outputs, 1)
    assert bench.blobs.get(COMPOSED.outputs[0].blob_key) == b"midi"


def test_renderings_that_come_after_the_cancellation_are_dropped_and_the_music_stays(bench: Bench) -> None:
    bench.jobs.add(composed())
    sound = replace(COMPOSED.outputs[0], name="music.ogg", blob_key="jobs/x/outputs/t3/music.ogg")
    bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
    bench.clock.advance(10)

    def work(job: Job, _: Checkpoint) -> Outcome:
        bench.blobs.put(sound.blob_key, b"OggS", "audio/ogg")
        bench.jobs.update(job.id, partial(request_cancel, now=bench.clock.now()))
        return Rendered(outputs=(sound,))

    job = bench.run(work, step=Step.RENDER)
    assert (job.status, job.outputs) == (Status.CANCELED, COMPOSED.outputs)
    assert [blob.key for blob in bench.blobs.list("")] == [COMPOSED.outputs[0].blob_key]


def test_one_wake_up_works_off_all_that_is_due_in_batches(bench: Bench) -> None:
    for number in range(1, 8):
        bench.jobs.add(queued(number))
    claimed = bench.runner(lambda *_: CLASSIFIED, batch=BatchPolicy(size=3)).run_due(for_seconds=60)
    assert claimed == 7
    assert [len(batch) for batch in bench.batches] == [3, 3, 1]


def test_a_batch_that_is_not_full_waits_for_more(bench: Bench) -> None:
    bench.jobs.add(queued(1))
    late = threading.Timer(0.1, bench.jobs.add, [queued(2)])
    late.start()
    bench.runner(lambda *_: CLASSIFIED, batch=BatchPolicy(size=2, wait_seconds=0.5)).run_due(for_seconds=60)
    assert bench.batches == [[job_id(1), job_id(2)]]
    late.join()


@pytest.mark.parametrize("yielded", [True, False])
def test_a_permanent_error_fails_at_once_with_its_code(bench: Bench, yielded: bool) -> None:  # noqa: FBT001
    error = InvalidPictureError("It is cut off.", code="picture_undecodable")
    job = bench.run((lambda *_: error) if yielded else raising(error))
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.message) == ("picture_undecodable", "It is cut off.")


@pytest.mark.parametrize("error", [TransientError("away"), RuntimeError("a bug"), MemoryError()])
def test_whatever_may_pass_is_tried_again_and_then_given_up(bench: Bench, error: Exception) -> None:
    for attempt in (1, 2):
        job = bench.run(raising(error))
        assert (job.status, job.attempts) == (Status.RUNNING, attempt)
        assert job.due_at is not None
        assert job.due_at > bench.clock.now()
        bench.clock.advance(60)
    job = bench.run(raising(error))
    assert job.status is Status.FAILED
    assert job.error is not None
    assert "bug" not in job.error.message
    assert len(bench.batches) == 3


def test_one_bad_job_hurts_no_other_in_its_batch(bench: Bench) -> None:
    for number in range(1, 5):
        bench.jobs.add(queued(number))

    def outcome(job: Job, _: Checkpoint) -> Outcome:
        return InvalidPictureError("bad") if job.id == job_id(2) else CLASSIFIED

    bench.runner(outcome).run_due(for_seconds=60)
    assert [bench.jobs.get(job_id(number)).status for number in range(1, 5)] == [
        Status.RUNNING,
        Status.FAILED,
        Status.RUNNING,
        Status.RUNNING,
    ]


def test_a_crash_in_the_middle_of_a_batch_touches_only_what_was_left(bench: Bench) -> None:
    for number in range(1, 4):
        bench.jobs.add(queued(number))

    def outcome(job: Job, _: Checkpoint) -> Outcome:
        if job.id == job_id(2):
            raise RuntimeError
        return CLASSIFIED

    bench.runner(outcome).run_due(for_seconds=60)
    assert [bench.jobs.get(job_id(number)).step for number in range(1, 4)] == [
        Step.COMPOSE,
        Step.CLASSIFY,
        Step.CLASSIFY,
    ]


def test_a_worker_that_stops_hands_its_job_back(bench: Bench) -> None:
    stop = threading.Event()

    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        stop.set()
        checkpoint(job, 0.5)
        return CLASSIFIED

    job = bench.run(work, stopping=stop.is_set)
    assert (job.status, job.attempts, job.lease, job.due_at) == (Status.RUNNING, 0, None, NOW)
    assert bench.publisher.sent[0][0] is Step.CLASSIFY
    assert len(bench.batches) == 1


def test_the_heartbeat_renews_the_lease_and_carries_progress(bench: Bench) -> None:
    seen: list[Job] = []

    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        checkpoint(job, 0.5)
        bench.clock.advance(20)
        _until(lambda: bench.jobs.get(job.id).progress > 0)
        seen.append(bench.jobs.get(job.id))
        return CLASSIFIED

    bench.run(work)
    assert seen[0].progress == pytest.approx(0.05)
    assert (seen[0].due_at or NOW) > bench.clock.now()


def test_a_canceled_job_stops_at_its_next_checkpoint(bench: Bench) -> None:
    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        bench.jobs.update(job.id, partial(request_cancel, now=bench.clock.now()))
        with pytest.raises(JobCanceledError) as stopped:
            _until(lambda: checkpoint(job, 0.1))
        raise stopped.value

    assert bench.run(work).status is Status.CANCELED


def test_a_result_that_comes_after_the_cancellation_is_dropped_with_its_files(bench: Bench) -> None:
    def work(job: Job, _: Checkpoint) -> Outcome:
        bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
        bench.jobs.update(job.id, partial(request_cancel, now=bench.clock.now()))
        return COMPOSED

    job = bench.run(work, step=Step.COMPOSE)
    assert (job.status, job.outputs) == (Status.CANCELED, ())
    assert list(bench.blobs.list("")) == []


@pytest.mark.parametrize("deleted", [True, False])
def test_a_worker_that_lost_its_job_writes_nothing_and_leaves_nothing(bench: Bench, deleted: bool) -> None:  # noqa: FBT001
    def work(job: Job, _: Checkpoint) -> Outcome:
        bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
        if deleted:
            bench.jobs.update(job.id, partial(cancel_now, now=bench.clock.now()))
        else:
            bench.clock.advance(31)
            bench.jobs.claim(Step.COMPOSE, 1, bench.clock.now(), _taken_over(bench))
        return COMPOSED

    job = bench.run(work, step=Step.COMPOSE)
    assert job.outputs == ()
    assert list(bench.blobs.list("")) == []
    assert deleted or (job.lease is not None and job.lease.token == "other")


def test_a_checkpoint_tells_that_the_lease_is_lost(bench: Bench) -> None:
    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        bench.jobs.update(job.id, partial(cancel_now, now=bench.clock.now()))
        with pytest.raises(LeaseLostError) as lost:
            _until(lambda: checkpoint(job, 0.1))
        raise lost.value

    assert bench.run(work).status is Status.CANCELED


def test_the_result_is_written_again_until_the_database_is_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, failures = bench.jobs.update, iter([TransientError("away")] * 2)

    def flaky(job: str, change: Change) -> Job:
        if error := next(failures, None):
            raise error
        return update(job, change)

    monkeypatch.setattr(bench.jobs, "update", flaky)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert bench.run(lambda *_: CLASSIFIED).step is Step.COMPOSE


def test_a_lost_wake_up_fails_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise TransientError("away")

    monkeypatch.setattr(bench.publisher, "wake", away)
    assert bench.run(lambda *_: CLASSIFIED).step is Step.COMPOSE


def test_a_job_that_kills_its_workers_ends_and_is_not_given_out_again(bench: Bench) -> None:
    job = replace(queued(), status=Status.RUNNING, attempts=3)
    bench.jobs.add(job)
    assert bench.run(lambda *_: CLASSIFIED).status is Status.FAILED
    assert bench.batches == []


def test_nothing_is_claimed_once_the_worker_stops(bench: Bench) -> None:
    assert bench.run(lambda *_: CLASSIFIED, stopping=lambda: True).status is Status.QUEUED


def test_stopping_is_told_at_the_checkpoint(bench: Bench) -> None:
    stop = threading.Event()

    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        stop.set()
        with pytest.raises(WorkerStoppingError):
            checkpoint(job, 0)
        return CLASSIFIED

    assert bench.run(work, stopping=stop.is_set).step is Step.COMPOSE


def test_the_interruption_of_one_job_hands_the_others_of_its_batch_back(bench: Bench) -> None:
    for number in range(1, 4):
        bench.jobs.add(queued(number))

    def outcome(job: Job, _: Checkpoint) -> Outcome:
        if not bench.jobs.get(job_id(2)).cancel_requested and job.id == job_id(1):
            bench.jobs.update(job_id(2), partial(request_cancel, now=bench.clock.now()))
            raise JobCanceledError(job_id(2))
        return CLASSIFIED

    bench.runner(outcome).run_due(for_seconds=60)
    assert bench.jobs.get(job_id(2)).status is Status.CANCELED
    assert [bench.jobs.get(job_id(number)).step for number in (1, 3)] == [Step.COMPOSE] * 2


@pytest.mark.parametrize("then_away", [False, True])
def test_a_commit_whose_answer_was_lost_keeps_its_music(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    then_away: bool,  # noqa: FBT001
) -> None:
    update, get = bench.jobs.update, bench.jobs.get

    def committed_and_cut_off(job: str, change: Change) -> Job:
        monkeypatch.setattr(bench.jobs, "update", update)
        update(job, change)
        if then_away:
            monkeypatch.setattr(bench.jobs, "get", away)
            monkeypatch.setattr(bench.jobs, "update", away)
            bench.clock.advance(31)
        raise TransientError("connection lost")

    def away(*_: object) -> Job:
        raise TransientError("away")

    def work(_job: Job, _checkpoint: Checkpoint) -> Outcome:
        bench.blobs.put(COMPOSED.outputs[0].blob_key, b"midi", "audio/midi")
        monkeypatch.setattr(bench.jobs, "update", committed_and_cut_off)
        return COMPOSED

    monkeypatch.setattr(time, "sleep", lambda _: None)
    bench.jobs.add(queued(emotions=MIX))
    bench.runner(work, step=Step.COMPOSE).run_due(for_seconds=60)
    assert get(job_id(1)).status is Status.SUCCEEDED
    assert bench.blobs.get(COMPOSED.outputs[0].blob_key) == b"midi"


def test_what_breaks_the_writing_of_one_job_reaches_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = bench.jobs.update
    for number in range(1, 4):
        bench.jobs.add(queued(number))

    def broken(job: str, change: Change) -> Job:
        if job == job_id(2):
            raise RuntimeError("a bug")
        return update(job, change)

    monkeypatch.setattr(bench.jobs, "update", broken)
    bench.runner(lambda *_: CLASSIFIED).run_due(for_seconds=60)
    assert [bench.jobs.get(job_id(number)).step for number in (1, 3)] == [Step.COMPOSE] * 2


def test_the_heartbeat_outlives_what_nobody_foresaw(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    update, failures = bench.jobs.update, iter([RuntimeError("a bug")])

    def flaky(job: str, change: Change) -> Job:
        if error := next(failures, None):
            raise error
        return update(job, change)

    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        checkpoint(job, 0.5)
        _until(lambda: bench.jobs.get(job.id).progress > 0)
        return CLASSIFIED

    monkeypatch.setattr(bench.jobs, "update", flaky)
    assert bench.run(work).step is Step.COMPOSE


def test_a_second_claim_that_fails_loses_nothing_of_the_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, claim_due = iter([True, False]), bench.jobs.claim

    def flaky(*arguments: Any, **how: Any) -> list[Job]:
        if not next(claims, True):
            raise TransientError("away")
        return claim_due(*arguments, **how)

    monkeypatch.setattr(bench.jobs, "claim", flaky)
    job = bench.run(lambda *_: CLASSIFIED, batch=BatchPolicy(size=2, wait_seconds=0.01))
    assert job.step is Step.COMPOSE


def test_a_job_does_not_tell_what_a_vendor_says_of_our_servers(bench: Bench) -> None:
    job = bench.run(
        raising(TransientError("no answer from http://objects.internal:8333")),
        settings=JobSettings(max_attempts=1),
    )
    assert job.error is not None
    assert job.error.code == "temporarily_unavailable"
    assert "internal:8333" not in job.error.message


class KilledError(BaseException):
    """The worker's process is gone: nothing of its engine runs on."""


def test_what_kills_its_worker_takes_none_of_its_batch_along(bench: Bench) -> None:
    for number in range(1, 9):
        bench.jobs.add(queued(number))

    def outcome(job: Job, _: Checkpoint) -> Outcome:
        if job.id == job_id(3):
            raise KilledError
        return CLASSIFIED

    def whole_batch_first(jobs: Sequence[Job], checkpoint: Checkpoint) -> Iterator[tuple[Job, Outcome]]:
        # as a model does: no result before the last picture is through
        yield from [(job, outcome(job, checkpoint)) for job in jobs]

    runner, deaths = replace(bench.runner(outcome), handler=whole_batch_first), 0
    for _ in range(5):
        try:
            runner.run_due(for_seconds=60)
        except KilledError:
            deaths += 1
        bench.clock.advance(31)
    poisoned = bench.jobs.get(job_id(3))
    assert poisoned.error is not None
    assert (deaths, poisoned.status, poisoned.error.code) == (3, Status.FAILED, "worker_lost")
    assert all(bench.jobs.get(job_id(number)).step is Step.COMPOSE for number in (1, 2, 4, 5, 6, 7, 8))


def test_a_job_tried_before_and_new_ones_never_meet_in_a_batch(bench: Bench) -> None:
    tried = replace(queued(1), status=Status.RUNNING, attempts=1)
    waiting = BatchPolicy(size=3, wait_seconds=0.2)
    for first, late in ((tried, queued(2)), (queued(3), replace(tried, id=job_id(4)))):
        bench.jobs.add(first)
        timer = threading.Timer(0.05, bench.jobs.add, [late])
        timer.start()
        bench.runner(lambda *_: CLASSIFIED, batch=waiting).run_due(for_seconds=60)
        timer.join()
        bench.runner(lambda *_: CLASSIFIED, batch=waiting).run_due(for_seconds=60)
    assert bench.batches == [[job_id(number)] for number in (1, 2, 3, 4)]


def test_a_job_that_ends_at_its_claim_hides_none_behind_it(bench: Bench) -> None:
    bench.jobs.add(replace(queued(1), status=Status.RUNNING, attempts=3))
    bench.jobs.add(replace(queued(2), status=Status.RUNNING, attempts=1, cancel_requested=True))
    bench.jobs.add(queued(3, at=NOW + timedelta(seconds=1)))
    bench.clock.advance(2)
    assert bench.runner(lambda *_: CLASSIFIED).run_due(for_seconds=60) == 1
    assert bench.jobs.get(job_id(2)).status is Status.CANCELED
    assert bench.jobs.get(job_id(3)).step is Step.COMPOSE


def test_a_claim_whose_answer_was_lost_comes_due_with_its_lease(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_due = bench.jobs.claim

    def cut_off(*arguments: Any, **how: Any) -> list[Job]:
        claim_due(*arguments, **how)
        raise TransientError("connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(bench.jobs, "claim", cut_off)
        with pytest.raises(TransientError):
            bench.run(lambda *_: CLASSIFIED)
    assert bench.run(lambda *_: CLASSIFIED).step is Step.CLASSIFY
    bench.clock.advance(30)
    assert bench.run(lambda *_: CLASSIFIED).step is Step.COMPOSE


def test_a_long_work_s_result_outlives_a_short_outage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease that counts is the one last renewed, not that of the claim, which ran out long ago."""
    update, failures = bench.jobs.update, iter([TransientError("away")] * 2)

    def flaky(job: str, change: Change) -> Job:
        if error := next(failures, None):
            raise error
        return update(job, change)

    def work(job: Job, _: Checkpoint) -> Outcome:
        claimed_until = job.due_at
        bench.clock.advance(20)
        _until(lambda: (bench.jobs.get(job.id).due_at or NOW) > (claimed_until or NOW))
        bench.clock.advance(20)
        monkeypatch.setattr(bench.jobs, "update", flaky)
        return CLASSIFIED

    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr("scenescore_shared.heartbeat._LONGEST_INTERVAL_SECONDS", 0.05)
    assert bench.run(work).step is Step.COMPOSE


def test_a_result_that_comes_late_counts_while_nobody_has_taken_the_job(bench: Bench) -> None:
    """A worker was stopped (SIGSTOP) for longer than its lease, and goes on before anybody noticed."""

    def work(_job: Job, _checkpoint: Checkpoint) -> Outcome:
        bench.clock.advance(3600)
        return CLASSIFIED

    assert bench.run(work).step is Step.COMPOSE


def test_a_database_that_hangs_keeps_no_worker_from_hearing_that_it_shall_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, stop, hanging, answered = (
        bench.jobs.update,
        threading.Event(),
        threading.Event(),
        threading.Event(),
    )

    def hang(job: str, change: Change) -> Job:
        hanging.set()
        answered.wait(10)
        return update(job, change)

    def work(job: Job, checkpoint: Checkpoint) -> Outcome:
        assert hanging.wait(5)
        stop.set()
        try:
            with pytest.raises(WorkerStoppingError) as stopped:
                checkpoint(job, 0.5)
            assert not answered.is_set()
        finally:
            answered.set()
        raise stopped.value

    # so that a checkpoint that waits for the beat would see it answered
    timer = threading.Timer(3, answered.set)
    timer.start()
    monkeypatch.setattr(bench.jobs, "update", hang)
    assert bench.run(work, stopping=stop.is_set).attempts == 0
    timer.cancel()


def _taken_over(bench: Bench) -> Change:

    return partial(claim, now=bench.clock.now(), token="other", policy=JobSettings().lease)


def _until(done: Callable[[], object], *, seconds: float = 5.0) -> None:
    """Polls until `done` gives something true (or raises)."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
