"""Sends again the wake-ups that were lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from scenescore_api.settings import SweeperGroup
from scenescore_shared.errors import NotFoundError
from scenescore_shared.jobs import Job, Step
from scenescore_shared.logs import get_logger
from scenescore_shared.moves import do_without_rendering
from scenescore_shared.ports import Clock, JobRepository, TaskPublisher
from scenescore_shared.waking import wake_best_effort

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waking:
    """Whatever is due and was not claimed for a while (a wake-up lost with a flushed broker, a lease whose worker was
    killed, a retry whose time has come) gets a new wake-up. What waits in vain to be rendered ends as it is.
    """

    jobs: JobRepository
    publisher: TaskPublisher
    clock: Clock
    settings: SweeperGroup

    def round(self) -> int:
        """Returns the wake-ups sent."""
        return sum(self._wake_overdue(step) for step in Step)

    def _wake_overdue(self, step: Step) -> int:
        now = self.clock.now()
        overdue = self.jobs.wakeable(
            step,
            due_before=now - timedelta(seconds=self.settings.grace_seconds),
            woken_before=now - timedelta(seconds=self.settings.repeat_seconds),
            now=now,
            limit=self.settings.batch,
        )
        if step is Step.RENDER:
            overdue = [job for job in overdue if not self._done_without_rendering(job, now)]
        sent = sum(wake_best_effort(self.publisher, job) for job in overdue)
        if sent:
            _log.info("woken_again", step=step, wake_ups=sent)
        return sent

    def _done_without_rendering(self, job: Job, now: datetime) -> bool:
        """Ends a job whose music nobody has rendered for too long. True if it has ended."""
        patience = timedelta(seconds=self.settings.render_patience_seconds)
        if job.due_at is None or job.due_at > now - patience:
            return False
        try:
            ended = self.jobs.update(job.id, partial(do_without_rendering, now=now))
        except NotFoundError:
            return True
        _log.warning("not_rendered", job_id=job.id, status=ended.status)
        return ended.finished
