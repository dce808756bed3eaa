"""What every store of idempotency keys promises, run on the fake, on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from samples.jobs import NOW, job_id, queued
from sqlalchemy import Engine

from scenescore_shared.errors import (
    IdempotencyKeyInFlightError,
    IdempotencyKeyReusedError,
    NotFoundError,
)
from scenescore_shared.fakes import InMemoryJobRepository
from scenescore_shared.idempotency import KEPT_FOR, RESERVED_FOR, Answered, Claimant
from scenescore_shared.ports import IdempotencyKeys, JobRepository
from scenescore_shared.wiring import build_idempotency_keys, build_job_repository

FIRST = Claimant(owner="ann", key="k-1", fingerprint="f" * 64, token="first")
SECOND = replace(FIRST, token="second")
ANSWER = {"id": job_id(1), "status": "queued"}
SOON = NOW + timedelta(seconds=1)


@dataclass
class Kept:
    keys: IdempotencyKeys
    jobs: JobRepository

    def answer(self, claimant: Claimant, number: int = 1) -> None:
        self.jobs.add(queued(number), answered=Answered(claimant=claimant, answer=ANSWER))


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Kept:
    if request.param == "fake":
        jobs = InMemoryJobRepository()
        return Kept(jobs.idempotency_keys, jobs)
    engine = engine_of(request.param)
    return Kept(build_idempotency_keys(engine), build_job_repository(engine))


def test_the_first_answer_is_given_again(kept: Kept) -> None:
    assert kept.keys.reserve(FIRST, now=NOW) is None
    kept.answer(FIRST)
    assert kept.keys.reserve(SECOND, now=SOON) == ANSWER
    assert kept.keys.reserve(SECOND, now=NOW + KEPT_FOR - timedelta(seconds=1)) == ANSWER


def test_a_request_at_work_keeps_others_out(kept: Kept) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    with pytest.raises(IdempotencyKeyInFlightError):
        kept.keys.reserve(SECOND, now=SOON)


@pytest.mark.parametrize("answered", [False, True])
def test_the_key_of_another_request_is_refused(kept: Kept, *, answered: bool) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    if answered:
        kept.answer(FIRST)
    with pytest.raises(IdempotencyKeyReusedError):
        kept.keys.reserve(replace(SECOND, fingerprint="0" * 64), now=SOON)


def test_keys_of_two_owners_have_nothing_to_do_with_each_other(kept: Kept) -> None:
    assert kept.keys.reserve(FIRST, now=NOW) is None
    assert kept.keys.reserve(replace(SECOND, owner="bob", fingerprint="0" * 64), now=NOW) is None


def test_a_released_key_may_be_used_anew(kept: Kept) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    kept.keys.release(SECOND)
    with pytest.raises(IdempotencyKeyInFlightError):
        kept.keys.reserve(SECOND, now=SOON)
    kept.keys.release(FIRST)
    assert kept.keys.reserve(replace(SECOND, fingerprint="0" * 64), now=SOON) is None


def test_an_answered_key_is_not_released(kept: Kept) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    kept.answer(FIRST)
    kept.keys.release(FIRST)
    assert kept.keys.reserve(SECOND, now=SOON) == ANSWER


def test_who_died_at_work_is_followed_and_can_commit_nothing_more(kept: Kept) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    assert kept.keys.reserve(SECOND, now=NOW + RESERVED_FOR) is None
    with pytest.raises(IdempotencyKeyInFlightError):
        kept.answer(FIRST)
    with pytest.raises(NotFoundError):
        kept.jobs.get(job_id(1))
    kept.answer(SECOND)
    assert kept.jobs.get(job_id(1)) == queued(1)


def test_a_day_later_the_key_is_new(kept: Kept) -> None:
    kept.keys.reserve(FIRST, now=NOW)
    kept.answer(FIRST)
    assert kept.keys.reserve(replace(SECOND, fingerprint="0" * 64), now=NOW + KEPT_FOR) is None


def test_of_many_at_once_one_gets_the_key(kept: Kept) -> None:
    start = threading.Barrier(8)

    def reserve(number: int) -> bool:
        start.wait()
        try:
            return kept.keys.reserve(replace(FIRST, token=str(number)), now=NOW) is None
        except IdempotencyKeyInFlightError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(reserve, range(8))) == 1


def test_keys_are_forgotten_oldest_first(kept: Kept) -> None:
    for hour in range(5):
        kept.keys.reserve(replace(FIRST, key=str(hour)), now=NOW + timedelta(hours=hour))
    before = NOW + timedelta(hours=3)
    assert kept.keys.forget(created_before=before, limit=3) == 3
    # that of the third hour is still held, that of the second is free again
    with pytest.raises(IdempotencyKeyInFlightError):
        kept.keys.reserve(replace(SECOND, key="3"), now=before)
    assert kept.keys.reserve(replace(SECOND, key="2"), now=before + timedelta(seconds=1)) is None
    assert kept.keys.forget(created_before=before, limit=3) == 1
    assert kept.keys.forget(created_before=before, limit=3) == 0
