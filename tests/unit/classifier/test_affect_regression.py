"""Valence and arousal by ridge regression: scikit-learn's solution, folds that see nothing of what they judge."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import correlation
from scenescore_classifier.training.affect import Rated, affect_figures, fit_ridge, held_out, weights_of

NOBODY = -1


def rated(count: int = 60, *, seed: int = 0) -> Rated:
    """Ratings that follow the first two of fifteen numbers; two neighbours share a theme; one number is constant."""
    generator = np.random.default_rng(seed)
    embeddings = generator.normal(size=(count, 15)) * np.linspace(1, 9, 15)
    embeddings[:, -1] = 5
    ratings = embeddings[:, 0] + embeddings[:, 1] / 2 + generator.normal(size=count) / 2
    return Rated(embeddings, ratings, generator.uniform(0.5, 1.5, count), [str(n // 2) for n in range(count)])


def folds_of(rows: Rated) -> np.ndarray:
    labels = np.full(len(rows.ratings), NOBODY)
    return split_by_theme(labels, rows.themes, 5, np.random.default_rng(0))


@pytest.mark.parametrize("count", [10, 60])
def test_the_solution_is_scikit_learn_s(count: int) -> None:
    rows, asked = rated(count), rated(7, seed=1).embeddings
    weights = rows.weights / rows.weights.sum()
    mean = weights @ rows.embeddings
    scale = np.sqrt(weights @ (rows.embeddings - mean) ** 2)
    scale[-1] = 1
    for penalty, predicted in zip((1.0, 100.0), fit_ridge(rows, asked, (1.0, 100.0)), strict=True):
        reference = Ridge(alpha=penalty)
        reference.fit((rows.embeddings - mean) / scale, rows.ratings, sample_weight=rows.weights)
        np.testing.assert_allclose(predicted, reference.predict((asked - mean) / scale), rtol=1e-6, atol=1e-8)


def test_raters_who_agree_weigh_more() -> None:
    found = weights_of(np.array([1.0, 2.0, float("nan"), 0.0]))
    assert found[0] / found[1] == pytest.approx(4)
    assert found[2] == found[3]
    assert found[1] < found[2] < found[0]
    assert found.mean() == pytest.approx(1)
    assert weights_of(np.full(3, float("nan"))).tolist() == [1, 1, 1]


def test_a_fold_s_own_ratings_serve_nothing_in_it() -> None:
    rows = rated()
    fold_of = folds_of(rows)
    before, chosen = held_out(rows, fold_of, 0)
    changed = np.where(fold_of == 2, -rows.ratings, rows.ratings)
    after, _ = held_out(Rated(rows.embeddings, changed, rows.weights, rows.themes), fold_of, 0)
    np.testing.assert_array_equal(before[fold_of == 2], after[fold_of == 2])
    assert not np.array_equal(before[fold_of != 2], after[fold_of != 2])
    assert len(chosen) == 5
    assert correlation(before, rows.ratings) > 0.8


def test_figures_of_what_was_rated_only() -> None:
    rows = rated(80)
    values = np.stack([rows.ratings, np.random.default_rng(1).normal(size=80)], axis=1)
    values[3, 1] = float("nan")
    ratings = (values, np.full((80, 2), 0.5))
    split = (0, folds_of(rows))
    found = affect_figures(rows.embeddings, ratings, rows.themes, [split, split], seed=0)
    assert found is not None
    assert found["pictures"] == 79
    assert found["valence"]["value"] > 0.6
    assert found["arousal"]["value"] < 0.4
    assert found["valence"]["spread"] == 0
    low, high = found["valence"]["interval_95"]
    assert low < found["valence"]["value"] < high
    assert [len(chosen) for chosen in found["valence"]["penalty_chosen"]] == [5, 5]
    few = (np.where(np.arange(80)[:, None] < 10, values, float("nan")), ratings[1])
    assert affect_figures(rows.embeddings, few, rows.themes, [split], seed=0) is None


def test_nothing_correlates_with_what_never_changes() -> None:
    assert correlation(np.ones(4), np.arange(4.0)) == 0
    assert correlation(np.arange(4.0), 3 - np.arange(4.0)) == pytest.approx(-1)
