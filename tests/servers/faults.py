"""The faults of the chaos test: each takes something down and brings it back, in turn and then all at once."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

from servers.crew import WORKERS, Crew

TOGETHER_SECONDS = 30.0
ROUND_SECONDS = 100.0
"""About how long a round lasts: each fault alone, then all together."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike` takes its time; the next one follows `every` seconds after it began, or at once if it took longer."""

    strike: Callable[[], None]
    alone: int
    """How often it strikes when nothing else does."""
    every: float


class Faults:
    def __init__(self, crew: Crew, *, seed: int) -> None:
        self._crew = crew
        self._rng = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.unanswered: list[str] = []
        """Ids of the jobs whose API was killed between their commit and their wake-up."""
        self._redis_is_mine = threading.Lock()
        self._parent_or_child = cycle((self._kill_parent, self._kill_child))
        self._gone_or_frozen = cycle((self._without_store, self._with_frozen_store))
        self._replicas = cycle(("api", "api-2"))

    def all(self) -> list[Fault]:
        return [
            Fault(self.kill_worker, alone=8, every=2),
            Fault(self.flush_redis, alone=3, every=1.5),
            Fault(self.restart_redis, alone=1, every=6),
            Fault(self.restart_postgres, alone=1, every=7),
            Fault(self.take_store_away, alone=1, every=14),
            Fault(self.restart_sweeper, alone=2, every=3),
            Fault(self.add_sweeper, alone=1, every=8),
            Fault(self.kill_api_before_its_wake_up, alone=2, every=5),
        ]

    def round(self) -> None:
        """Each alone, then all together."""
        for fault in self.all():
            for _ in range(fault.alone):
                with _lasting(fault.every):
                    fault.strike()
        end = time.monotonic() + TOGETHER_SECONDS
        faults = self.all()
        with ThreadPoolExecutor(len(faults)) as pool:
            for done in [pool.submit(_repeat, fault, end) for fault in faults]:
                done.result()

    def kill_worker(self) -> None:
        """A random one: by turns the parent, which an orchestrator restarts, and the child, which Celery does."""
        next(self._parent_or_child)(self._rng.choice(WORKERS))

    def _kill_parent(self, name: str) -> None:
        process = self._crew.stack.processes[name]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self._crew.stack.spawn(name)
        self.struck["worker parents killed"] += 1

    def _kill_child(self, name: str) -> None:
        # one that is still starting has none
        names = [name, *(other for other in WORKERS if other != name)]
        killed = any(self._crew.kill_child(each) for each in names)
        self.struck["worker children killed"] += killed

    def flush_redis(self) -> None:
        with self._redis_is_mine:
            self._crew.redis.flush()
        self.struck["flushes"] += 1

    def restart_redis(self) -> None:
        with self._redis_is_mine:
            self._crew.redis.kill()
            time.sleep(2)
            self._crew.redis.start()
        self.struck["Redis kills"] += 1

    def restart_postgres(self) -> None:
        self._crew.postgres.kill()
        time.sleep(2)
        self._crew.postgres.start()
        self.struck["PostgreSQL kills"] += 1

    def take_store_away(self) -> None:
        """For ten seconds: by turns it refuses connections, and it hangs."""
        next(self._gone_or_frozen)()

    def _without_store(self) -> None:
        self._crew.s3.kill()
        time.sleep(10)
        self._crew.s3.start()
        self.struck["store kills"] += 1

    def _with_frozen_store(self) -> None:
        self._crew.s3.freeze()
        time.sleep(10)
        self._crew.s3.thaw()
        self.struck["store freezes"] += 1

    def restart_sweeper(self) -> None:
        self._crew.stack.kill("sweeper")
        time.sleep(1)
        self._crew.stack.spawn("sweeper")
        self.struck["sweeper kills"] += 1

    def add_sweeper(self) -> None:
        """Two for a while, with lost wake-ups for both to find."""
        self._crew.stack.spawn("sweeper-2")
        time.sleep(4)
        self.flush_redis()
        time.sleep(2)
        self._crew.stack.kill("sweeper-2")
        self.struck["second sweepers"] += 1

    def kill_api_before_its_wake_up(self) -> None:
        name = next(self._replicas)
        request_id = f"unanswered-{self.struck['API kills']}"
        with self._redis_is_mine:
            job = self._crew.kill_api_before_its_wake_up(name, request_id)
        self._crew.stack.spawn(name)
        self.struck["API kills"] += 1
        if job:
            self.unanswered.append(job)


@contextmanager
def _lasting(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    yield
    time.sleep(max(0.0, end - time.monotonic()))


def _repeat(fault: Fault, end: float) -> None:
    while time.monotonic() < end:
        with _lasting(fault.every):
            fault.strike()
