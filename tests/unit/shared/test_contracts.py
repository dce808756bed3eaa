import json

import pytest

from scenescore_shared.contracts import PAYLOAD_VERSION, QUEUES, TASK_NAMES, WakeUp
from scenescore_shared.jobs import Step


def test_a_payload_survives_json() -> None:
    wake_up = WakeUp(job_id="a", request_id="b")
    assert WakeUp.from_payload(json.loads(json.dumps(wake_up.to_payload()))) == wake_up


def test_a_later_version_with_more_fields_is_read() -> None:
    payload = {"version": PAYLOAD_VERSION + 1, "job_id": "a", "request_id": "b", "new": 1}
    assert WakeUp.from_payload(payload) == WakeUp(job_id="a", request_id="b")


@pytest.mark.parametrize(
    "payload", [{}, {"version": "1", "job_id": "a"}, {"version": 0, "job_id": "a"}, {"version": 1}]
)
def test_what_is_no_wake_up_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a wake-up"):
        WakeUp.from_payload(payload)


def test_every_step_has_a_task_and_a_queue_of_its_own() -> None:
    for mapping in (TASK_NAMES, QUEUES):
        assert set(mapping) == set(Step)
        assert len(set(mapping.values())) == len(Step)
