"""What every job repository promises, run on the fake, on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from samples.jobs import COMPOSED, MIX, NOW, POLICY, claimed, classified, composed, job_id, queued, succeeded
from sqlalchemy import Engine

from scenescore_shared.errors import IllegalMoveError, LeaseLostError, NotFoundError, QuotaExceededError
from scenescore_shared.fakes import InMemoryJobRepository
from scenescore_shared.jobs import Job, Status, Step
from scenescore_shared.moves import (
    cancel_now,
    claim,
    complete,
    do_without_rendering,
    expire,
    renew,
    request_cancel,
)
from scenescore_shared.ports import Everybody, JobRepository, Sweep
from scenescore_shared.wiring import build_job_repository

LATER = NOW + timedelta(seconds=10)


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def repository(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> JobRepository:
    if request.param == "fake":
        return InMemoryJobRepository()
    return build_job_repository(engine_of(request.param))


def claim_due(
    repository: JobRepository, step: Step, limit: int = 10, *, at: timedelta = timedelta(0)
) -> list[Job]:
    def move(job: Job) -> Job:
        return claim(job, now=NOW + at, token=f"token-{job.id}", policy=POLICY)

    return repository.claim(step, limit, NOW + at, move)


@pytest.mark.parametrize(
    "job",
    [
        *(queued(), claimed(), classified(), composed(), succeeded(), queued(emotions=MIX)),
        do_without_rendering(composed(), now=LATER),
    ],
)
def test_a_job_comes_back_as_it_was_saved(repository: JobRepository, job: Job) -> None:
    repository.add(job)
    assert repository.get(job.id) == job
    assert list(repository.get(job.id).emotions or {}) == list(job.emotions or {})


def test_several_jobs_are_read_at_once_those_that_are_there(repository: JobRepository) -> None:
    for number in (1, 2, 3):
        repository.add(queued(number))
    found = repository.get_many([job_id(3), job_id(9), job_id(1)])
    assert found == {job_id(1): queued(1), job_id(3): queued(3)}
    assert repository.get_many([]) == {}


def test_unknown_jobs_are_not_found(repository: JobRepository) -> None:
    with pytest.raises(NotFoundError):
        repository.get(job_id(9))
    with pytest.raises(NotFoundError):
        repository.update(job_id(9), partial(request_cancel, now=NOW))
    with pytest.raises(NotFoundError):
        repository.delete(job_id(9))
    assert repository.events(job_id(9), after_seq=0, limit=10) == []


def test_an_update_is_saved_with_its_event(repository: JobRepository) -> None:
    repository.add(queued())
    repository.update(job_id(1), partial(claim, now=LATER, token="t1", policy=POLICY))
    assert repository.get(job_id(1)) == claimed(at=LATER)
    events = repository.events(job_id(1), after_seq=0, limit=10)
    assert [(event.seq, event.at, event.data["status"]) for event in events] == [
        (1, NOW, "queued"),
        (2, LATER, "running"),
    ]
    assert [event.seq for event in repository.events(job_id(1), after_seq=1, limit=10)] == [2]
    assert [event.seq for event in repository.events(job_id(1), after_seq=0, limit=1)] == [1]


def test_a_heartbeat_without_news_is_saved_without_an_event(repository: JobRepository) -> None:
    repository.add(claimed())
    renewed = repository.update(
        job_id(1), partial(renew, now=LATER, token="t1", policy=POLICY, step_progress=0.0)
    )
    assert repository.get(job_id(1)).lease == renewed.lease
    assert len(repository.events(job_id(1), after_seq=0, limit=10)) == 1


def test_a_refused_change_writes_nothing(repository: JobRepository) -> None:
    repository.add(claimed())
    with pytest.raises(LeaseLostError):
        repository.update(
            job_id(1), partial(renew, now=LATER, token="other", policy=POLICY, step_progress=0.5)
        )
    assert repository.get(job_id(1)) == claimed()
    assert len(repository.events(job_id(1), after_seq=0, limit=10)) == 1


def test_claims_take_what_is_due_longest_due_first(repository: JobRepository) -> None:
    repository.add(queued(1, at=NOW + timedelta(seconds=3)))
    repository.add(queued(2, at=NOW + timedelta(seconds=1)))
    repository.add(queued(3, at=NOW + timedelta(seconds=99)))
    repository.add(queued(4, at=NOW, emotions=MIX))
    repository.add(succeeded(queued(5)))
    assert [job.id for job in claim_due(repository, Step.CLASSIFY, at=timedelta(seconds=5))] == [
        job_id(2),
        job_id(1),
    ]
    assert claim_due(repository, Step.CLASSIFY, at=timedelta(seconds=5)) == []
    assert [job.id for job in claim_due(repository, Step.COMPOSE, at=timedelta(seconds=5))] == [job_id(4)]


def test_a_claim_respects_its_limit_and_saves(repository: JobRepository) -> None:
    for number in range(1, 6):
        repository.add(queued(number, at=NOW + timedelta(milliseconds=number)))
    first = claim_due(repository, Step.CLASSIFY, limit=2, at=timedelta(seconds=1))
    assert [job.id for job in first] == [job_id(1), job_id(2)]
    assert repository.get(job_id(1)) == first[0]


def test_a_job_tried_before_is_claimed_alone(repository: JobRepository) -> None:
    for number, attempts in enumerate((0, 0, 1, 1, 0), start=1):
        job = queued(number, at=NOW + timedelta(milliseconds=number))
        repository.add(replace(job, attempts=attempts, status=Status.RUNNING if attempts else Status.QUEUED))

    def ids(**how: bool) -> list[str]:
        def move(job: Job) -> Job:
            return claim(job, now=LATER, token=f"token-{job.id}", policy=POLICY)

        return [job.id for job in repository.claim(Step.CLASSIFY, 2, LATER, move, **how)]

    assert ids() == [job_id(1), job_id(2)]
    assert ids() == [job_id(3)]
    assert ids(first_attempts=True) == [job_id(5)]
    assert ids(first_attempts=True) == []
    assert ids() == [job_id(4)]
    assert ids() == []


def test_a_lease_that_ran_out_is_due_again(repository: JobRepository) -> None:
    repository.add(claimed())
    assert claim_due(repository, Step.CLASSIFY, at=timedelta(seconds=29)) == []
    taken = claim_due(repository, Step.CLASSIFY, at=timedelta(seconds=31))
    assert [job.attempts for job in taken] == [2]


def test_a_claim_may_end_a_job(repository: JobRepository) -> None:
    repository.add(replace(claimed(), attempts=POLICY.max_attempts))
    (lost,) = claim_due(repository, Step.CLASSIFY, at=timedelta(hours=1))
    assert lost.status is Status.FAILED
    assert repository.get(lost.id) == lost
    assert claim_due(repository, Step.CLASSIFY, at=timedelta(hours=2)) == []


def test_no_job_is_claimed_twice_at_once(repository: JobRepository) -> None:
    for number in range(1, 41):
        repository.add(queued(number, at=NOW + timedelta(milliseconds=number)))
    start = threading.Barrier(4)

    def work(_: int) -> list[str]:
        start.wait()
        mine: list[str] = []
        while batch := claim_due(repository, Step.CLASSIFY, limit=3, at=timedelta(seconds=1)):
            mine += [job.id for job in batch]
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed_ids = [found for mine in pool.map(work, range(4)) for found in mine]
    # a claimer may skip rows that another has locked and find none: nobody is lost, only left for later
    claimed_ids += [job.id for job in claim_due(repository, Step.CLASSIFY, limit=99, at=timedelta(seconds=1))]
    assert sorted(claimed_ids) == [job_id(number) for number in range(1, 41)]


def test_concurrent_updates_of_one_job_all_count(repository: JobRepository) -> None:
    repository.add(claimed(classified()))
    beats = [number / 40 for number in range(1, 21)]

    def beat(progress: float) -> None:
        repository.update(
            job_id(1), partial(renew, now=LATER, token="t1", policy=POLICY, step_progress=progress)
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(beat, beats))
    job = repository.get(job_id(1))
    events = repository.events(job_id(1), after_seq=claimed(classified()).seq, limit=100)
    assert job.progress == pytest.approx(0.1 + 0.8 * 0.5)
    assert [event.seq for event in events] == list(range(claimed(classified()).seq + 1, job.seq + 1))


def test_only_ended_jobs_are_deleted(repository: JobRepository) -> None:
    repository.add(queued(1))
    repository.add(succeeded(queued(2)))
    with pytest.raises(IllegalMoveError):
        repository.delete(job_id(1))
    assert repository.delete(job_id(2)) == succeeded(queued(2))
    with pytest.raises(NotFoundError):
        repository.get(job_id(2))
    assert repository.events(job_id(2), after_seq=0, limit=10) == []


def test_pages_are_newest_first(repository: JobRepository) -> None:
    for number in range(1, 6):
        repository.add(succeeded(queued(number)) if number % 2 else queued(number))

    def ids(status: Status | None, before: int | None, limit: int = 2) -> list[str]:
        before_id = job_id(before) if before else None
        return [
            job.id for job in repository.page(whose=None, status=status, limit=limit, before_id=before_id)
        ]

    assert ids(None, None) == [job_id(5), job_id(4)]
    assert ids(None, 4) == [job_id(3), job_id(2)]
    assert ids(None, 1) == []
    assert ids(Status.SUCCEEDED, None, limit=9) == [job_id(5), job_id(3), job_id(1)]
    assert ids(Status.SUCCEEDED, 5, limit=9) == [job_id(3), job_id(1)]


def test_the_head_of_a_queue_is_what_may_be_claimed_in_order(repository: JobRepository) -> None:
    def at(seconds: float) -> datetime:
        return NOW + timedelta(seconds=seconds)

    for number, seconds in enumerate((3, 1, 4, 1, 6), start=1):
        repository.add(queued(number, at=at(seconds)))
    repository.add(queued(7, at=NOW, emotions=MIX))
    repository.add(succeeded(queued(8)))
    # its lease lasts, and then has run out: its worker was killed, and it comes first again
    repository.add(claimed(queued(9)))
    lease_ends = repository.get(job_id(9)).due_at
    assert lease_ends is not None
    assert repository.due_times(Step.CLASSIFY, now=at(5), limit=10) == [at(1), at(1), at(3), at(4)]
    assert repository.due_times(Step.CLASSIFY, now=at(5), limit=2) == [at(1), at(1)]
    assert repository.due_times(Step.CLASSIFY, now=lease_ends, limit=10)[-1] == lease_ends
    assert repository.due_times(Step.COMPOSE, now=at(5), limit=10) == [NOW]
    claim_due(repository, Step.CLASSIFY, limit=1, at=timedelta(seconds=5))
    assert repository.due_times(Step.CLASSIFY, now=at(5), limit=10) == [at(1), at(3), at(4)]


def test_wakeable_finds_what_lies_unclaimed_and_not_the_same_too_often(repository: JobRepository) -> None:
    repository.add(queued(1, at=NOW))
    repository.add(queued(2, at=NOW + timedelta(seconds=60)))
    repository.add(claimed(queued(3)))
    repository.add(succeeded(queued(4)))
    repository.add(queued(5, emotions=MIX))

    def wake(seconds: float, limit: int = 10) -> list[str]:
        now = NOW + timedelta(seconds=seconds)
        found = repository.wakeable(
            Step.CLASSIFY,
            due_before=now - timedelta(seconds=3),
            woken_before=now - timedelta(seconds=30),
            now=now,
            limit=limit,
        )
        assert all(job.woken_at == now for job in found)
        return [job.id for job in found]

    assert wake(2) == []
    assert wake(10) == [job_id(1)]
    assert wake(11) == []
    assert wake(39) == [job_id(3)]
    assert wake(41) == [job_id(1)]
    assert wake(120, limit=2) == [job_id(1), job_id(3)]
    assert wake(121) == [job_id(2)]


def test_counts_by_status_and_step(repository: JobRepository) -> None:
    for job in (queued(1), queued(2), queued(3, emotions=MIX), succeeded(queued(4))):
        repository.add(job)
    repository.add(claimed(queued(5)))
    assert dict(repository.unfinished_counts()) == {
        (Status.QUEUED, Step.CLASSIFY): 2,
        (Status.QUEUED, Step.COMPOSE): 1,
        (Status.RUNNING, Step.CLASSIFY): 1,
    }
    assert dict(repository.ended_counts()) == {Status.SUCCEEDED: 1}


def test_one_sweeper_at_a_time(repository: JobRepository) -> None:
    waking, keeping = Sweep.WAKING, Sweep.HOUSEKEEPING
    with repository.sweeping(waking) as first, repository.sweeping(waking) as second:
        assert (first, second) == (True, False)
        with repository.sweeping(keeping) as other:
            assert other
    with repository.sweeping(waking) as again:
        assert again


def test_files_expire_longest_ended_first_and_once(repository: JobRepository) -> None:
    for number in (3, 1, 2):
        repository.add(succeeded(queued(number), at=NOW + timedelta(minutes=number)))
    repository.add(cancel_now(queued(4), now=NOW))
    repository.add(claimed(queued(5)))

    def gone(limit: int, *, minutes: int = 2) -> list[str]:
        return [
            job.id
            for job in repository.expire(
                finished_before=NOW + timedelta(minutes=minutes),
                limit=limit,
                change=partial(expire, now=NOW + timedelta(days=7)),
            )
        ]

    assert gone(2) == [job_id(4), job_id(1)]
    assert gone(9) == [job_id(2)]
    assert gone(9) == []
    expired, canceled = repository.get(job_id(1)), repository.get(job_id(4))
    assert (expired.status, expired.outputs, expired.files_gone_at) == (
        Status.EXPIRED,
        (),
        NOW + timedelta(days=7),
    )
    assert canceled.status is Status.CANCELED
    last = repository.events(job_id(1), after_seq=0, limit=99)[-1]
    assert (last.seq, last.data["status"]) == (expired.seq, "expired")
    # an end that stays what it was is told once
    assert len(repository.events(job_id(4), after_seq=0, limit=99)) == 1
    assert repository.get(job_id(3)).status is Status.SUCCEEDED


def test_rows_go_only_after_their_files(repository: JobRepository) -> None:
    for number in range(1, 4):
        repository.add(succeeded(queued(number), at=NOW + timedelta(minutes=number)))
    late = NOW + timedelta(days=40)
    assert repository.remove(finished_before=late, limit=9) == 0
    repository.expire(finished_before=NOW + timedelta(minutes=2), limit=9, change=partial(expire, now=late))
    assert repository.remove(finished_before=NOW + timedelta(seconds=90), limit=9) == 1
    assert repository.remove(finished_before=late, limit=9) == 1
    for number in (1, 2):
        with pytest.raises(NotFoundError):
            repository.get(job_id(number))
        assert repository.events(job_id(number), after_seq=0, limit=9) == []
    assert repository.get(job_id(3)).status is Status.SUCCEEDED


def test_it_answers(repository: JobRepository) -> None:
    repository.ping()


def test_a_result_is_written_once(repository: JobRepository) -> None:
    """Two workers finish the same job: the one that holds the lease wins, the other writes nothing."""
    repository.add(claimed(classified(), token="t1"))
    claim_due(repository, Step.COMPOSE, at=timedelta(minutes=5))
    result = partial(complete, now=LATER, result=COMPOSED)
    with pytest.raises(LeaseLostError):
        repository.update(job_id(1), partial(result, token="t1"))
    assert (
        repository.update(job_id(1), partial(result, token=f"token-{job_id(1)}")).status is Status.SUCCEEDED
    )


def test_a_page_holds_one_owners_jobs_or_everybodys(repository: JobRepository) -> None:
    for number, owner in enumerate(("ann", "bob", None, "ann"), start=1):
        repository.add(replace(queued(number), owner=owner))

    def page(whose: str | Everybody | None) -> list[str]:
        return [job.id for job in repository.page(whose=whose, status=None, limit=9, before_id=None)]

    assert page("ann") == [job_id(4), job_id(1)]
    assert page(None) == [job_id(3)]
    assert page("nobody") == []
    assert len(page(Everybody())) == 4


def test_the_newest_event_of_many_jobs_is_known_at_once(repository: JobRepository) -> None:
    repository.add(queued(1))
    repository.add(claimed(queued(2)))
    assert repository.seqs([job_id(1), job_id(2), job_id(3)]) == {job_id(1): 1, job_id(2): 2}
    assert repository.seqs([]) == {}


def owned(number: int, owner: str | None = "ann") -> Job:
    return replace(queued(number), owner=owner)


def test_unfinished_jobs_are_counted_by_owner(repository: JobRepository) -> None:
    for job in (owned(1), claimed(owned(2)), succeeded(owned(3)), owned(4, "bob"), owned(5, None)):
        repository.add(job)
    assert [repository.unfinished(owner) for owner in ("ann", "bob", "nobody")] == [2, 1, 0]


def test_a_quota_is_the_owners_and_of_unfinished_jobs_only(repository: JobRepository) -> None:
    repository.add(owned(1), max_unfinished=1)
    with pytest.raises(QuotaExceededError):
        repository.add(owned(2), max_unfinished=1)
    with pytest.raises(NotFoundError):
        repository.get(job_id(2))
    repository.add(owned(3, "bob"), max_unfinished=1)
    repository.add(owned(4, None), max_unfinished=1)
    repository.add(owned(5, None), max_unfinished=1)
    repository.add(owned(6))
    for number in (1, 6):
        repository.update(job_id(number), partial(request_cancel, now=NOW))
    repository.add(owned(7), max_unfinished=1)


def test_a_quota_is_exact_however_many_come_at_once(repository: JobRepository) -> None:
    start = threading.Barrier(20)

    def add(number: int) -> bool:
        start.wait()
        try:
            repository.add(owned(number), max_unfinished=5)
        except QuotaExceededError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        added = list(pool.map(add, range(1, 21)))
    assert sum(added) == 5
    assert repository.unfinished("ann") == 5
