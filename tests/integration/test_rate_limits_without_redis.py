"""A Redis that is killed or hangs holds no request up for long, and counts again once it is back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers.private import started
from servers.redis import Redis

from scenescore_shared.adapters.redis_limits import RedisRateLimiter
from scenescore_shared.fakes import InMemoryRateLimiter
from scenescore_shared.rate_limits import RateLimit

LIMIT = RateLimit(name="default", requests=1000, window_seconds=100_000)
PAUSE = 0.5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    for own in started(Redis, tmp_path):
        yield own
        own.thaw()


def left(limiter: RedisRateLimiter) -> int:
    return limiter.take("ann", [LIMIT])[0].remaining


def seconds_of(call: Callable[[], object]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_redis_the_process_counts_by_itself(server: Redis, how: str) -> None:
    meanwhile = InMemoryRateLimiter()
    limiter = RedisRateLimiter(server.url, meanwhile=meanwhile, pause_seconds=PAUSE)
    assert [left(limiter) for _ in range(3)] == [999, 998, 997]
    getattr(server, how)()
    # one request finds out, within a quarter of a second and some; the memory starts anew
    assert seconds_of(lambda: left(limiter)) < 1
    assert sum(seconds_of(lambda: left(limiter)) for _ in range(20)) < 0.2
    assert left(limiter) == 1000 - 22
    if how == "kill":
        server.start()
    else:
        server.thaw()
    deadline = time.monotonic() + 10
    while left(limiter) < 980:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # the figure of before, kept by Redis: asked again after the pause
    assert left(limiter) >= 990


def test_a_redis_that_hangs_is_waited_for_once_in_a_pause(server: Redis) -> None:
    limiter = RedisRateLimiter(server.url, meanwhile=InMemoryRateLimiter(), pause_seconds=PAUSE)
    left(limiter)
    server.freeze()
    slow, until = 0, time.monotonic() + 4 * PAUSE
    while time.monotonic() < until:
        slow += seconds_of(lambda: left(limiter)) > 0.1
        time.sleep(0.01)
    assert 2 <= slow <= 4


def test_a_full_redis_is_one_that_is_away(server: Redis) -> None:
    limiter = RedisRateLimiter(server.url, meanwhile=InMemoryRateLimiter(), pause_seconds=PAUSE)
    limiter._client.config_set("maxmemory", "1")
    assert [left(limiter) for _ in range(2)] == [999, 998]
