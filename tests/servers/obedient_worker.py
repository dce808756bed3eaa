"""`python -m servers.obedient_worker classify|compose`: the product's own worker, whose handler obeys what a job's
metadata asks of it, so that a fault strikes at a certain moment. Everything else is the product's.

- `poison`: the process that takes the job in hand is killed, as by the kernel for want of memory
- `wait_before`, `wait_after`: the work (the result) waits for the job's gate; `Gates.open` opens it
- `wait_retry`: every attempt after the first waits for a gate of its own; `Gates.open_retry` opens it
- `freeze_after`: the process stands still once the work is done and its files are stored
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from scenescore_shared.jobs import Job, StepResult
from scenescore_shared.step_runner import Checkpoint, StepHandler

_HANDLERS = {
    "classify": ("scenescore_classifier.worker", "ClassifyStep"),
    "compose": ("scenescore_composer.worker", "ComposeStep"),
}


class Held(NamedTuple):
    """The process that has a job in hand, and with how many jobs in all."""

    pid: int
    batch: int


class Gates:
    """What tests and workers tell each other, as files under the stack's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "gates"
        self._folder.mkdir(exist_ok=True)

    def hold(self, batch: Sequence[Job]) -> None:
        for job in batch:
            written = self._folder / f"{job.id}.{os.getpid()}"
            written.write_text(f"{os.getpid()} {len(batch)}")
            written.replace(self._folder / f"{job.id}.held")

    def holder(self, job_id: str) -> Held | None:
        """Who took the job in hand last."""
        try:
            pid, size = (self._folder / f"{job_id}.held").read_text().split()
        except FileNotFoundError:
            return None
        return Held(int(pid), int(size))

    def let_through(self, job: Job) -> None:
        (self._folder / f"{job.id}.through").touch()

    def has_let_through(self, job_id: str) -> bool:
        """Whether the worker has seen the open gate."""
        return (self._folder / f"{job_id}.through").exists()

    def open(self, job_id: str) -> None:
        (self._folder / f"{job_id}.open").touch()

    def open_retry(self, job_id: str) -> None:
        (self._folder / f"{job_id}.open-retry").touch()

    def open_all(self) -> None:
        """What a test that failed has left waiting shall not keep the next one's worker."""
        for held in self._folder.glob("*.held"):
            self.open(held.stem)
            self.open_retry(held.stem)

    def is_open(self, job_id: str) -> bool:
        return (self._folder / f"{job_id}.open").exists()

    def is_open_for_retry(self, job_id: str) -> bool:
        return (self._folder / f"{job_id}.open-retry").exists()


@dataclass(frozen=True, slots=True)
class Obedient:
    """A `StepHandler` around another."""

    handler: StepHandler
    gates: Gates

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterator[tuple[Job, StepResult | Exception]]:
        self.gates.hold(batch)
        for job in batch:
            if _asks(job, "poison"):
                os.kill(os.getpid(), signal.SIGKILL)
            while self._waits(job):
                checkpoint(job, 0.0)
                time.sleep(0.02)
        for job, outcome in self.handler(batch, checkpoint):
            while _asks(job, "wait_after") and not self.gates.is_open(job.id):
                time.sleep(0.02)
            self.gates.let_through(job)
            if _asks(job, "freeze_after"):
                os.kill(os.getpid(), signal.SIGSTOP)
            yield job, outcome

    def _waits(self, job: Job) -> bool:
        if _asks(job, "wait_before") and not self.gates.is_open(job.id):
            return True
        return _asks(job, "wait_retry") and job.attempts > 1 and not self.gates.is_open_for_retry(job.id)


def _asks(job: Job, what: str) -> bool:
    return what in job.options.get("metadata", {})


def main() -> None:
    module, name = _HANDLERS[sys.argv.pop(1)]
    worker = import_module(module)
    make: Callable[..., StepHandler] = getattr(worker, name)
    gates = Gates(Path(os.environ["SCENESCORE_DATA_DIR"]))

    def make_obedient(**parts: Any) -> Obedient:
        return Obedient(make(**parts), gates)

    setattr(worker, name, make_obedient)
    worker.main()


if __name__ == "__main__":
    main()
