"""Messages from the end of a job to a real receiver: retries, rotation, replay, and deliverers that are killed."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import pytest
from samples.api import SIGNING_KEY
from samples.jobs import job_id
from samples.webhooks import end
from servers.process import ServerProcess
from servers.receiver import Behaviour, Receiver, Request, answer
from sqlalchemy import Engine
from standardwebhooks import Webhook, WebhookVerificationError

from scenescore_api.settings import WebhooksGroup
from scenescore_api.webhooks import schedule
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.deliverer import Deliverer
from scenescore_api.webhooks.sender import Sender
from scenescore_api.webhooks.signing import derived, new_secret
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.fakes import FakeClock
from scenescore_shared.ports import JobRepository
from scenescore_shared.webhooks import Delivery, DeliveryRepository, DeliveryStatus, SecretRepository
from scenescore_shared.wiring import build_delivery_repository, build_job_repository, build_secret_repository


@dataclass
class Bench:
    """A database, a deliverer on it, and a clock that starts now: receivers refuse what is old."""

    url: str
    engine: Engine
    jobs: JobRepository
    deliveries: DeliveryRepository
    secrets: SecretRepository
    clock: FakeClock
    deliverer: Deliverer

    def new_secret(self, owner: str = "") -> str:
        """The secret itself."""
        secret = new_secret(owner, self.clock.now())
        assert self.secrets.add(secret, at_most=5)
        return derived(SIGNING_KEY, secret)

    def end(self, receiver: Receiver, number: int = 1) -> None:
        end(self.jobs, number, url=receiver.url(), at=self.clock.now())

    def round(self) -> int:
        """Delivers what is due; returns how much that was."""
        claimed = self.deliverer.claim(99)
        for delivery in claimed:
            self.deliverer.deliver(delivery)
        return len(claimed)

    def delivery(self) -> Delivery:
        (delivery,) = self.deliveries.of_job(job_id(1))
        return delivery

    def log(self) -> list[tuple[int, int | None]]:
        return [
            (each.number, each.status_code) for each in self.deliveries.attempts(self.delivery().id, limit=99)
        ]


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    url = request.getfixturevalue(f"{request.param}_url")
    engine = make_engine(url, application="tests")
    clock = FakeClock(datetime.now(UTC))
    sender = Sender(
        rules=AddressRules(allowed=(ip_network("127.0.0.0/8"),)), timeout_seconds=2, user_agent="Scenescore/1"
    )
    deliveries, secrets = build_delivery_repository(engine), build_secret_repository(engine)
    deliverer = Deliverer(
        deliveries=deliveries,
        secrets=secrets,
        key=SIGNING_KEY,
        send=sender.send,
        clock=clock,
        settings=WebhooksGroup(),
    )
    yield Bench(url, engine, build_job_repository(engine), deliveries, secrets, clock, deliverer)
    engine.dispose()


def verified(request: Request, secret: str) -> dict[str, object]:
    """As receivers do it. Raises WebhookVerificationError."""
    message: dict[str, object] = Webhook(secret).verify(request.body, request.headers)
    return message


def test_a_failure_is_followed_by_the_same_message(bench: Bench) -> None:
    secret = bench.new_secret()
    with Receiver([answer(500), answer(200)]) as receiver:
        bench.end(receiver)
        assert bench.round() == 1
        assert bench.round() == 0
        bench.clock.advance(5)
        assert bench.round() == 1
        bench.clock.advance(100_000)
        assert bench.round() == 0
        first, second = receiver.requests
    assert first.body == second.body == bench.delivery().body.encode()
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == bench.delivery().id
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
    for request in (first, second):
        message = verified(request, secret)
        assert message["type"] == "job.canceled"
        assert message == json.loads(bench.delivery().body)
    assert bench.delivery().status is DeliveryStatus.DELIVERED
    assert bench.log() == [(1, 500), (2, 200)]


def test_410_is_the_last(bench: Bench) -> None:
    bench.new_secret()
    with Receiver([answer(410)]) as receiver:
        bench.end(receiver)
        bench.round()
        bench.clock.advance(100_000)
        assert bench.round() == 0
        assert len(receiver.requests) == 1
    assert bench.delivery().status is DeliveryStatus.GONE


def test_after_the_last_step_it_has_failed(bench: Bench) -> None:
    bench.new_secret()
    with Receiver([answer(503)]) as receiver:
        bench.end(receiver)
        started = bench.clock.now()
        while (due := bench.delivery().due_at) is not None:
            bench.clock.advance(max(0.0, (due - bench.clock.now()).total_seconds()))
            assert bench.round() == 1
    assert bench.delivery().status is DeliveryStatus.FAILED
    assert len(receiver.requests) == 8
    assert 77_000 < (bench.clock.now() - started).total_seconds() <= 86_400


def test_during_a_rotation_old_and_new_receivers_verify(bench: Bench) -> None:
    old, new = bench.new_secret(), bench.new_secret()
    other = bench.new_secret("somebody else")
    with Receiver([answer(500), answer(200)]) as receiver:
        bench.end(receiver)
        bench.round()
        bench.clock.advance(5)
        (outdated,) = [each for each in bench.secrets.live("") if derived(SIGNING_KEY, each) == old]
        bench.secrets.revoke(outdated.id, owner="", now=bench.clock.now())
        bench.round()
        first, second = receiver.requests
    verified(first, old)
    verified(first, new)
    verified(second, new)
    for request, secret in ((second, old), (first, other)):
        with pytest.raises(WebhookVerificationError):
            verified(request, secret)


def test_without_a_secret_it_fails_and_says_so(bench: Bench) -> None:
    with Receiver([answer(200)]) as receiver:
        bench.end(receiver)
        bench.round()
        assert receiver.requests == []
        assert bench.delivery().status is DeliveryStatus.FAILED
        (attempt,) = bench.deliveries.attempts(bench.delivery().id, limit=9)
        assert "POST /v1/webhooks/secrets" in (attempt.error or "")
        secret = bench.new_secret()
        bench.deliveries.update(bench.delivery().id, partial(schedule.replay, now=bench.clock.now()))
        bench.round()
        verified(receiver.requests[0], secret)
    assert bench.delivery().status is DeliveryStatus.DELIVERED


def test_a_replay_sends_the_same_message_on_a_fresh_schedule(bench: Bench) -> None:
    bench.new_secret()
    with Receiver([answer(200), answer(500), answer(200)]) as receiver:
        bench.end(receiver)
        bench.round()
        bench.clock.advance(90)
        bench.deliveries.update(bench.delivery().id, partial(schedule.replay, now=bench.clock.now()))
        assert bench.round() == 1
        bench.clock.advance(5)
        assert bench.round() == 1
        assert len({(each.body, each.headers["webhook-id"]) for each in receiver.requests}) == 1
    assert bench.log() == [(1, 200), (2, 500), (3, 200)]


def test_a_job_that_is_deleted_in_the_middle_of_an_attempt_takes_its_message_along(bench: Bench) -> None:
    bench.new_secret()

    def delete(handler: object) -> None:
        bench.jobs.delete(job_id(1))
        answer(200)(handler)  # type: ignore[arg-type]

    with Receiver([delete]) as receiver:
        bench.end(receiver)
        bench.round()
    assert bench.deliveries.of_job(job_id(1)) == []


def test_what_the_receiver_says_is_kept_nowhere_and_no_secret_is_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = bench.new_secret()
    caplog.set_level(logging.DEBUG)
    with Receiver([answer(500, b"private words", X_Private="private words"), answer(200)]) as receiver:
        bench.end(receiver)
        bench.round()
        bench.clock.advance(5)
        bench.round()
    told = caplog.text + "".join(capsys.readouterr())
    assert "webhook_attempted" in told
    recorded = str(bench.deliveries.attempts(bench.delivery().id, limit=9))
    for hidden in (secret, SIGNING_KEY.get_secret_value(), "hidden-in-the-url", "private words"):
        assert hidden not in told + recorded


@contextmanager
def running(bench: Bench, folder: Path, name: str, **settings: str) -> Iterator[ServerProcess]:
    environment = {
        **os.environ,
        "SCENESCORE_DATA_DIR": str(folder),
        "SCENESCORE_DATABASE__URL": bench.url,
        "SCENESCORE_LOG__LEVEL": "debug",
        "SCENESCORE_WEBHOOKS__SIGNING_KEY": SIGNING_KEY.get_secret_value(),
        "SCENESCORE_WEBHOOKS__ALLOWED_NETWORKS": "127.0.0.0/8",
        "SCENESCORE_WEBHOOKS__INTERVAL_SECONDS": "0.05",
        "SCENESCORE_WEBHOOKS__STATE_DIR": str(folder / name),
        **{f"SCENESCORE_WEBHOOKS__{key.upper()}": value for key, value in settings.items()},
    }
    process = ServerProcess(
        [sys.executable, "-m", "scenescore_api.webhooks"], folder / f"{name}.log", environment
    )
    process.start()
    try:
        yield process
    finally:
        process.stop(signal.SIGKILL)


def until_told(release: list[bool], then: Behaviour) -> Behaviour:
    def behave(handler: object) -> None:
        while not release:
            time.sleep(0.02)
        then(handler)  # type: ignore[arg-type]

    return behave


def test_a_killed_deliverer_in_the_middle_of_a_request_is_followed_by_another(
    bench: Bench, tmp_path: Path
) -> None:
    secret = bench.new_secret()
    release: list[bool] = []
    with Receiver([until_told(release, answer(200)), answer(200)]) as receiver:
        bench.end(receiver)
        with running(bench, tmp_path, "first", timeout_seconds="3", lease_seconds="4") as first:
            receiver.wait_for(1)
            first.stop(signal.SIGKILL)
        assert bench.delivery().status is DeliveryStatus.PENDING
        with running(bench, tmp_path, "second", timeout_seconds="3", lease_seconds="4") as second:
            receiver.wait_for(2)
            second.wait_until(lambda: bench.delivery().status is DeliveryStatus.DELIVERED)
            assert second.stop() == 0
        release.append(True)
        one, two = receiver.requests
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body
    verified(two, secret)
    assert bench.log() == [(1, None), (2, 200)]
    logs = (tmp_path / "first.log").read_text() + (tmp_path / "second.log").read_text()
    assert "webhook_attempted" in logs
    for hidden in (secret, SIGNING_KEY.get_secret_value(), "hidden-in-the-url"):
        assert hidden not in logs


def test_at_sigterm_it_finishes_what_it_has_in_hand(bench: Bench, tmp_path: Path) -> None:
    bench.new_secret()
    release: list[bool] = []
    with Receiver([until_told(release, answer(200))]) as receiver:
        bench.end(receiver)
        with running(bench, tmp_path, "only") as process:
            receiver.wait_for(1)
            assert (tmp_path / "only" / "alive").exists()
            process.send(signal.SIGTERM)
            bench.end(receiver, 2)
            release.append(True)
            assert process.wait() == 0
        assert len(receiver.requests) == 1
    assert bench.delivery().status is DeliveryStatus.DELIVERED
    assert not (tmp_path / "only" / "alive").exists()
    (second,) = bench.deliveries.of_job(job_id(2))
    assert (second.attempts, second.lease_token) == (0, None)


def test_two_deliverers_at_once_send_each_message_once(bench: Bench, tmp_path: Path) -> None:
    bench.new_secret()
    numbers = range(1, 41)
    with Receiver([answer(200)]) as receiver:
        with running(bench, tmp_path, "a") as first, running(bench, tmp_path, "b") as second:
            for process, name in ((first, "a"), (second, "b")):
                process.wait_until((tmp_path / name / "alive").exists)
            for number in numbers:
                bench.end(receiver, number)
            receiver.wait_for(len(numbers))
            first.wait_until(
                lambda: all(
                    delivery.status is DeliveryStatus.DELIVERED
                    for number in numbers
                    for delivery in bench.deliveries.of_job(job_id(number))
                )
            )
            assert (first.stop(), second.stop()) == (0, 0)
        ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == len(set(ids)) == len(numbers)


def test_without_a_key_on_a_server_it_says_what_to_set(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SCENESCORE_DATA_DIR": str(tmp_path),
        "SCENESCORE_DATABASE__URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    }
    process = ServerProcess([sys.executable, "-m", "scenescore_api.webhooks"], tmp_path / "log", environment)
    process.start()
    assert process.wait() == 1
    assert "SCENESCORE_WEBHOOKS__SIGNING_KEY" in process.tail()
    assert "Traceback" not in process.tail()
