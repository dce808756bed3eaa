"""Drawing clips in the proportions of a mix."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scenescore_composer.corpus.draw import draw
from scenescore_shared.emotions import ALL_EMOTIONS, largest_remainder
from scenescore_shared.errors import EmptyCorpusError

STOCK = {emotion: [f"{emotion}-{i}" for i in range(50)] for emotion in ALL_EMOTIONS}

mixes = st.fixed_dictionaries({emotion: st.integers(0, 100) for emotion in ALL_EMOTIONS}).filter(
    lambda weights: sum(weights.values()) > 0
)
stocks = st.fixed_dictionaries({emotion: st.integers(0, 30) for emotion in ALL_EMOTIONS})


def _emotions(ids: tuple[str, ...]) -> Counter[str]:
    return Counter(clip_id.split("-")[0] for clip_id in ids)


def test_counts_follow_the_probabilities() -> None:
    ids = draw({"happy": 0.7, "angry": 0.09, "sad": 0.21}, 40, 1, STOCK)
    assert _emotions(ids) == {"happy": 28, "angry": 4, "sad": 8}


@given(mixes, stocks, st.integers(1, 60), st.integers())
def test_no_clip_twice_proportions_kept_and_as_many_as_the_stock_allows(
    weights: dict[str, int], sizes: dict[str, int], n: int, seed: int
) -> None:
    available = {emotion: [f"{emotion}-{i}" for i in range(size)] for emotion, size in sizes.items()}
    total = sum(weights.values())
    wanted = sorted(emotion for emotion, weight in weights.items() if weight)
    shares = [weights[emotion] / total for emotion in wanted]

    def fits(size: int) -> bool:
        counts = largest_remainder(shares, size)
        return all(count <= sizes[emotion] for emotion, count in zip(wanted, counts, strict=True))

    possible = [size for size in range(1, n + 1) if fits(size)]
    assume(possible)
    ids = draw(weights, n, seed, available)
    assert len(set(ids)) == len(ids) == max(possible)
    assert [_emotions(ids)[emotion] for emotion in wanted] == largest_remainder(shares, len(ids))


@given(mixes, st.integers())
def test_the_order_of_what_goes_in_does_not_matter(weights: dict[str, int], seed: int) -> None:
    turned = dict(reversed(weights.items()))
    stock = {emotion: list(reversed(ids)) for emotion, ids in reversed(STOCK.items())}
    assert draw(weights, 20, seed, STOCK) == draw(turned, 20, seed, stock)


def test_another_seed_draws_others() -> None:
    assert draw({"happy": 1}, 20, 1, STOCK) != draw({"happy": 1}, 20, 2, STOCK)


def test_a_short_emotion_shrinks_the_draw() -> None:
    stock = {"happy": STOCK["happy"], "sad": STOCK["sad"][:5]}
    assert _emotions(draw({"happy": 0.5, "sad": 0.5}, 40, 1, stock)) == {"happy": 6, "sad": 5}


@pytest.mark.parametrize("mix", [{"angry": 1.0}, {"happy": 0.0}, {}])
def test_nothing_to_draw_is_an_error(mix: dict[str, float]) -> None:
    with pytest.raises(EmptyCorpusError):
        draw(mix, 40, 1, {"happy": ["happy-1"]})
