import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from samples.jobs import COMPOSED, MIX, NOW, claimed, composed, job_id, queued, succeeded

from scenescore_api.settings import SweeperGroup
from scenescore_api.sweeper import Duty, Sweeper, run
from scenescore_api.sweeping.waking import Waking
from scenescore_shared.errors import TransientError
from scenescore_shared.fakes import FakeClock, InMemoryJobRepository, RecordingPublisher
from scenescore_shared.jobs import Status, Step
from scenescore_shared.ports import Sweep
from scenescore_shared.stopping import StopFlag


class Bench:
    def __init__(self) -> None:
        self.jobs, self.publisher, self.clock = InMemoryJobRepository(), RecordingPublisher(), FakeClock(NOW)
        waking = Waking(
            jobs=self.jobs, publisher=self.publisher, clock=self.clock, settings=SweeperGroup(batch=3)
        )
        self.sweeper = Sweeper(
            alone=partial(self.jobs.sweeping, Sweep.WAKING), duties={"waking": waking}, interval_seconds=0.01
        )

    def woken(self) -> list[tuple[Step, str]]:
        self.publisher.sent.clear()
        self.sweeper.sweep()
        return [(step, wake_up.job_id) for step, wake_up in self.publisher.sent]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_lost_wake_up_is_sent_again_to_the_queue_of_its_step(bench: Bench) -> None:
    bench.jobs.add(queued(1))
    bench.jobs.add(queued(2, emotions=MIX))
    bench.jobs.add(succeeded(queued(3)))
    assert bench.woken() == []
    bench.clock.advance(4)
    assert bench.woken() == [(Step.CLASSIFY, job_id(1)), (Step.COMPOSE, job_id(2))]
    bench.clock.advance(1)
    assert bench.woken() == []
    bench.clock.advance(30)
    assert len(bench.woken()) == 2


def test_music_that_nobody_renders_is_woken_for_and_then_ends_as_it_is(bench: Bench) -> None:
    bench.jobs.add(composed(queued(1)))
    bench.jobs.add(queued(2))
    bench.clock.advance(9 + 4)
    assert (Step.RENDER, job_id(1)) in bench.woken()
    bench.clock.advance(600)
    assert bench.woken() == [(Step.CLASSIFY, job_id(2))]
    job = bench.jobs.get(job_id(1))
    assert (job.status, job.outputs) == (Status.SUCCEEDED, COMPOSED.outputs)
    assert [warning.code for warning in job.warnings] == ["not_rendered"]


def test_a_lease_that_ran_out_is_woken_for(bench: Bench) -> None:
    bench.jobs.add(claimed(queued(1)))
    bench.clock.advance(29)
    assert bench.woken() == []
    bench.clock.advance(5)
    assert bench.woken() == [(Step.CLASSIFY, job_id(1))]


def test_a_retry_is_woken_for_when_its_time_has_come(bench: Bench) -> None:
    bench.jobs.add(queued(1, at=NOW + timedelta(seconds=50)))
    bench.clock.advance(49)
    assert bench.woken() == []
    bench.clock.advance(5)
    assert bench.woken() == [(Step.CLASSIFY, job_id(1))]


def test_a_round_is_bounded_and_the_longest_due_come_first(bench: Bench) -> None:
    for number in range(1, 6):
        bench.jobs.add(queued(number, at=NOW + timedelta(milliseconds=number)))
    bench.clock.advance(10)
    assert [job for _, job in bench.woken()] == [job_id(1), job_id(2), job_id(3)]
    assert [job for _, job in bench.woken()] == [job_id(4), job_id(5)]


def test_a_backlog_of_one_step_hides_no_job_of_another(bench: Bench) -> None:
    for number in range(1, 50):
        bench.jobs.add(queued(number, emotions=MIX))
    bench.clock.advance(1)
    bench.jobs.add(queued(99, at=bench.clock.now()))
    bench.clock.advance(9)
    assert (Step.CLASSIFY, job_id(99)) in bench.woken()


def test_another_sweeper_at_work_leaves_nothing_to_do(bench: Bench) -> None:
    bench.jobs.add(queued(1))
    bench.clock.advance(10)
    with bench.jobs.sweeping(Sweep.WAKING) as mine:
        assert mine
        assert bench.woken() == []
    assert len(bench.woken()) == 1


def test_a_broker_that_is_away_ends_no_round(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise TransientError("gone")

    bench.jobs.add(queued(1))
    bench.clock.advance(10)
    monkeypatch.setattr(bench.publisher, "wake", away)
    assert bench.sweeper.sweep() == {"waking": 0}


class Counting:
    def __init__(self, trouble: Exception | None = None) -> None:
        self.rounds, self.trouble = 0, trouble

    def round(self) -> int:
        self.rounds += 1
        if self.trouble:
            raise self.trouble
        return 7


@pytest.mark.parametrize("trouble", [TransientError("away"), RuntimeError("a bug")])
def test_the_trouble_of_one_duty_stops_no_other(trouble: Exception) -> None:
    sweeper = Sweeper(
        alone=lambda: nullcontext(enter_result=True),
        duties={"troubled": Counting(trouble), "other": Counting()},
        interval_seconds=1,
    )
    assert sweeper.sweep() == {"troubled": 0, "other": 7}


@pytest.mark.parametrize("trouble", [TransientError("gone"), RuntimeError("a bug")])
def test_it_sweeps_until_it_is_told_to_stop_and_outlives_its_database(
    trouble: Exception, tmp_path: Path
) -> None:
    stop, kept, alive = StopFlag(), threading.Event(), tmp_path / "sweeper" / "alive"
    rounds: list[bool] = []

    def away() -> AbstractContextManager[bool]:
        rounds.append(alive.exists())
        stop.is_set = len(rounds) >= 3 and kept.wait(5)
        raise trouble

    def keeping() -> AbstractContextManager[bool]:
        kept.set()
        raise trouble

    def sweeper(alone: Callable[[], AbstractContextManager[bool]]) -> Sweeper:
        return Sweeper(alone=alone, duties={}, interval_seconds=0.01)

    run(sweeper(away), sweeper(keeping), stop, alive)
    assert rounds == [True] * 3
    assert not alive.exists()


def test_a_store_that_hangs_holds_no_wake_up_up(tmp_path: Path) -> None:
    stop, answered, counting = StopFlag(), threading.Event(), Counting()

    class Hanging:
        def round(self) -> int:
            while counting.rounds < 5 and not stop.is_set:
                answered.wait(0.01)
            stop.is_set = True
            return 0

    def sweeper(duty: Duty) -> Sweeper:
        return Sweeper(
            alone=lambda: nullcontext(enter_result=True), duties={"one": duty}, interval_seconds=0.01
        )

    run(sweeper(counting), sweeper(Hanging()), stop, tmp_path / "alive")
    assert counting.rounds >= 5
