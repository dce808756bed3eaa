"""Intervals against SciPy's, and what they do at their edges."""

import random

import pytest
from scipy import stats

from scenescore_api.ratings.intervals import FEWEST, mean_difference, wilson


@pytest.mark.parametrize(("hits", "of"), [(41, 48), (14, 16), (1, 200), (7, 9), (0, 5), (5, 5), (1, 1)])
def test_wilsons_interval(hits: int, of: int) -> None:
    found = wilson(hits, of)
    expected = stats.binomtest(hits, of).proportion_ci(method="wilson")
    assert found is not None
    assert found.share == hits / of
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_of_nothing_there_is_no_share() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize("seed", range(20))
def test_welchs_interval(seed: int) -> None:
    randomness = random.Random(seed)
    samples = [[randomness.uniform(1, 5) for _ in range(randomness.randint(FEWEST, 30))] for _ in range(2)]
    found = mean_difference(*samples)
    expected = stats.ttest_ind(*samples, equal_var=False).confidence_interval()
    assert found is not None
    assert found.difference == pytest.approx(
        sum(samples[0]) / len(samples[0]) - sum(samples[1]) / len(samples[1])
    )
    # the series for t is off by 0.004 at most, a thousandth of it
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_of_too_few_there_is_no_difference() -> None:
    assert mean_difference([1.0, 2.0, 3.0], [1.0] * 9) is None
    assert mean_difference([], []) is None


def test_samples_that_never_vary_tell_no_difference() -> None:
    assert mean_difference([3.0] * 4, [2.0] * 5) is None
    assert mean_difference([10 / 3] * 4, [10 / 3] * 5) is None


def test_where_one_sample_never_varies_the_other_alone_makes_the_doubt() -> None:
    varying = [3.0, 4.0, 3.0, 4.0]
    found = mean_difference(varying, [2.0] * 5)
    expected = stats.t.interval(0.95, len(varying) - 1, loc=1.5, scale=stats.sem(varying))
    assert found is not None
    assert found.difference == 1.5
    assert (found.low, found.high) == pytest.approx(expected, abs=0.01)
