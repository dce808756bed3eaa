"""Emotions and mixes of them. Pure functions, written for any number of emotions.

The thesis's three are happy, angry and sad; calm completes the quadrants of Russell's circumplex
(J. A. Russell, "A circumplex model of affect", 1980): happy is pleasant and aroused, angry unpleasant and
aroused, sad unpleasant and quiet, calm pleasant and quiet.
"""

import math
from collections.abc import Mapping, Sequence

ALL_EMOTIONS: tuple[str, ...] = ("happy", "angry", "sad", "calm")
DEFAULT_EMOTIONS: tuple[str, ...] = ("happy", "angry", "sad")
DECIMALS = 3
"""Probabilities are stored with three decimals, so that the batch a picture was in can't change its music."""

Mix = dict[str, float]
"""Emotion → share in [0, 1]; the shares add up to 1."""


def normalise(weights: Mapping[str, float], emotions: Sequence[str]) -> Mix:
    """Shares over `emotions`, in that order, rounded to three decimals and adding up to exactly 1.

    Weights of other emotions are dropped; missing ones count as 0. Weights are finite and not negative.

    Raises ValueError when no weight is left or one is not a finite number ≥ 0.
    """
    kept = [float(weights.get(emotion, 0.0)) for emotion in emotions]
    if any(not math.isfinite(weight) or weight < 0 for weight in kept):
        raise ValueError("weights must be finite numbers of at least 0")
    largest = max(kept, default=0.0)
    if largest <= 0:
        raise ValueError(f"at least one of {', '.join(emotions)} must have a weight above 0")
    # scaled first: the sum of huge weights would be infinite
    kept = [weight / largest for weight in kept]
    total = math.fsum(kept)
    return dict(zip(emotions, _round_to_one([weight / total for weight in kept]), strict=True))


def _round_to_one(shares: Sequence[float]) -> list[float]:
    """Largest-remainder rounding to `DECIMALS`, so that the rounded shares still add up to 1."""
    unit = 10**DECIMALS
    units = largest_remainder(shares, unit)
    return [count / unit for count in units]


def largest_remainder(shares: Sequence[float], total: int) -> list[int]:
    """Share out `total` whole units in proportion to `shares` (Hamilton's method; ties go to the earlier one).

    `shares` add up to 1 (within rounding); the counts add up to `total` exactly.
    """
    exact = [share * total for share in shares]
    # the tiny offset keeps 0.7 * 10 = 6.999… from losing its unit to floating point
    counts = [math.floor(value + 1e-9) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (-(exact[i] - counts[i]), i))
    for i in by_remainder[: max(0, total - sum(counts))]:
        counts[i] += 1
    return counts
