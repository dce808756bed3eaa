"""Sending a wake-up that may be lost: the job is committed, and the sweeper sends it again."""

from scenescore_shared.contracts import WakeUp
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Job
from scenescore_shared.logs import get_logger
from scenescore_shared.ports import TaskPublisher

_log = get_logger(__name__)


def wake_best_effort(publisher: TaskPublisher, job: Job) -> bool:
    """Wakes a worker for the job's present step. False, and a line in the log, when the broker did not take it."""
    if job.step is None:
        return False
    try:
        publisher.wake(job.step, WakeUp(job_id=job.id, request_id=job.request_id))
    except TransientError as error:
        _log.warning("wake_up_not_sent", job_id=job.id, step=job.step, reason=error.message)
        return False
    return True
