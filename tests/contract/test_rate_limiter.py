"""What every rate limiter promises, run on the in-memory one and on a real Redis."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scenescore_shared.adapters.redis_limits import RedisRateLimiter
from scenescore_shared.fakes import InMemoryRateLimiter
from scenescore_shared.ports import RateLimiter
from scenescore_shared.rate_limits import RateLimit

HOURLY = RateLimit(name="default", requests=5, window_seconds=3600)
FEW = RateLimit(name="submit", requests=2, window_seconds=3600)
QUICK = RateLimit(name="quick", requests=2, window_seconds=1)


class Absent:
    """In the place of what counts while Redis is away: here it never is."""

    def take(self, *_: object) -> tuple[()]:
        raise AssertionError("Redis did not answer")


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    if request.param == "memory":
        return InMemoryRateLimiter()
    return RedisRateLimiter(request.getfixturevalue("redis_url"), meanwhile=Absent())


def admitted(limiter: RateLimiter, holder: str, *limits: RateLimit) -> bool:
    return not any(standing.wait for standing in limiter.take(holder, limits))


def test_it_counts_down_and_then_refuses(limiter: RateLimiter) -> None:
    standings = [limiter.take("ann", [HOURLY])[0] for _ in range(7)]
    assert [standing.remaining for standing in standings] == [4, 3, 2, 1, 0, 0, 0]
    assert [standing.wait > 0 for standing in standings] == [False] * 5 + [True] * 2
    assert standings[0].full_in == pytest.approx(720, abs=5)
    assert standings[-1].full_in == pytest.approx(3600, abs=5)
    assert standings[-1].wait == pytest.approx(720, abs=5)


def test_holders_and_limits_are_counted_apart(limiter: RateLimiter) -> None:
    assert [admitted(limiter, "ann", FEW) for _ in range(3)] == [True, True, False]
    assert admitted(limiter, "bob", FEW)
    assert admitted(limiter, "ann", HOURLY)


def test_what_one_limit_refuses_is_counted_against_none(limiter: RateLimiter) -> None:
    for _ in range(4):
        last = limiter.take("ann", [HOURLY, FEW])
    assert [(standing.limit, standing.remaining) for standing in last] == [(HOURLY, 3), (FEW, 0)]
    assert [standing.wait > 0 for standing in last] == [False, True]
    assert limiter.take("ann", [HOURLY])[0].remaining == 2


def test_after_the_wait_that_it_tells_one_more_is_let_in(limiter: RateLimiter) -> None:
    for _ in range(2):
        assert admitted(limiter, "ann", QUICK)
    (standing,) = limiter.take("ann", [QUICK])
    assert 0 < standing.wait <= 0.5
    time.sleep(standing.wait)
    assert admitted(limiter, "ann", QUICK)
    assert not admitted(limiter, "ann", QUICK)


def test_a_whole_window_later_it_is_whole_and_no_more_than_that(limiter: RateLimiter) -> None:
    assert admitted(limiter, "ann", QUICK)
    time.sleep(limiter.take("ann", [QUICK])[0].full_in + 0.3)
    assert [admitted(limiter, "ann", QUICK) for _ in range(3)] == [True, True, False]


def test_as_many_as_the_limit_get_in_at_once(limiter: RateLimiter) -> None:
    limit = RateLimit(name="default", requests=25, window_seconds=3600)
    with ThreadPoolExecutor(10) as pool:
        let_in = list(pool.map(lambda _: admitted(limiter, "ann", limit), range(80)))
    assert sum(let_in) == 25


def test_a_limit_that_was_made_smaller_holds_nobody_up_for_longer_than_it_takes_to_fill(
    limiter: RateLimiter,
) -> None:
    for _ in range(2):
        assert admitted(limiter, "ann", FEW)
    smaller = RateLimit(name="submit", requests=1, window_seconds=10)
    (standing,) = limiter.take("ann", [smaller])
    assert 0 < standing.wait <= 10


def test_replicas_share_one_count_in_redis_and_it_runs_out_of_itself(redis_url: str) -> None:
    first, second = (RedisRateLimiter(redis_url, meanwhile=Absent()) for _ in range(2))
    assert admitted(first, "ann", FEW)
    assert admitted(second, "ann", FEW)
    assert not admitted(first, "ann", FEW)
    assert admitted(first, "bob", QUICK)
    (key,) = first._client.keys("*bob*")
    assert 0 < first._client.pttl(key) <= 502
