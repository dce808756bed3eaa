"""How often somebody may ask. Pure: a bucket is kept as the moment at which it will be full again.

Each request moves that moment on by the time in which one request grows back; once it lies further ahead than a whole
bucket takes to fill, the bucket is empty. Whole microseconds, so that every implementation counts alike.
"""

from dataclasses import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`requests` at once at most, and as many again every `window_seconds`."""

    name: str
    requests: int
    window_seconds: int

    @property
    def regrowth(self) -> int:
        """Microseconds in which one request grows back."""
        return max(1, self.window_seconds * MICROSECONDS // self.requests)

    @property
    def whole(self) -> int:
        """Microseconds in which an empty bucket fills."""
        return self.regrowth * self.requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a bucket stands after a request. `wait` is 0 when this limit let it in, else the seconds until it would."""

    limit: RateLimit
    remaining: int
    full_in: float
    wait: float


def standing(limit: RateLimit, full_in: int, *, admitted: bool) -> Standing:
    """How a bucket stands that is full in so many microseconds."""
    lacking = 0 if admitted else max(0, full_in + limit.regrowth - limit.whole)
    return Standing(
        limit=limit,
        remaining=(limit.whole - full_in) // limit.regrowth,
        full_in=full_in / MICROSECONDS,
        wait=lacking / MICROSECONDS,
    )
