"""One Celery worker process for one step: the task, the child that holds the model, the files that probes read.

The parent runs no model code at all: a forked child hangs after the parent has used torch. The child builds
the runner (loads and warms the model) and only then writes the readiness file.
"""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown, worker_shutting_down

from scenescore_shared.contracts import QUEUES, TASK_NAMES, WakeUp
from scenescore_shared.jobs import Step
from scenescore_shared.logs import get_logger, log_context
from scenescore_shared.step_runner import StepRunner

_log = get_logger(__name__)

_HEARTBEAT_FILE_SECONDS = 5.0
_RUN_SECONDS = 30.0
"""How long one wake-up may go on working off due jobs: short of every time limit."""


@dataclass(frozen=True, kw_only=True)
class StepWorker:
    """`make_runner` is called once in each child; `state_dir` gets the files `ready` and `alive`."""

    app: Celery
    step: Step
    make_runner: Callable[[Callable[[], bool]], StepRunner]
    state_dir: Path
    # shared with the child and without a lock, which a child killed at the wrong moment would keep for ever
    _stopping: Any = field(default_factory=lambda: multiprocessing.RawValue(ctypes.c_bool, False))
    _child: dict[str, StepRunner] = field(default_factory=dict)

    @property
    def ready_file(self) -> Path:
        return self.state_dir / "ready"

    @property
    def alive_file(self) -> Path:
        return self.state_dir / "alive"

    def run(self) -> None:
        """Runs until SIGTERM. One child: a model is held once."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        self.app.task(name=TASK_NAMES[self.step], bind=False)(self._on_wake_up)
        # a receiver, even an empty one, keeps Celery from setting up logging of its own over ours
        setup_logging.connect(_leave_logging_alone, weak=False)
        worker_process_init.connect(self._start_child, weak=False)
        worker_process_shutdown.connect(self._end_child, weak=False)
        worker_shutting_down.connect(self._begin_shutdown, weak=False)
        self.app.steps["worker"].add(_alive_step(self.alive_file))
        self.app.worker_main(
            [
                "--quiet",  # no banner between the log's lines
                "worker",
                "--pool=prefork",
                "--concurrency=1",
                f"--queues={QUEUES[self.step]}",
                f"--hostname={self.step}@%h",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )

    def _on_wake_up(self, payload: Mapping[str, Any]) -> None:
        try:
            wake_up = WakeUp.from_payload(payload)
        except ValueError as error:
            # the id is a hint only: whatever is due is still worth doing
            _log.warning("strange_wake_up", reason=str(error))
            wake_up = WakeUp(job_id="", request_id="")
        with log_context(woken_for=wake_up.job_id, request_id=wake_up.request_id):
            self._child["runner"].run_due(for_seconds=_RUN_SECONDS)

    def _start_child(self, **_: Any) -> None:
        # a killed child's file may still be there
        self.ready_file.unlink(missing_ok=True)
        try:
            self._child["runner"] = self.make_runner(self._is_stopping)
        except Exception:  # noqa: BLE001 - whatever it is, this child is of no use
            # Celery only logs what a signal's receiver raises, and would go on with a child that can do nothing
            _log.exception("worker_could_not_start", step=self.step)
            os.kill(os.getppid(), signal.SIGTERM)
            os._exit(1)
        if not self._is_stopping():
            self.ready_file.touch()
            _log.info("worker_ready", step=self.step)

    def _is_stopping(self) -> bool:
        return bool(self._stopping.value)

    def _end_child(self, **_: Any) -> None:
        self.ready_file.unlink(missing_ok=True)

    def _begin_shutdown(self, **_: Any) -> None:
        self._stopping.value = True
        self.ready_file.unlink(missing_ok=True)


def _leave_logging_alone(**_: Any) -> None:
    """See `StepWorker.run`."""


def _alive_step(path: Path) -> type[bootsteps.StartStopStep]:
    class AliveFile(bootsteps.StartStopStep):  # type: ignore[misc] # celery has no types
        """Touches a file from the parent's timer; a liveness probe looks at its age."""

        requires = frozenset({"celery.worker.components:Timer"})

        def __init__(self, parent: Any, **_: Any) -> None:
            self.timer_entry: Any = None

        def start(self, parent: Any) -> None:
            path.touch()
            self.timer_entry = parent.timer.call_repeatedly(_HEARTBEAT_FILE_SECONDS, path.touch)

        def stop(self, parent: Any) -> None:
            if self.timer_entry is not None:
                self.timer_entry.cancel()
            path.unlink(missing_ok=True)

    return AliveFile
