import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples.api import SIGNING_KEY
from samples.jobs import NOW, job_id
from samples.webhooks import URL, end

from scenescore_api.settings import WebhooksGroup
from scenescore_api.webhooks.deliverer import Deliverer, run
from scenescore_api.webhooks.schedule import Answer
from scenescore_api.webhooks.signing import new_secret
from scenescore_shared.errors import TransientError
from scenescore_shared.fake_webhooks import InMemorySecretRepository
from scenescore_shared.fakes import FakeClock, InMemoryJobRepository
from scenescore_shared.stopping import StopFlag
from scenescore_shared.webhook_urls import WebhookUrl
from scenescore_shared.webhooks import Delivery, DeliveryStatus


class Bench:
    def __init__(self) -> None:
        self.jobs, self.secrets, self.clock = (
            InMemoryJobRepository(),
            InMemorySecretRepository(),
            FakeClock(NOW),
        )
        self.secrets.add(new_secret("", NOW), at_most=5)
        self.sent: list[bytes] = []
        self.deliverer = Deliverer(
            deliveries=self.jobs.deliveries,
            secrets=self.secrets,
            key=SIGNING_KEY,
            send=self.send,
            clock=self.clock,
            settings=WebhooksGroup(concurrency=3, interval_seconds=0.01),
        )

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.sent.append(body)
        return Answer(status_code=200)

    def delivery(self, number: int = 1) -> Delivery:
        (delivery,) = self.jobs.deliveries.of_job(job_id(number))
        return delivery


@pytest.fixture
def bench() -> Bench:
    return Bench()


def running(bench: Bench, stop: StopFlag, folder: Path, send: Callable[..., Answer] | None = None) -> None:
    run(replace(bench.deliverer, send=send or bench.send), stop, folder / "webhooks" / "alive")


def test_no_more_is_claimed_than_can_be_sent_at_once(bench: Bench, tmp_path: Path) -> None:
    for number in range(1, 9):
        end(bench.jobs, number, url=URL, at=NOW)
    stop, others_done, lock = StopFlag(), threading.Event(), threading.Lock()
    held: list[int] = []
    done = 0

    def send(*_: Any) -> Answer:
        nonlocal done
        with lock:
            done += 1
            mine = done
        if mine == 1:
            # one hand is full all the while
            assert others_done.wait(30)
        with lock:
            held.append(sum(bench.delivery(number).lease_token is not None for number in range(1, 9)))
            stop.is_set = len(held) == 8
            if len(held) == 7:
                others_done.set()
        return Answer(status_code=200)

    running(bench, stop, tmp_path, send)
    assert max(held) == 3
    assert all(bench.delivery(number).status is DeliveryStatus.DELIVERED for number in range(1, 9))


def test_it_outlives_the_database_and_shows_that_it_lives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stop, rounds = StopFlag(), []

    def away(*_: object) -> None:
        rounds.append((tmp_path / "webhooks" / "alive").exists())
        stop.is_set = len(rounds) == 3
        raise TransientError("gone")

    monkeypatch.setattr(bench.jobs.deliveries, "claim", away)
    running(bench, stop, tmp_path)
    assert rounds == [True] * 3
    assert not (tmp_path / "webhooks" / "alive").exists()


def test_a_result_is_written_once_the_database_is_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    end(bench.jobs, url=URL, at=NOW)
    (claimed,) = bench.deliverer.claim(5)
    write, failures = bench.jobs.deliveries.update, [TransientError("gone")]

    def sometimes_away(*arguments: Any) -> Delivery:
        if failures:
            raise failures.pop()
        return write(*arguments)

    monkeypatch.setattr(bench.jobs.deliveries, "update", sometimes_away)
    bench.deliverer.deliver(claimed)
    assert bench.delivery().status is DeliveryStatus.DELIVERED
    assert len(bench.sent) == 1


def test_a_result_that_can_not_be_written_is_given_up_before_the_lease_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(bench.jobs, url=URL, at=NOW)
    (claimed,) = bench.deliverer.claim(5)
    writes = []

    def away(*_: object) -> None:
        writes.append(bench.clock.now())
        bench.clock.advance(29.6)
        raise TransientError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(bench.jobs.deliveries, "update", away)
        bench.deliverer.deliver(claimed)
    assert len(writes) == 1
    bench.clock.advance(1)
    (again,) = bench.deliverer.claim(5)
    bench.deliverer.deliver(again)
    assert bench.sent == [claimed.body.encode()] * 2
    assert bench.delivery().status is DeliveryStatus.DELIVERED


def test_secrets_that_can_not_be_read_are_no_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    end(bench.jobs, url=URL, at=NOW)
    (claimed,) = bench.deliverer.claim(5)

    def away(_: str) -> None:
        raise TransientError("gone")

    monkeypatch.setattr(bench.secrets, "live", away)
    bench.deliverer.deliver(claimed)
    assert bench.delivery().status is DeliveryStatus.PENDING
    assert bench.sent == []


def test_a_crash_ends_no_deliverer(bench: Bench) -> None:
    end(bench.jobs, url=URL, at=NOW)
    (claimed,) = bench.deliverer.claim(5)

    def crash(*_: object) -> Answer:
        raise RuntimeError("nobody foresaw this")

    replace(bench.deliverer, send=crash).deliver(claimed)
    assert bench.delivery() == claimed
    bench.clock.advance(30)
    (again,) = bench.deliverer.claim(5)
    bench.deliverer.deliver(again)
    assert bench.delivery().status is DeliveryStatus.DELIVERED


def test_whoever_comes_back_too_late_writes_nothing(bench: Bench) -> None:
    end(bench.jobs, url=URL, at=NOW)
    (late,) = bench.deliverer.claim(5)
    bench.clock.advance(31)
    (holder,) = bench.deliverer.claim(5)
    bench.deliverer.deliver(late)
    assert bench.delivery() == holder


def test_what_ends_at_its_claim_is_not_sent(bench: Bench) -> None:
    end(bench.jobs, url=URL, at=NOW)
    for _ in range(8):
        assert len(bench.deliverer.claim(5)) == 1
        bench.clock.advance(31)
    assert bench.deliverer.claim(5) == []
    assert bench.delivery().status is DeliveryStatus.FAILED
    assert len(bench.jobs.deliveries.attempts(bench.delivery().id, limit=99)) == 8
