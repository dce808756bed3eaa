"""Counts of grades, and what follows from them. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from scenescore_api.ratings.intervals import Share, wilson
from scenescore_shared.ratings import Grade

_FAIR_OR_BETTER = (Grade.EXCELLENT, Grade.GOOD, Grade.FAIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often each grade was given: all five are there, best first."""

    counts: Mapping[Grade, int]

    @classmethod
    def of(cls, grades: Iterable[Grade]) -> Self:
        found = Counter(grades)
        return cls(counts={grade: found[grade] for grade in Grade})

    @classmethod
    def sum_of(cls, tallies: Iterable["Tally"]) -> Self:
        each = list(tallies)
        return cls(counts={grade: sum(tally.counts[grade] for tally in each) for grade in Grade})

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """In points, 5 for excellent down to 1 for bad; None of nothing."""
        points = sum(grade.points * count for grade, count in self.counts.items())
        return points / self.total if self.total else None

    @property
    def fair_or_better(self) -> Share | None:
        """With an interval that takes each grade for independent of the others: with few listeners, who each give many,
        it is too narrow.
        """
        return wilson(sum(self.counts[grade] for grade in _FAIR_OR_BETTER), self.total)
