"""Two sweepers on one PostgreSQL, as two processes would share it."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from samples.jobs import NOW, job_id, queued

from scenescore_api.settings import SweeperGroup
from scenescore_api.sweeper import Sweeper
from scenescore_api.sweeping.waking import Waking
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.fakes import FakeClock, RecordingPublisher
from scenescore_shared.ports import JobRepository, Sweep
from scenescore_shared.wiring import build_job_repository


@dataclass(frozen=True)
class OneOfTwo:
    jobs: JobRepository
    publisher: RecordingPublisher
    sweeper: Sweeper

    def sweep(self) -> int:
        return self.sweeper.sweep().get("waking", 0)


@contextmanager
def sweeper_on(url: str) -> Iterator[OneOfTwo]:
    engine = make_engine(url, application="tests")
    clock = FakeClock(NOW)
    clock.advance(60)
    jobs, publisher = build_job_repository(engine), RecordingPublisher()
    waking = Waking(jobs=jobs, publisher=publisher, clock=clock, settings=SweeperGroup(batch=2))
    alone = partial(jobs.sweeping, Sweep.WAKING)
    yield OneOfTwo(jobs, publisher, Sweeper(alone=alone, duties={"waking": waking}, interval_seconds=1))
    engine.dispose()


def test_while_one_sweeps_the_other_has_nothing_to_do(postgres_url: str) -> None:
    with sweeper_on(postgres_url) as one, sweeper_on(postgres_url) as other:
        one.jobs.add(queued())
        with one.jobs.sweeping(Sweep.WAKING) as mine:
            assert mine
            assert other.sweep() == 0
        assert other.sweep() == 1


def test_two_at_once_wake_each_job_once(postgres_url: str) -> None:
    jobs = 40
    with sweeper_on(postgres_url) as one, sweeper_on(postgres_url) as other:
        for number in range(1, jobs + 1):
            one.jobs.add(queued(number))
        sent: Counter[str] = Counter()

        def woken() -> int:
            return sum(len(sweeper.publisher.sent) for sweeper in (one, other))

        def sweep(sweeper: OneOfTwo) -> None:
            # a sweep that finds the other at it does nothing, so no number of them is sure to be enough
            give_up_at = time.monotonic() + 60
            while woken() < jobs and time.monotonic() < give_up_at:
                sweeper.sweep()
            # and whoever would wake one twice has the chance to
            for _ in range(jobs):
                sweeper.sweep()

        threads = [threading.Thread(target=sweep, args=(sweeper,)) for sweeper in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sweeper in (one, other):
            sent.update(wake_up.job_id for _, wake_up in sweeper.publisher.sent)
    assert sent == {job_id(number): 1 for number in range(1, jobs + 1)}
