from collections.abc import Callable
from contextlib import suppress
from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product

import pytest
from samples.jobs import COMPOSED, MIX, NOW, OUTPUT, POLICY, claimed, classified, composed, queued, succeeded

from scenescore_shared.errors import IllegalMoveError, LeaseLostError
from scenescore_shared.jobs import (
    LEGAL_MOVES,
    Classified,
    Job,
    JobError,
    JobWarning,
    LeasePolicy,
    Move,
    Rendered,
    Status,
    Step,
)
from scenescore_shared.moves import (
    backoff,
    cancel_now,
    carry_out_cancel,
    claim,
    complete,
    do_without_rendering,
    fail,
    hand_back,
    renew,
    request_cancel,
    retry_or_fail,
)

LATER = NOW + timedelta(seconds=5)
ERROR = JobError(code="object_store", message="The store is away.")


def retried(job: Job, token: str = "t1") -> Job:
    return retry_or_fail(
        job, now=LATER, token=token, error=ERROR, policy=POLICY, backoff=timedelta(seconds=2)
    )


def test_a_job_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        queued().status = Status.FAILED  # type: ignore[misc]


def test_a_picture_is_classified_and_a_mix_goes_straight_to_the_composer() -> None:
    assert queued().step is Step.CLASSIFY
    assert queued(emotions=MIX).step is Step.COMPOSE


@pytest.mark.parametrize(("status", "move"), list(product(Status, Move)))
def test_every_pair_outside_of_the_table_is_refused(status: Status, move: Move) -> None:
    job = replace(queued(), status=status)
    if (status, move) in LEGAL_MOVES:
        assert job.moved(move, NOW).status is LEGAL_MOVES[status, move]
    else:
        with pytest.raises(IllegalMoveError, match=str(status)):
            job.moved(move, NOW)


def test_nothing_leads_out_of_an_end_but_expiry() -> None:
    ended = set(Status) - {Status.QUEUED, Status.RUNNING}
    ways = {(start, move): target for (start, move), target in LEGAL_MOVES.items() if start in ended}
    assert ways == {
        (Status.SUCCEEDED, Move.EXPIRE): Status.EXPIRED,
        (Status.FAILED, Move.EXPIRE): Status.FAILED,
        (Status.CANCELED, Move.EXPIRE): Status.CANCELED,
    }


def test_the_whole_way() -> None:
    job = succeeded()
    assert job.status is Status.SUCCEEDED
    assert job.step is None
    assert job.progress == 1.0
    assert job.emotions == MIX
    assert job.outputs == (OUTPUT,)
    assert job.provenance["classifier"] == "thesis-relu@12345678"
    assert job.provenance["seed"] == 7
    assert job.step_seconds == {"classify": 1.0, "compose": 7.0}
    assert job.started_at == NOW
    assert job.finished_at == NOW + timedelta(seconds=9)
    assert job.due_at is None
    assert job.lease is None


def test_a_cancellation_at_any_moment_ends_the_job_and_keeps_nothing_of_it() -> None:
    """Before each move of a job's life, with its lease live or run out; what comes after changes nothing."""
    advance = partial(complete, now=NOW, token="t", result=Classified(emotions=MIX, classifier="c"))
    take = partial(claim, now=NOW, token="t", policy=POLICY)
    life: list[Callable[[Job], Job]] = [
        take,
        partial(renew, now=NOW, token="t", policy=POLICY, step_progress=0.5),
        partial(hand_back, now=NOW, token="t"),
        take,
        partial(retry_or_fail, now=NOW, token="t", error=ERROR, policy=POLICY, backoff=timedelta()),
        take,
        advance,
        take,
        partial(complete, now=NOW, token="t", result=COMPOSED),
    ]
    much_later = NOW + timedelta(hours=1)
    for moment, asked_at in product(range(len(life)), (NOW, much_later)):
        job = queued()
        for index, move in enumerate(life):
            if index == moment:
                job = request_cancel(job, now=asked_at)
            if job.due_at is not None or job.lease is not None:
                with suppress(LeaseLostError):
                    job = move(job)
        if not job.finished:
            # its holder was killed: the next one to claim it carries the cancellation out
            job = claim(job, now=much_later, token="other", policy=POLICY)
        assert (job.status, job.outputs, job.due_at) == (Status.CANCELED, (), None), moment


def test_each_visible_change_counts_one_event() -> None:
    assert [queued().seq, claimed().seq, classified().seq, succeeded().seq] == [1, 2, 3, 5]


def test_a_claim_leases_the_job_and_counts_an_attempt_of_the_step() -> None:
    job = claimed()
    assert job.attempts == 1
    assert job.due_at == NOW + timedelta(seconds=30)
    assert classified().attempts == 0


WRITES: list[Callable[[Job, str], Job]] = [
    lambda job, token: renew(job, now=LATER, token=token, policy=POLICY, step_progress=0.5),
    lambda job, token: hand_back(job, now=LATER, token=token),
    lambda job, token: complete(job, now=LATER, token=token, result=COMPOSED),
    lambda job, token: fail(job, now=LATER, token=token, error=ERROR),
    lambda job, token: carry_out_cancel(job, now=LATER, token=token),
    retried,
]


@pytest.mark.parametrize("write", WRITES)
def test_the_fence_stops_whoever_lost_the_lease(write: Callable[[Job, str], Job]) -> None:
    taken_over = claimed(claimed(), at=NOW + timedelta(seconds=31), token="t2")
    with pytest.raises(LeaseLostError):
        write(taken_over, "t1")
    with pytest.raises(LeaseLostError):
        write(queued(), "t1")
    assert write(taken_over, "t2").seq > taken_over.seq


def test_a_heartbeat_prolongs_and_only_news_is_an_event() -> None:
    job = claimed(classified(), token="t2")
    with_news = renew(job, now=LATER, token="t2", policy=POLICY, step_progress=0.5)
    without = renew(with_news, now=LATER, token="t2", policy=POLICY, step_progress=0.5)
    assert with_news.progress == pytest.approx(0.5)
    assert with_news.due_at == LATER + timedelta(seconds=30)
    assert (with_news.seq, without.seq) == (job.seq + 1, job.seq + 1)


def test_progress_never_goes_back() -> None:
    job = renew(claimed(classified()), now=LATER, token="t1", policy=POLICY, step_progress=0.8)
    again = renew(job, now=LATER, token="t1", policy=POLICY, step_progress=0.1)
    assert again.progress == job.progress


def test_a_job_handed_back_keeps_its_attempts() -> None:
    job = hand_back(claimed(), now=LATER, token="t1")
    assert (job.status, job.attempts, job.due_at) == (Status.RUNNING, 0, LATER)


def test_a_transient_error_is_tried_again_until_the_attempts_are_used_up() -> None:
    job = queued()
    for attempt in range(1, POLICY.max_attempts):
        job = retried(claimed(job))
        assert (job.status, job.attempts) == (Status.RUNNING, attempt)
        assert job.due_at == LATER + timedelta(seconds=2)
    job = retried(claimed(job))
    assert (job.status, job.error) == (Status.FAILED, ERROR)


def test_a_job_that_kills_its_workers_is_given_up() -> None:
    job = queued()
    for number in range(POLICY.max_attempts):
        job = claimed(job, at=NOW + timedelta(minutes=number))
    job = claim(job, now=NOW + timedelta(hours=1), token="t9", policy=POLICY)
    assert job.status is Status.FAILED
    assert job.error is not None
    assert job.error.code == "worker_lost"


def test_cancel_is_immediate_without_a_live_lease() -> None:
    assert request_cancel(queued(), now=LATER).status is Status.CANCELED
    run_out = request_cancel(claimed(), now=NOW + timedelta(seconds=31))
    assert run_out.status is Status.CANCELED


def test_cancel_under_a_live_lease_waits_for_the_holder() -> None:
    job = request_cancel(claimed(), now=LATER)
    assert (job.status, job.cancel_requested) == (Status.RUNNING, True)
    assert request_cancel(job, now=LATER) == job
    assert carry_out_cancel(job, now=LATER, token="t1").status is Status.CANCELED


@pytest.mark.parametrize(
    "end",
    [
        lambda job: complete(job, now=LATER, token="t1", result=Classified(emotions=MIX, classifier="any")),
        lambda job: hand_back(job, now=LATER, token="t1"),
        retried,
        lambda job: claim(job, now=NOW + timedelta(minutes=1), token="t2", policy=POLICY),
    ],
)
def test_a_cancellation_asked_for_wins_over_whatever_comes_next(end: Callable[[Job], Job]) -> None:
    canceled = end(request_cancel(claimed(), now=LATER))
    assert (canceled.status, canceled.step, canceled.due_at) == (Status.CANCELED, None, None)


def test_nobody_is_canceled_who_was_not_asked_to_be() -> None:
    job = carry_out_cancel(claimed(), now=LATER, token="t1")
    assert (job.status, job.attempts, job.due_at) == (Status.RUNNING, 0, LATER)


def test_canceling_twice_is_no_error_but_an_ended_job_is() -> None:
    canceled = request_cancel(queued(), now=LATER)
    assert request_cancel(canceled, now=LATER) is canceled
    with pytest.raises(IllegalMoveError, match="succeeded"):
        request_cancel(succeeded(), now=LATER)


def test_cancel_now_fences_the_holder_off() -> None:
    job = cancel_now(claimed(), now=LATER)
    assert job.status is Status.CANCELED
    with pytest.raises(LeaseLostError):
        complete(job, now=LATER, token="t1", result=COMPOSED)
    assert cancel_now(succeeded(), now=LATER) == succeeded()


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1.0), (2, 2.0), (3, 4.0), (9, 60.0)])
def test_backoff_doubles_up_to_its_cap_and_is_jittered(attempt: int, ceiling: float) -> None:
    least = backoff(attempt, base=1.0, cap=60.0, jitter=0.0).total_seconds()
    most = backoff(attempt, base=1.0, cap=60.0, jitter=1.0).total_seconds()
    assert (least, most) == (ceiling / 2, ceiling)


def test_one_attempt_means_one() -> None:
    once = LeasePolicy(seconds=30, max_attempts=1)
    job = retry_or_fail(
        claimed(), now=LATER, token="t1", error=ERROR, policy=once, backoff=timedelta(seconds=1)
    )
    assert job.status is Status.FAILED


RENDERED = Rendered(outputs=(replace(OUTPUT, name="music.ogg", blob_key="jobs/x/outputs/t3/music.ogg"),))


def rendering(job: Job | None = None, *, at: datetime = NOW, token: str = "t3") -> Job:
    return claim(job or composed(), now=at, token=token, policy=POLICY)


def test_music_is_there_and_known_before_it_is_rendered() -> None:
    waiting = composed()
    assert (waiting.status, waiting.step, waiting.progress) == (Status.RUNNING, Step.RENDER, 0.9)
    assert (waiting.outputs, waiting.music) == ((OUTPUT,), COMPOSED.music)
    assert (waiting.attempts, waiting.lease, waiting.finished_at) == (0, None, None)
    assert waiting.step_seconds["compose"] == 7


def test_what_is_rendered_comes_beside_the_music() -> None:
    warning = JobWarning(code="no_soundfont", message="None.")
    result = replace(RENDERED, warnings=(warning,))
    done = complete(rendering(), now=NOW + timedelta(seconds=2), token="t3", result=result)
    assert (done.status, done.progress, done.step) == (Status.SUCCEEDED, 1.0, None)
    assert done.outputs == (OUTPUT, *RENDERED.outputs)
    assert (done.music, done.warnings) == (COMPOSED.music, (warning,))
    assert done.step_seconds.keys() == {"classify", "compose", "render"}


def test_nothing_that_befalls_rendering_fails_the_job() -> None:
    error = JobError(code="job_failed", message="Torn.")
    last = rendering(replace(composed(), attempts=2))
    ends = [
        fail(rendering(), now=NOW, token="t3", error=error),
        retry_or_fail(last, now=NOW, token="t3", error=error, policy=POLICY, backoff=timedelta()),
        rendering(replace(composed(), attempts=3)),
    ]
    for end, code in zip(ends, ("job_failed", "job_failed", "worker_lost"), strict=True):
        assert (end.status, end.error, end.outputs, end.music) == (
            Status.SUCCEEDED,
            None,
            (OUTPUT,),
            COMPOSED.music,
        )
        assert [warning.code for warning in end.warnings] == [code]
        assert "music is complete" in end.warnings[0].message
    again = retry_or_fail(rendering(), now=NOW, token="t3", error=error, policy=POLICY, backoff=timedelta(1))
    assert (again.status, again.step, again.warnings) == (Status.RUNNING, Step.RENDER, ())


def test_a_job_canceled_while_it_is_rendered_keeps_its_music() -> None:
    waiting = request_cancel(composed(), now=NOW)
    assert (waiting.status, waiting.outputs, waiting.music) == (Status.CANCELED, (OUTPUT,), COMPOSED.music)
    late = request_cancel(rendering(), now=NOW)
    done = complete(late, now=NOW, token="t3", result=RENDERED)
    assert (done.status, done.outputs) == (Status.CANCELED, (OUTPUT,))


def test_what_nobody_renders_ends_as_it_is() -> None:
    done = do_without_rendering(composed(), now=NOW)
    assert (done.status, done.outputs) == (Status.SUCCEEDED, (OUTPUT,))
    assert [warning.code for warning in done.warnings] == ["not_rendered"]
    # whoever has it in hand goes on; who died over it does not
    held = rendering()
    assert do_without_rendering(held, now=NOW) == held
    assert do_without_rendering(held, now=NOW + timedelta(seconds=31)).status is Status.SUCCEEDED
    dying = request_cancel(held, now=NOW)
    assert do_without_rendering(dying, now=NOW + timedelta(seconds=31)).status is Status.CANCELED
    for other in (queued(), classified(), succeeded()):
        assert do_without_rendering(other, now=NOW) == other
