"""Places in the queue, told from a copy of its head."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

import pytest
from samples.jobs import MIX, NOW, claimed, queued, succeeded

from scenescore_api import queue_places
from scenescore_api.queue_places import GOOD_FOR_SECONDS, OLDEST_SECONDS, QueuePlaces
from scenescore_shared.errors import TransientError
from scenescore_shared.fakes import FakeClock, InMemoryJobRepository
from scenescore_shared.jobs import Job, Step


@dataclass
class Asked(InMemoryJobRepository):
    """Counts the questions, and does `meanwhile` in the middle of each."""

    questions: list[Step] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        super().__init__()

    def due_times(self, step: Step, *, now: datetime, limit: int) -> list[datetime]:
        self.questions.append(step)
        self.meanwhile()
        return super().due_times(step, now=now, limit=limit)


@dataclass
class Seconds:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def jobs() -> Asked:
    return Asked()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def places(jobs: Asked, seconds: Seconds) -> QueuePlaces:
    return QueuePlaces(jobs, FakeClock(NOW + timedelta(seconds=60)), monotonic=seconds)


def later(number: int) -> Job:
    return queued(number, at=NOW + timedelta(seconds=number))


def test_a_place_counts_who_comes_first_in_the_same_queue(places: QueuePlaces, jobs: Asked) -> None:
    for job in (later(1), later(2), later(3), queued(9, emotions=MIX)):
        jobs.add(job)
    assert [places.of(job) for job in (later(1), later(2), later(3))] == [0, 1, 2]
    assert places.of(queued(9, emotions=MIX)) == 0
    # not in the queue yet
    assert places.of(later(4)) == 3


def test_who_does_not_wait_has_no_place(places: QueuePlaces) -> None:
    assert [places.of(job) for job in (claimed(queued(1)), succeeded(queued(2)))] == [None, None]
    places.add(succeeded(queued(2)))
    assert places.of(queued(3)) == 0


def test_the_database_is_asked_once_a_second_for_each_queue(
    places: QueuePlaces, jobs: Asked, seconds: Seconds
) -> None:
    for _ in range(50):
        places.of(later(5))
        places.of(queued(9, emotions=MIX))
    assert jobs.questions == [Step.CLASSIFY, Step.COMPOSE]
    jobs.add(later(1))
    seconds.now += GOOD_FOR_SECONDS * 0.99
    assert places.of(later(5)) == 0
    seconds.now += GOOD_FOR_SECONDS * 0.01
    assert places.of(later(5)) == 1
    assert jobs.questions == [Step.CLASSIFY, Step.COMPOSE, Step.CLASSIFY]


def test_what_was_accepted_here_counts_at_once_and_once(places: QueuePlaces, jobs: Asked) -> None:
    assert places.of(later(1)) == 0
    for job in (later(1), later(3), later(3), later(2)):
        places.add(job)
    assert [places.of(later(number)) for number in range(1, 5)] == [0, 1, 2, 3]
    assert jobs.questions == [Step.CLASSIFY]


def test_places_end_where_a_thousand_is_told(
    places: QueuePlaces, jobs: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_places, "MAX_QUEUE_POSITION", 3)
    waiting = [later(number) for number in range(1, 6)]
    for job in waiting:
        jobs.add(job)
    assert [places.of(job) for job in waiting] == [0, 1, 2, 3, 3]
    places.add(later(0))
    assert places.of(waiting[-1]) == 3


def test_a_job_that_is_due_later_stands_behind_all_that_are_due(places: QueuePlaces, jobs: Asked) -> None:
    for number in (1, 2, 100):
        jobs.add(later(number))
    assert places.of(later(100)) == 2


def test_while_one_asks_the_others_go_by_what_is_known(
    places: QueuePlaces, jobs: Asked, seconds: Seconds
) -> None:
    places.of(later(5))
    jobs.add(later(1))
    seconds.now += GOOD_FOR_SECONDS
    asking, go_on = Event(), Event()

    def wait() -> None:
        asking.set()
        assert go_on.wait(10)

    jobs.meanwhile = wait
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(places.of, later(5))
        assert asking.wait(10)
        assert places.of(later(5)) == 0
        go_on.set()
        assert slow.result() == 1


def test_nobody_is_told_what_is_too_old(places: QueuePlaces, jobs: Asked, seconds: Seconds) -> None:
    places.of(later(5))
    jobs.add(later(1))
    seconds.now += OLDEST_SECONDS
    asking, go_on = Event(), Event()

    def wait() -> None:
        asking.set()
        assert go_on.wait(10)

    jobs.meanwhile = wait
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(places.of, later(5))
        assert asking.wait(10)
        second = pool.submit(places.of, later(5))
        go_on.set()
        assert [slow.result(), second.result()] == [1, 1]
    assert jobs.questions == [Step.CLASSIFY] * 2


def test_who_waits_for_a_database_that_hangs_is_told_so(
    places: QueuePlaces, jobs: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_places, "_PATIENCE_SECONDS", 0.01)
    asking, go_on = Event(), Event()

    def wait() -> None:
        asking.set()
        assert go_on.wait(10)

    jobs.meanwhile = wait
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(places.of, later(5))
        assert asking.wait(10)
        with pytest.raises(TransientError, match="queue"):
            places.of(later(5))
        go_on.set()
        assert slow.result() == 0


def test_a_database_that_is_away_is_told_and_asked_again(places: QueuePlaces, jobs: Asked) -> None:
    def fail() -> None:
        raise TransientError("away")

    jobs.meanwhile = fail
    with pytest.raises(TransientError):
        places.of(queued(1))
    jobs.meanwhile = lambda: None
    assert places.of(queued(1)) == 0
