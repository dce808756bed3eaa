"""When to try again, and when to give up."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from scenescore_client.errors import ScenescoreError

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What went wrong, and after how many seconds it is tried again."""

    error: ScenescoreError
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Waits double from `first` up to `longest` seconds, each a random half shorter, so that clients which lost a
    server together don't come back together. A server that names a time gets it, and the jitter on top.

    What does not go well within `patience` seconds after its first failure is given up. A server that was killed at
    work on a submission keeps its idempotency key reserved for 60 s: the default is above.
    """

    patience: float = 90.0
    first: float = 0.5
    longest: float = 10.0

    def wait(self, failures: int, retry_after: float | None, luck: float) -> float:
        """Seconds after so many failures in a row, 1 or more. `luck` is from 0 to 1."""
        if retry_after is not None:
            return retry_after + luck * self.first
        # bounded before it is raised to a power that no float holds
        doubled = self.first * 2.0 ** min(failures - 1, 30)
        return min(self.longest, doubled) * (1 - luck / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """The policy at work. The clock counts seconds from anywhere."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    told: Callable[[Retry], None] | None = None
    """Hears of every further try before it is waited for."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    luck: Callable[[], float] = random.random

    def call(self, attempt: Callable[[], Answer]) -> Answer:
        """What `attempt` returns as soon as it does. Raises its error when that is not transient, or patience ends
        before it could be tried again.
        """
        failures, since = 0, 0.0
        while True:
            try:
                return attempt()
            except ScenescoreError as error:
                failures += 1
                # patience is with failing: a long download that breaks deserves another try
                since = self.clock() if failures == 1 else since
                seconds = self.policy.wait(failures, error.retry_after, self.luck())
                if not error.transient or self.clock() - since + seconds > self.policy.patience:
                    raise
                if self.told is not None:
                    self.told(Retry(error=error, seconds=seconds))
            self.sleep(seconds)
