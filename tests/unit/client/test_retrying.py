"""The rules of trying again, without a clock that ticks."""

from itertools import pairwise

import pytest
from samples.mock_server import FakeTime

from scenescore_client import ConnectionFailedError, ProblemError, Retry, Retrying, RetryPolicy, UsageError


def retrying(time: FakeTime, told: list[Retry] | None = None, *, patience: float = 90.0) -> Retrying:
    return Retrying(
        policy=RetryPolicy(patience=patience),
        told=told.append if told is not None else None,
        sleep=time.sleep,
        clock=lambda: time.now,
        luck=lambda: 0.0,
    )


def test_waits_double_up_to_the_longest_and_jitter_shortens_them() -> None:
    policy = RetryPolicy(first=0.5, longest=10)
    waits = [policy.wait(failures, None, 0.0) for failures in range(1, 9)]
    assert waits == [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert all(shorter <= longer for shorter, longer in pairwise(waits))
    assert policy.wait(3, None, 1.0) == 1.0
    assert policy.wait(100_000, None, 0.0) == 10


def test_a_server_that_names_a_time_gets_it() -> None:
    policy = RetryPolicy(first=0.5)
    assert policy.wait(1, 30, 0.0) == 30
    assert policy.wait(1, 0, 0.0) == 0
    assert 30 < policy.wait(1, 30, 0.5) <= 30.5


def test_what_is_transient_is_tried_again_until_it_goes_well() -> None:
    time, told = FakeTime(), list[Retry]()
    left = [ConnectionFailedError("gone"), ConnectionFailedError("gone")]

    def attempt() -> str:
        if left:
            raise left.pop()
        return "well"

    assert retrying(time, told).call(attempt) == "well"
    assert time.waits == [0.5, 1.0]
    assert [retry.seconds for retry in told] == time.waits


def test_what_is_not_transient_is_told_at_once() -> None:
    time = FakeTime()

    def attempt() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError):
        retrying(time).call(attempt)
    assert time.waits == []


def test_patience_ends() -> None:
    time = FakeTime()

    def attempt() -> None:
        raise ConnectionFailedError("gone")

    with pytest.raises(ConnectionFailedError):
        retrying(time, patience=20).call(attempt)
    assert time.waits == [0.5, 1, 2, 4, 8]


def test_what_takes_longer_than_patience_and_then_breaks_is_tried_again() -> None:
    time = FakeTime()
    left = [ConnectionFailedError("broke off")]

    def attempt() -> str:
        time.now += 1000
        if left:
            raise left.pop()
        return "well"

    assert retrying(time).call(attempt) == "well"


def test_a_time_beyond_all_patience_is_not_waited_for() -> None:
    time = FakeTime()

    def attempt() -> None:
        raise ProblemError("slow down", status=429, code="x", retry_after=3600, transient=True)

    with pytest.raises(ProblemError):
        retrying(time).call(attempt)
    assert time.waits == []
