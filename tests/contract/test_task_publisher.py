"""What every publisher promises, run on the fake, on kombu's filesystem transport and on a real Redis.

The real ones are read back with a consumer of the same broker: what was sent is what a worker gets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery
from servers.process import free_port

from scenescore_shared.adapters.celery import CeleryTaskPublisher, make_celery
from scenescore_shared.contracts import QUEUES, TASK_NAMES, WakeUp
from scenescore_shared.errors import TransientError
from scenescore_shared.fakes import RecordingPublisher
from scenescore_shared.jobs import Step
from scenescore_shared.ports import TaskPublisher


@dataclass(frozen=True)
class Broker:
    publisher: TaskPublisher
    received: Callable[[Step], list[WakeUp]]


@pytest.fixture(params=["fake", "filesystem", "redis"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    if request.param == "fake":
        fake = RecordingPublisher()
        return Broker(fake, lambda step: [wake_up for sent_to, wake_up in fake.sent if sent_to is step])
    url = f"filesystem://{tmp_path}/broker" if request.param == "filesystem" else None
    app = make_celery(url or request.getfixturevalue("redis_url"), name="tests", producer_only=True)
    return Broker(CeleryTaskPublisher(app), lambda step: _drained(app, step))


def _drained(app: Celery, step: Step) -> list[WakeUp]:
    found = []
    with app.connection_for_read() as connection, connection.SimpleQueue(QUEUES[step]) as queue:
        while True:
            try:
                message = queue.get(timeout=0.5)
            except queue.Empty:
                break
            message.ack()
            assert message.headers["task"] == TASK_NAMES[step]
            assert message.content_type == "application/json"
            _, kwargs, _ = message.payload
            found.append(WakeUp.from_payload(kwargs["payload"]))
    return found


def test_a_wake_up_goes_to_the_queue_of_its_step_only(broker: Broker) -> None:
    wake_ups = [WakeUp(job_id=f"job-{number}", request_id=f"request-{number}") for number in range(3)]
    for wake_up in wake_ups:
        broker.publisher.wake(Step.CLASSIFY, wake_up)
    assert broker.received(Step.COMPOSE) == []
    assert sorted(broker.received(Step.CLASSIFY), key=lambda item: item.job_id) == wake_ups


def test_it_answers(broker: Broker) -> None:
    broker.publisher.ping()


def test_a_broker_that_is_away_is_a_transient_error() -> None:
    publisher = CeleryTaskPublisher(
        make_celery(f"redis://127.0.0.1:{free_port()}/0", name="tests", producer_only=True)
    )
    with pytest.raises(TransientError):
        publisher.wake(Step.CLASSIFY, WakeUp(job_id="a", request_id="b"))
    with pytest.raises(TransientError):
        publisher.ping()
