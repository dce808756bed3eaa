"""`python -m scenescore_api.sweeper`: sends again the wake-ups that were lost.

Whatever is due and was not claimed for a while (a wake-up lost with a flushed broker, a lease whose worker was
killed, a retry whose time has come) gets a new one. Any number may run: a lock lets one of them work at a time.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from scenescore_api.settings import ApiSettings, SweeperGroup
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Step
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.ports import Clock, JobRepository, TaskPublisher
from scenescore_shared.stopping import StopFlag
from scenescore_shared.waking import wake_best_effort
from scenescore_shared.wiring import build_engine, build_job_repository, build_publisher

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    jobs: JobRepository
    publisher: TaskPublisher
    clock: Clock
    settings: SweeperGroup

    def sweep(self) -> int:
        """One round. Returns the wake-ups sent; 0 also when another sweeper is at work.

        Raises TransientError when the database is away.
        """
        with self.jobs.sweeping() as mine:
            return sum(self._wake_overdue(step) for step in Step) if mine else 0

    def _wake_overdue(self, step: Step) -> int:
        now = self.clock.now()
        overdue = self.jobs.wakeable(
            step,
            due_before=now - timedelta(seconds=self.settings.grace_seconds),
            woken_before=now - timedelta(seconds=self.settings.repeat_seconds),
            now=now,
            limit=self.settings.batch,
        )
        sent = sum(wake_best_effort(self.publisher, job) for job in overdue)
        if sent:
            _log.info("woken_again", step=step, wake_ups=sent)
        return sent


def run(sweeper: Sweeper, stop: StopFlag, alive_file: Path) -> None:
    """Sweeps until `stop` is set, touching `alive_file` each round for the liveness probe."""
    alive_file.parent.mkdir(parents=True, exist_ok=True)
    while not stop.wait(sweeper.settings.interval_seconds):
        alive_file.touch()
        try:
            sweeper.sweep()
        except TransientError as error:
            _log.warning("sweep_failed", reason=error.message)
    alive_file.unlink(missing_ok=True)


def main() -> None:
    settings = ApiSettings()
    configure_logging(settings.log, service="sweeper")
    stop = StopFlag()
    stop.listen()
    engine = build_engine(settings, application="scenescore-sweeper")
    sweeper = Sweeper(
        jobs=build_job_repository(engine),
        publisher=build_publisher(settings, name="scenescore-sweeper"),
        clock=SystemClock(),
        settings=settings.sweeper,
    )
    run(sweeper, stop, settings.sweeper_state_dir / "alive")
    engine.dispose()


if __name__ == "__main__":
    main()
