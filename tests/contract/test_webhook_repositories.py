"""What the outbox and the names of the secrets promise, on the fakes, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from samples.jobs import NOW, POLICY, claimed, job_id, queued, succeeded
from sqlalchemy import Engine

from scenescore_shared.errors import IllegalMoveError, NotFoundError
from scenescore_shared.fake_webhooks import InMemorySecretRepository
from scenescore_shared.fakes import InMemoryJobRepository
from scenescore_shared.jobs import Job, Step
from scenescore_shared.moves import cancel_now, claim, renew
from scenescore_shared.ports import JobRepository
from scenescore_shared.webhooks import (
    Attempt,
    Delivery,
    DeliveryRepository,
    DeliveryStatus,
    Moved,
    SecretRepository,
    WebhookSecret,
)
from scenescore_shared.wiring import build_delivery_repository, build_job_repository, build_secret_repository

URL = "https://example.com/hook?token=1"


@dataclass
class Repositories:
    jobs: JobRepository
    deliveries: DeliveryRepository
    secrets: SecretRepository

    def ended(self, number: int = 1, *, at: timedelta = timedelta(0)) -> Delivery:
        """The delivery of a job that was canceled."""
        self.jobs.add(with_webhook(queued(number)))
        self.jobs.update(job_id(number), partial(cancel_now, now=NOW + at))
        (delivery,) = self.deliveries.of_job(job_id(number))
        return delivery


def with_webhook(job: Job) -> Job:
    return replace(job, options={**job.options, "webhook_url": URL}, owner="alice")


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def repositories(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Repositories:
    if request.param == "fake":
        jobs = InMemoryJobRepository()
        return Repositories(jobs, jobs.deliveries, InMemorySecretRepository())
    engine = engine_of(request.param)
    return Repositories(
        build_job_repository(engine), build_delivery_repository(engine), build_secret_repository(engine)
    )


def take(delivery: Delivery) -> Moved:
    taken = replace(
        delivery,
        attempts=delivery.attempts + 1,
        steps=delivery.steps + 1,
        first_tried_at=NOW,
        lease_token="t",
        due_at=NOW + timedelta(seconds=30),
    )
    return Moved(delivery=taken)


def test_the_write_that_ends_a_job_fills_the_outbox(repositories: Repositories) -> None:
    delivery = repositories.ended(at=timedelta(seconds=3))
    assert delivery == Delivery(
        id=delivery.id,
        job_id=job_id(1),
        owner="alice",
        url=URL,
        type="job.canceled",
        body=delivery.body,
        created_at=NOW + timedelta(seconds=3),
        due_at=NOW + timedelta(seconds=3),
    )
    assert delivery.id.startswith("msg_")
    assert '"status":"canceled"' in delivery.body
    assert repositories.deliveries.get(delivery.id) == delivery
    repositories.jobs.update(job_id(1), partial(cancel_now, now=NOW))
    assert repositories.deliveries.of_job(job_id(1)) == [delivery]


def test_a_claim_that_ends_a_job_fills_the_outbox_too(repositories: Repositories) -> None:
    repositories.jobs.add(with_webhook(replace(claimed(), attempts=POLICY.max_attempts)))
    later = NOW + timedelta(hours=1)
    repositories.jobs.claim(Step.CLASSIFY, 5, later, partial(claim, now=later, token="t", policy=POLICY))
    (delivery,) = repositories.deliveries.of_job(job_id(1))
    assert delivery.type == "job.failed"
    assert '"code":"worker_lost"' in delivery.body


def test_nothing_is_sent_of_a_job_that_goes_on_or_asked_for_nothing(repositories: Repositories) -> None:
    repositories.jobs.add(with_webhook(claimed(queued(1))))
    repositories.jobs.update(job_id(1), partial(renew, now=NOW, token="t1", policy=POLICY, step_progress=0.5))
    repositories.jobs.add(queued(2))
    repositories.jobs.update(job_id(2), partial(cancel_now, now=NOW))
    repositories.jobs.add(with_webhook(succeeded(queued(3))))
    assert [repositories.deliveries.of_job(job_id(number)) for number in (1, 2, 3)] == [[], [], []]


def test_a_change_that_is_refused_leaves_the_outbox_empty(repositories: Repositories) -> None:
    repositories.jobs.add(with_webhook(queued()))

    def broken(job: Job) -> Job:
        cancel_now(job, now=NOW)
        raise IllegalMoveError("no")

    with pytest.raises(IllegalMoveError):
        repositories.jobs.update(job_id(1), broken)
    assert repositories.deliveries.of_job(job_id(1)) == []


def test_deleting_the_job_deletes_its_deliveries(repositories: Repositories) -> None:
    delivery = repositories.ended()
    repositories.deliveries.update(
        delivery.id, lambda old: Moved(delivery=old, attempt=attempt(delivery.id, 1))
    )
    repositories.jobs.delete(job_id(1))
    assert repositories.deliveries.of_job(job_id(1)) == []
    assert repositories.deliveries.attempts(delivery.id, limit=9) == []
    with pytest.raises(NotFoundError):
        repositories.deliveries.get(delivery.id)
    with pytest.raises(NotFoundError):
        repositories.deliveries.update(delivery.id, take)


def test_claims_take_what_is_due_longest_due_first_and_save_it(repositories: Repositories) -> None:
    third = repositories.ended(3, at=timedelta(seconds=3))
    first = repositories.ended(1, at=timedelta(seconds=1))
    repositories.ended(9, at=timedelta(seconds=9))
    now = NOW + timedelta(seconds=5)
    taken = repositories.deliveries.claim(1, now, take)
    assert taken == [take(first).delivery]
    assert repositories.deliveries.get(first.id) == take(first).delivery
    assert repositories.deliveries.claim(5, now, take) == [take(third).delivery]
    assert repositories.deliveries.claim(5, now, take) == []


def test_what_has_ended_is_never_due_again(repositories: Repositories) -> None:
    delivery = repositories.ended()
    done = replace(
        delivery, status=DeliveryStatus.DELIVERED, due_at=None, finished_at=NOW + timedelta(seconds=2)
    )
    repositories.deliveries.update(delivery.id, lambda _: Moved(delivery=done))
    assert repositories.deliveries.get(delivery.id) == done
    assert repositories.deliveries.claim(5, NOW + timedelta(days=9), take) == []


def test_no_delivery_is_claimed_twice_however_many_ask(repositories: Repositories) -> None:
    numbers = range(1, 21)
    for number in numbers:
        repositories.ended(number)
    tokens = count()

    def ask(_: int) -> list[str]:
        token = f"token-{next(tokens)}"
        taken = repositories.deliveries.claim(
            3, NOW, lambda old: Moved(delivery=replace(take(old).delivery, lease_token=token))
        )
        return [delivery.id for delivery in taken]

    with ThreadPoolExecutor(4) as pool:
        ids = [each for taken in pool.map(ask, range(40)) for each in taken]
    assert len(ids) == len(set(ids)) == len(numbers)


def attempt(delivery_id: str, number: int) -> Attempt:
    return Attempt(
        delivery_id=delivery_id,
        number=number,
        at=NOW + timedelta(seconds=number),
        status_code=500 if number % 2 else None,
        error=None if number % 2 else "The receiver refused the connection.",
        seconds=0.25,
    )


def test_attempts_are_kept_in_their_order_and_the_last_are_read(repositories: Repositories) -> None:
    delivery = repositories.ended()
    for number in range(1, 6):
        repositories.deliveries.update(
            delivery.id,
            lambda old, number=number: Moved(delivery=old, attempt=attempt(old.id, number)),  # type: ignore[misc]
        )
    assert repositories.deliveries.attempts(delivery.id, limit=3) == [
        attempt(delivery.id, number) for number in (3, 4, 5)
    ]


def test_a_refused_move_writes_nothing(repositories: Repositories) -> None:
    delivery = repositories.ended()

    def refuse(_: Delivery) -> Moved:
        raise IllegalMoveError("no")

    with pytest.raises(IllegalMoveError):
        repositories.deliveries.update(delivery.id, refuse)
    assert repositories.deliveries.get(delivery.id) == delivery


def secret(number: int, owner: str = "alice") -> WebhookSecret:
    return WebhookSecret(id=f"whs_{number}", owner=owner, created_at=NOW + timedelta(seconds=number))


def test_secrets_live_until_they_are_revoked_by_their_owner(repositories: Repositories) -> None:
    secrets = repositories.secrets
    for number in (1, 2):
        assert secrets.add(secret(number), at_most=5)
    assert secrets.add(secret(3, owner=""), at_most=5)
    assert list(secrets.live("alice")) == [secret(2), secret(1)]
    assert list(secrets.live("")) == [secret(3, owner="")]
    with pytest.raises(NotFoundError):
        secrets.revoke("whs_1", owner="", now=NOW)
    secrets.revoke("whs_1", owner="alice", now=NOW)
    assert list(secrets.live("alice")) == [secret(2)]
    with pytest.raises(NotFoundError):
        secrets.revoke("whs_1", owner="alice", now=NOW)


def test_an_owner_has_so_many_secrets_however_many_are_asked_for_at_once(repositories: Repositories) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda number: repositories.secrets.add(secret(number), at_most=5), range(12)))
    assert sum(added) == 5
    assert len(repositories.secrets.live("alice")) == 5
    repositories.secrets.revoke(repositories.secrets.live("alice")[0].id, owner="alice", now=NOW)
    assert repositories.secrets.add(secret(99), at_most=5)
