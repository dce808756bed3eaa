"""Intervals of 95 % around what a sample says. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

_Z = NormalDist().inv_cdf(0.975)
FEWEST = 4
"""Values of each sample for a difference of means: with fewer the series of `_t` is off by a hundredth or more, and the
interval would say next to nothing anyway.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share in [0, 1] and its interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    """How far the first mean lies above the second, in points, and its interval."""

    difference: float
    low: float
    high: float


def wilson(hits: int, of: int) -> Share | None:
    """The share of hits with E. B. Wilson's score interval (JASA 22, 1927), which holds for few and for extreme shares.
    None of nothing.
    """
    if not of:
        return None
    share = hits / of
    centre = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach = _Z / (1 + _Z**2 / of) * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    # at the ends the formula gives them but for rounding
    low = 0.0 if hits == 0 else centre - reach
    return Share(share=share, low=low, high=1.0 if hits == of else centre + reach)


def mean_difference(first: Sequence[float], second: Sequence[float]) -> MeanDifference | None:
    """The difference of the means of two independent samples with B. L. Welch's interval (Biometrika 34, 1947), which
    does not take their variances for equal. None where a sample has fewer than `FEWEST` values, and where neither
    sample's values differ: how far another sample would lie off can't be told from those.
    """
    if min(len(first), len(second)) < FEWEST:
        return None
    difference = fmean(first) - fmean(second)
    errors = [variance(sample) / len(sample) for sample in (first, second)]
    if not sum(errors):
        return None
    freedom = sum(errors) ** 2 / sum(
        error**2 / (len(sample) - 1) for error, sample in zip(errors, (first, second), strict=True)
    )
    reach = _t(freedom) * math.sqrt(sum(errors))
    return MeanDifference(difference=difference, low=difference - reach, high=difference + reach)


def _t(freedom: float) -> float:
    """Student's t at 97.5 % for 3 degrees of freedom or more, within 0.004 (M. Abramowitz and I. Stegun, Handbook of
    Mathematical Functions, 1964, 26.7.5).
    """
    x = _Z
    series = (
        x,
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(series))
