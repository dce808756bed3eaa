"""What one process holds in PostgreSQL keeps no other waiting: claims pass over it."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from samples.jobs import NOW, POLICY, job_id, queued
from sqlalchemy import Engine, select

from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.tables import jobs, webhook_deliveries
from scenescore_shared.jobs import Step
from scenescore_shared.moves import cancel_now, claim
from scenescore_shared.webhooks import Delivery, Moved
from scenescore_shared.wiring import build_delivery_repository, build_job_repository


@pytest.fixture
def engine(postgres_url: str) -> Engine:
    return make_engine(postgres_url, application="tests")


def test_a_job_that_is_held_is_passed_over(engine: Engine) -> None:
    repository = build_job_repository(engine)
    for number in (1, 2):
        repository.add(queued(number))
    take = partial(claim, now=NOW, token="t", policy=POLICY)
    with engine.begin() as holder:
        holder.execute(select(jobs).where(jobs.c.id == job_id(1)).with_for_update())
        assert [job.id for job in repository.claim(Step.CLASSIFY, 2, NOW, take)] == [job_id(2)]
    assert [job.id for job in repository.claim(Step.CLASSIFY, 2, NOW, take)] == [job_id(1)]
    engine.dispose()


def test_a_delivery_that_is_held_is_passed_over(engine: Engine) -> None:
    repository, deliveries = build_job_repository(engine), build_delivery_repository(engine)
    for number in (1, 2):
        options = {**queued(number).options, "webhook_url": "https://example.com/hook"}
        repository.add(replace(queued(number), options=options, owner="alice"))
        repository.update(job_id(number), partial(cancel_now, now=NOW))
    first, second = (deliveries.of_job(job_id(number))[0] for number in (1, 2))

    def take(delivery: Delivery) -> Moved:
        return Moved(delivery=replace(delivery, lease_token="t", due_at=NOW + timedelta(seconds=30)))

    with engine.begin() as holder:
        held = select(webhook_deliveries).where(webhook_deliveries.c.id == first.id)
        holder.execute(held.with_for_update())
        assert [each.id for each in deliveries.claim(2, NOW, take)] == [second.id]
    assert [each.id for each in deliveries.claim(2, NOW, take)] == [first.id]
    engine.dispose()
