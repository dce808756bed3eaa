from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from samples.jobs import NOW
from samples.webhooks import delivery_of

from scenescore_api.webhooks.schedule import (
    OFFSETS,
    Answer,
    claim,
    record,
    replay,
    retry_after_of,
    waiting,
)
from scenescore_shared.errors import IllegalMoveError
from scenescore_shared.webhooks import Delivery, DeliveryStatus

LEASE = timedelta(seconds=30)


def claimed(delivery: Delivery | None = None, *, at: datetime = NOW, token: str = "t") -> Delivery:
    return claim(delivery or delivery_of(), now=at, token=token, lease=LEASE).delivery


def after(
    delivery: Delivery, answer: Answer, *, at: datetime = NOW + timedelta(seconds=1), jitter: float = 0.0
) -> Delivery:
    return record(delivery, answer, started=at, now=at, token="t", jitter=jitter).delivery


def attempts(answer: Answer, *, jitter: float, took: timedelta = timedelta(0)) -> list[timedelta]:
    """When each attempt begins, after the first, where each answer takes a while to come."""
    delivery, found = delivery_of(), []
    while delivery.status is DeliveryStatus.PENDING:
        assert delivery.due_at is not None
        at = delivery.due_at
        found.append(at - NOW)
        delivery = after(claimed(delivery, at=at), answer, at=at + took, jitter=jitter)
    assert delivery.status is DeliveryStatus.FAILED
    assert delivery.due_at is None
    assert delivery.lease_token is None
    return found


def test_the_attempts_are_those_of_the_specification() -> None:
    expected = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 86_400]
    assert [each.total_seconds() for each in attempts(Answer(status_code=500), jitter=0)] == expected


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("took", [0.0, 4.9, 10.0])
def test_jitter_and_slowness_change_little_and_the_last_is_within_a_day(jitter: float, took: float) -> None:
    found = attempts(Answer(error="no"), jitter=jitter, took=timedelta(seconds=took))
    assert found == sorted(found)
    assert found[-1] <= timedelta(days=1)
    for offset, each in zip(OFFSETS, found, strict=True):
        assert offset * 0.9 <= each <= max(offset, timedelta(seconds=took))


def test_of_the_steps_that_went_by_while_nobody_sent_one_is_made_up_for() -> None:
    delivery = after(claimed(), Answer(status_code=500))
    late = NOW + timedelta(hours=3)
    delivery = after(claimed(delivery, at=late), Answer(status_code=500), at=late)
    assert delivery.due_at == late
    delivery = after(claimed(delivery, at=late), Answer(status_code=500), at=late)
    assert delivery.due_at == NOW + timedelta(hours=5)
    later = NOW + timedelta(hours=25)
    delivery = after(claimed(delivery, at=later), Answer(status_code=500), at=later)
    assert delivery.due_at == later
    delivery = after(claimed(delivery, at=later), Answer(status_code=500), at=later)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 5)


@pytest.mark.parametrize("code", [200, 201, 204, 299])
def test_two_hundreds_are_delivered(code: int) -> None:
    done = after(claimed(), Answer(status_code=code))
    assert done.status is DeliveryStatus.DELIVERED
    assert done.finished_at == NOW + timedelta(seconds=1)
    assert done.due_at is None


def test_410_ends_it() -> None:
    assert after(claimed(), Answer(status_code=410)).status is DeliveryStatus.GONE


@pytest.mark.parametrize("code", [100, 101, 199, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503, 999])
def test_anything_else_is_tried_again(code: int) -> None:
    waiting = after(claimed(), Answer(status_code=code))
    assert waiting.status is DeliveryStatus.PENDING
    assert waiting.lease_token is None
    assert waiting.due_at == NOW + timedelta(seconds=5)


def test_what_can_not_be_helped_ends_at_once() -> None:
    assert after(claimed(), Answer(error="no secret", final=True)).status is DeliveryStatus.FAILED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("60", 61.0),  # counted from the answer, one second in
        ("3", 5.0),  # the schedule is later anyway
        ("99999999999999999999", 300.0),  # no further than the next step
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120.0 - 0.123456),
        ("Sun, 01 Mar 2020 12:02:00 GMT", 5.0),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120.0 - 0.123456),
        ("soon", 5.0),
        ("-5", 5.0),
        ("", 5.0),
        ("٣٠", 5.0),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_a_receiver_may_ask_for_time(code: int, header: str, seconds: float) -> None:
    due = after(claimed(), Answer(status_code=code, retry_after=header)).due_at
    assert due is not None
    assert (due - NOW).total_seconds() == pytest.approx(seconds)


def test_only_429_and_503_may_ask_for_time() -> None:
    assert retry_after_of(Answer(status_code=500, retry_after="60"), NOW) is None


def test_a_wait_at_the_end_stays_within_the_day() -> None:
    delivery = replace(claimed(), steps=7, attempts=7)
    now = NOW + timedelta(hours=10)
    put_off = waiting(delivery, now=now, jitter=1.0, retry_after=timedelta(days=3))
    assert put_off is not None
    assert put_off.due_at == NOW + timedelta(days=1)


def test_a_claim_counts_and_holds() -> None:
    delivery = claimed(token="mine")
    assert (delivery.attempts, delivery.steps, delivery.lease_token) == (1, 1, "mine")
    assert delivery.due_at == NOW + LEASE
    assert delivery.first_tried_at == NOW


def test_a_result_is_fenced() -> None:
    taken_over = claimed(claimed(token="t"), at=NOW + LEASE, token="other")
    with pytest.raises(IllegalMoveError):
        after(taken_over, Answer(status_code=200))
    with pytest.raises(IllegalMoveError):
        after(delivery_of(), Answer(status_code=200))


def test_a_lost_attempt_is_put_on_record_by_the_next() -> None:
    moved = claim(claimed(), now=NOW + LEASE, token="u", lease=LEASE)
    assert moved.attempt is not None
    assert (moved.attempt.number, moved.attempt.at) == (1, NOW)
    assert "lost" in (moved.attempt.error or "")
    assert (moved.delivery.attempts, moved.delivery.lease_token) == (2, "u")


def test_a_message_that_kills_its_senders_is_not_sent_for_ever() -> None:
    moved = claim(replace(claimed(), steps=8, attempts=8), now=NOW + LEASE, token="u", lease=LEASE)
    assert moved.delivery.status is DeliveryStatus.FAILED
    assert moved.delivery.due_at is None
    assert moved.attempt is not None


def test_an_attempt_is_recorded_with_its_time() -> None:
    moved = record(
        claimed(),
        Answer(status_code=500),
        started=NOW,
        now=NOW + timedelta(seconds=1.25),
        token="t",
        jitter=0,
    )
    assert moved.attempt is not None
    assert (moved.attempt.number, moved.attempt.status_code, moved.attempt.seconds) == (1, 500, 1.25)


@pytest.mark.parametrize(
    "answer", [Answer(status_code=204), Answer(status_code=410), Answer(error="x", final=True)]
)
def test_a_replay_starts_a_fresh_schedule_and_keeps_the_message(answer: Answer) -> None:
    ended = after(claimed(), answer)
    later = NOW + timedelta(days=3)
    fresh = replay(ended, now=later).delivery
    assert (fresh.id, fresh.body, fresh.attempts) == (ended.id, ended.body, 1)
    assert fresh.status is DeliveryStatus.PENDING
    assert fresh.due_at == later
    again = claimed(fresh, at=later)
    assert again.attempts == 2
    assert after(again, Answer(status_code=500), at=later).due_at == later + timedelta(seconds=5)


def test_a_replay_waits_for_an_attempt_but_not_for_a_dead_one() -> None:
    with pytest.raises(IllegalMoveError, match="just now"):
        replay(claimed(), now=NOW + LEASE / 2)
    assert replay(claimed(), now=NOW + LEASE).delivery.lease_token is None


def test_moves_leave_their_argument_alone() -> None:
    before = delivery_of()
    moves: list[Any] = [partial(claim, token="t", lease=LEASE), replay]
    for move in moves:
        move(before, now=NOW)
    assert (before.attempts, before.lease_token) == (0, None)
