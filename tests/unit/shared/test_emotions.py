import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenescore_shared.emotions import ALL_EMOTIONS, DEFAULT_EMOTIONS, largest_remainder, normalise


def test_the_largest_weights_make_a_mix() -> None:
    assert normalise({"happy": 1e308, "sad": 1e308}, DEFAULT_EMOTIONS)["sad"] == 0.5


def test_shares_keep_the_order_in_use_and_add_up() -> None:
    assert normalise({"sad": 3, "happy": 1, "calm": 9}, DEFAULT_EMOTIONS) == {
        "happy": 0.25,
        "angry": 0.0,
        "sad": 0.75,
    }


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=9).filter(lambda weights: sum(weights) > 1e-6),
)
def test_rounded_shares_add_up_to_exactly_one(weights: list[float]) -> None:
    names = [f"e{number}" for number in range(len(weights))]
    mix = normalise(dict(zip(names, weights, strict=True)), names)
    assert round(math.fsum(mix.values()), 9) == 1
    total = math.fsum(weights)
    assert all(abs(mix[n] - w / total) < 0.001 + 1e-9 for n, w in zip(names, weights, strict=True))
    assert normalise(mix, names) == mix


@pytest.mark.parametrize(
    "weights", [{}, {"happy": 0.0}, {"happy": -1, "sad": 2}, {"happy": math.nan}, {"happy": math.inf}]
)
def test_what_is_no_mix_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        normalise(weights, ALL_EMOTIONS)


@pytest.mark.parametrize(
    ("shares", "total", "counts"),
    [
        ([0.7, 0.3], 10, [7, 3]),
        ([0.5, 0.5], 5, [3, 2]),
        ([0.34, 0.33, 0.33], 100, [34, 33, 33]),
        ([1.0, 0.0], 3, [3, 0]),
        ([0.2, 0.8], 0, [0, 0]),
    ],
)
def test_largest_remainder(shares: list[float], total: int, counts: list[int]) -> None:
    assert largest_remainder(shares, total) == counts
