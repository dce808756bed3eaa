"""Krippendorff's alpha: how far listeners agree beyond chance. Pure.

K. Krippendorff, Computing Krippendorff's Alpha-Reliability, University of Pennsylvania 2011; Content Analysis, 4th
edition, Sage 2019, chapter 12. 1 is full agreement, 0 what chance gives, below 0 is systematic disagreement.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

Difference = Callable[[int, int, Mapping[int, float]], float]
"""The squared difference of two values, given how often each value occurs in pairs."""


def ordinal(first: int, second: int, totals: Mapping[int, float]) -> float:
    """Of ranks without known distances: how many values lie between the two, their own counted half (2011, 7.D)."""
    low, high = sorted((first, second))
    between = sum(total for value, total in totals.items() if low <= value <= high)
    return (between - (totals[low] + totals[high]) / 2) ** 2


def alpha(units: Sequence[Sequence[int]], difference: Difference = ordinal) -> float | None:
    """Alpha of what the coders said of each unit, whoever of them did: units of fewer than two values pair nothing and
    count nothing. None where nothing can be told: no pairs, or always the same value.
    """
    coincidences = _coincidences(units)
    totals: dict[int, float] = {}
    for (value, _), weight in coincidences.items():
        totals[value] = totals.get(value, 0) + weight
    everything = sum(totals.values())
    expected = sum(
        totals[first] * totals[second] * difference(first, second, totals)
        for first, second in permutations(totals, 2)
    )
    if not expected:
        return None
    observed = sum(
        weight * difference(first, second, totals)
        for (first, second), weight in coincidences.items()
        if first != second
    )
    return 1 - (everything - 1) * observed / expected


def _coincidences(units: Sequence[Sequence[int]]) -> Mapping[tuple[int, int], float]:
    """How often each ordered pair of values meets within a unit of m values, each time by 1/(m - 1), so that every
    value weighs 1 however many were given of its unit.
    """
    found: dict[tuple[int, int], float] = {}
    for values in units:
        counts = Counter(values)
        for first, times in counts.items():
            for second, others in counts.items():
                pairs = times * (others - (first == second))
                if pairs:
                    found[first, second] = found.get((first, second), 0) + pairs / (len(values) - 1)
    return found
