"""`python -m scenescore_api.sweeper`: sends again the wake-ups that were lost, and keeps house.

Any number may run: a lock lets one of them wake and another lets one keep house, each a round at a time. The two
have a thread each, so that no wake-up waits for an object store that hangs.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from scenescore_api.settings import ApiSettings
from scenescore_api.sweeping.expiring import FileExpiry, RowExpiry
from scenescore_api.sweeping.orphans import OrphanSweep
from scenescore_api.sweeping.waking import Waking
from scenescore_shared.errors import TransientError
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.ports import Sweep
from scenescore_shared.stopping import StopFlag
from scenescore_shared.wiring import (
    build_blob_index,
    build_blob_store,
    build_clock,
    build_engine,
    build_idempotency_keys,
    build_job_repository,
    build_publisher,
)

_log = get_logger(__name__)

_LAST_ROUND_SECONDS = 10.0


class Duty(Protocol):
    def round(self) -> int:
        """A bounded piece of work, harmless when two do it at once. Returns how much was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """`alone` is the lock that lets one sweeper at a time do these duties."""

    alone: Callable[[], AbstractContextManager[bool]]
    duties: Mapping[str, Duty]
    interval_seconds: float

    def sweep(self) -> Mapping[str, int]:
        """One round of each duty, and what each did; nothing when another sweeper is at work.

        Raises TransientError when the database is away.
        """
        with self.alone() as mine:
            return {name: _done(name, duty) for name, duty in self.duties.items()} if mine else {}

    def run(self, stop: StopFlag, *, alive: Callable[[], None] = lambda: None) -> None:
        """Sweeps until `stop` is set, and calls `alive` each round."""
        while not stop.wait(self.interval_seconds):
            alive()
            try:
                self.sweep()
            except TransientError as error:
                _log.warning("sweep_failed", duties=list(self.duties), reason=error.message)
            except Exception:  # noqa: BLE001 - a thread that ends silently would leave its duties undone
                _log.exception("sweep_broken", duties=list(self.duties))


def _done(name: str, duty: Duty) -> int:
    try:
        return duty.round()
    except TransientError as error:
        _log.warning("duty_failed", duty=name, reason=error.message)
    except Exception:  # noqa: BLE001 - the trouble of one duty must not keep the sweeper from the others
        _log.exception("duty_broken", duty=name)
    return 0


def run(waking: Sweeper, housekeeping: Sweeper, stop: StopFlag, alive_file: Path) -> None:
    """Both until `stop` is set; each round of waking touches `alive_file` for the liveness probe."""
    alive_file.parent.mkdir(parents=True, exist_ok=True)
    # a daemon: a store that hangs must not keep the process from ending, and what is left half done is made good
    keeper = threading.Thread(target=housekeeping.run, args=(stop,), name="housekeeping", daemon=True)
    keeper.start()
    waking.run(stop, alive=alive_file.touch)
    keeper.join(_LAST_ROUND_SECONDS)
    alive_file.unlink(missing_ok=True)


def main() -> None:
    settings = ApiSettings()
    configure_logging(settings.log, service="sweeper")
    stop = StopFlag()
    stop.listen()
    engine = build_engine(settings, application="scenescore-sweeper")
    jobs, blobs, clock = build_job_repository(engine), build_blob_store(settings), build_clock(engine)
    publisher = build_publisher(settings, name="scenescore-sweeper")
    retention = settings.retention
    waking = Sweeper(
        alone=partial(jobs.sweeping, Sweep.WAKING),
        duties={"waking": Waking(jobs=jobs, publisher=publisher, clock=clock, settings=settings.sweeper)},
        interval_seconds=settings.sweeper.interval_seconds,
    )
    housekeeping = Sweeper(
        alone=partial(jobs.sweeping, Sweep.HOUSEKEEPING),
        duties={
            "files": FileExpiry(jobs=jobs, blobs=blobs, clock=clock, settings=retention),
            "rows": RowExpiry(
                jobs=jobs,
                idempotency_keys=build_idempotency_keys(engine),
                clock=clock,
                settings=retention,
            ),
            "orphans": OrphanSweep(
                blobs=blobs, index=build_blob_index(engine), clock=clock, settings=retention
            ),
        },
        interval_seconds=settings.sweeper.interval_seconds,
    )
    run(waking, housekeeping, stop, settings.sweeper_state_dir / "alive")
    engine.dispose()


if __name__ == "__main__":
    main()
