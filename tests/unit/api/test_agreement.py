"""Krippendorff's alpha against published values and against the package `krippendorff`."""

import random
from collections.abc import Mapping, Sequence

import krippendorff
import pytest

from scenescore_api.ratings.agreement import Difference, alpha, ordinal

EXAMPLE = (
    "*    *    *    *    *    3    4    1    2    1    1    3    3    *    3",
    "1    *    2    1    3    3    4    3    *    *    *    *    *    *    *",
    "*    *    2    1    3    4    4    *    2    1    1    3    3    *    4",
)
"""Of the package's sample.py, a line for each coder."""
FOUR_OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 * * *",
    "1 2 3 3 2 2 4 1 2 5 * 3",
    "* 3 3 3 2 3 4 2 2 5 1 *",
    "1 2 3 3 2 4 4 1 2 5 1 *",
)
"""Krippendorff's own reliability data (2011, section C), which the package's tests have too."""


def nominal(first: int, second: int, _: Mapping[int, float]) -> float:
    return float(first != second)


def interval(first: int, second: int, _: Mapping[int, float]) -> float:
    return float((first - second) ** 2)


def units_of(coders: Sequence[str]) -> list[list[int]]:
    return [
        [int(value) for value in unit if value != "*"] for unit in zip(*map(str.split, coders), strict=True)
    ]


@pytest.mark.parametrize(
    ("coders", "difference", "published"),
    [
        (EXAMPLE, nominal, 0.691358),
        (EXAMPLE, interval, 0.810845),
        (FOUR_OBSERVERS, ordinal, 0.815),
        (FOUR_OBSERVERS, nominal, 0.743),
        (FOUR_OBSERVERS, interval, 0.849),
    ],
)
def test_published_values(coders: Sequence[str], difference: Difference, published: float) -> None:
    places = len(str(published)) - 2
    assert round(alpha(units_of(coders), difference) or 0, places) == published


@pytest.mark.parametrize("seed", range(30))
def test_as_the_package_computes_it(seed: int) -> None:
    randomness = random.Random(seed)
    coders, units = randomness.randint(2, 9), randomness.randint(4, 40)
    truth = [randomness.randint(1, 5) for _ in range(units)]
    missing = float("nan")
    data = [
        [
            missing
            if randomness.random() < 0.2
            else min(5, max(1, value + randomness.choice((-1, 0, 0, 1, 2))))
            for value in truth
        ]
        for _ in range(coders)
    ]
    found = alpha(
        [[int(value) for value in unit if value is not missing] for unit in zip(*data, strict=True)]
    )
    assert found == pytest.approx(krippendorff.alpha(data, level_of_measurement="ordinal"), abs=1e-12)


def test_full_agreement_is_one_and_the_order_of_grades_counts() -> None:
    assert alpha([[1, 1], [3, 3], [5, 5]]) == 1
    near, far = alpha([[1, 2], [3, 3], [5, 5], [2, 2]]), alpha([[1, 5], [3, 3], [2, 2], [2, 2]])
    assert near is not None
    assert far is not None
    assert near > far


@pytest.mark.parametrize("units", [[], [[3]], [[1], [2], []], [[4, 4], [4, 4]]])
def test_where_nothing_can_be_told(units: list[list[int]]) -> None:
    assert alpha(units) is None
