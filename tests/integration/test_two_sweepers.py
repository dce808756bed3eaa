"""Two sweepers on one PostgreSQL, as two processes would share it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from samples.jobs import NOW, job_id, queued

from scenescore_api.settings import SweeperGroup
from scenescore_api.sweeper import Sweeper
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.fakes import FakeClock, RecordingPublisher
from scenescore_shared.wiring import build_job_repository


@contextmanager
def sweeper_on(url: str) -> Iterator[Sweeper]:
    engine = make_engine(url, application="tests")
    clock = FakeClock(NOW)
    clock.advance(60)
    yield Sweeper(
        jobs=build_job_repository(engine),
        publisher=RecordingPublisher(),
        clock=clock,
        settings=SweeperGroup(batch=2),
    )
    engine.dispose()


def test_while_one_sweeps_the_other_has_nothing_to_do(postgres_url: str) -> None:
    with sweeper_on(postgres_url) as one, sweeper_on(postgres_url) as other:
        one.jobs.add(queued())
        with one.jobs.sweeping() as mine:
            assert mine
            assert other.sweep() == 0
        assert other.sweep() == 1


def test_two_at_once_wake_each_job_once(postgres_url: str) -> None:
    jobs = 40
    with sweeper_on(postgres_url) as one, sweeper_on(postgres_url) as other:
        for number in range(1, jobs + 1):
            one.jobs.add(queued(number))
        sent: Counter[str] = Counter()

        def sweep(sweeper: Sweeper) -> None:
            for _ in range(jobs):
                sweeper.sweep()

        threads = [threading.Thread(target=sweep, args=(sweeper,)) for sweeper in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sweeper in (one, other):
            assert isinstance(sweeper.publisher, RecordingPublisher)
            sent.update(wake_up.job_id for _, wake_up in sweeper.publisher.sent)
    assert sent == {job_id(number): 1 for number in range(1, jobs + 1)}
