"""What every clock promises."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.adapters.sql.clock import DatabaseClock
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.fakes import FakeClock
from scenescore_shared.ports import Clock
from scenescore_shared.wiring import build_clock

WRONG = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["fake", "system", "database", "database away"])
def clock(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Clock:
    match request.param:
        case "fake":
            return FakeClock()
        case "system":
            return SystemClock()
        case "database":
            return DatabaseClock(engine_of("postgres"), until=FakeClock(WRONG))
        case _:
            nowhere = make_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", application="tests")
            return DatabaseClock(nowhere, until=SystemClock())


def test_times_are_aware_in_utc_and_never_go_back(clock: Clock) -> None:
    times = [clock.now() for _ in range(3)]
    assert all(time.tzinfo is UTC for time in times)
    assert times == sorted(times)


def test_the_fake_moves_only_when_told() -> None:
    clock = FakeClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(1.5)
    assert (clock.now() - before).total_seconds() == 1.5


def test_a_machine_whose_clock_is_wrong_goes_by_the_databases(
    engine_of: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of("postgres")
    monkeypatch.setattr(SystemClock, "now", lambda _: WRONG)
    clock = build_clock(engine)
    with engine.connect() as connection:
        before = connection.execute(select(func.clock_timestamp())).scalar_one()
        now = clock.now()
        after = connection.execute(select(func.clock_timestamp())).scalar_one()
    assert before - timedelta(seconds=1) < now < after + timedelta(seconds=1)


def test_between_two_questions_it_counts_on_and_outlives_the_database(
    engine_of: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, readings = engine_of("postgres"), [100.0]
    clock = DatabaseClock(engine, until=FakeClock(WRONG), monotonic=lambda: readings[0])
    start = clock.now()
    readings[0] += 20
    assert clock.now() - start == timedelta(seconds=20)

    def away(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(clock._engine, "connect", away)
        readings[0] += 20
        assert clock.now() - start == timedelta(seconds=40)
    # the next question corrects what the monotonic clock, here a false one, made of it
    readings[0] += 2
    assert clock.now() - start < timedelta(seconds=40)


def test_an_answer_that_took_too_long_says_nothing(engine_of: Callable[[str], Engine]) -> None:
    readings = iter([0.0, 5.0])
    clock = DatabaseClock(engine_of("postgres"), until=FakeClock(WRONG), monotonic=lambda: next(readings))
    assert clock.now() == WRONG
