"""What every clock promises."""

from datetime import UTC

import pytest

from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.fakes import FakeClock
from scenescore_shared.ports import Clock


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()])
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
