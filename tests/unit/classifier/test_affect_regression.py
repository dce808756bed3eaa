"""Valence and arousal by ridge regression: scikit-learn's solution, folds that see nothing of what they judge."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import correlation
from scenescore_classifier.training import affect
from scenescore_classifier.training.affect import (
    TOLD_PENALTY,
    Rated,
    Seen,
    affect_figures,
    fit_ridge,
    held_out,
    weights_of,
)
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.regression import CHEAP
from scenescore_classifier.training.told import Photographs

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


def test_slopes_are_cheap_in_directions_that_are_known_to_matter() -> None:
    rows, asked, directions = rated(), rated(7, seed=1).embeddings, np.zeros((15, 1))
    directions[:2, 0] = [1, 0.5]
    weights = rows.weights / rows.weights.sum()
    mean = weights @ rows.embeddings
    scale = np.sqrt(weights @ (rows.embeddings - mean) ** 2)
    scale[-1] = 1
    spread = (rows.embeddings @ directions).std(axis=0)
    many, few = (
        np.hstack([(seen - mean) / scale, np.sqrt(CHEAP) * (seen - mean) @ directions / spread])
        for seen in (rows.embeddings, asked)
    )
    reference = Ridge(alpha=100.0).fit(many, rows.ratings, sample_weight=rows.weights).predict(few)
    ((predicted,), (plain,)) = (
        fit_ridge(replace(rows, directions=known), asked, (100.0,))
        for known in (Directions(directions, {}), None)
    )
    np.testing.assert_allclose(predicted, reference, rtol=1e-6)
    assert np.abs(plain - reference).max() > 0.1


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
    found = affect_figures(Seen(rows.embeddings), ratings, rows.themes, [split, split], seed=0)
    assert found is not None
    assert found["pictures"] == 79
    assert found["valence"]["value"] > 0.6
    assert found["arousal"]["value"] < 0.4
    assert found["valence"]["spread"] == 0
    low, high = found["valence"]["interval_95"]
    assert low < found["valence"]["value"] < high
    assert [len(chosen) for chosen in found["valence"]["penalty_chosen"]] == [5, 5]
    few = (np.where(np.arange(80)[:, None] < 10, values, float("nan")), ratings[1])
    assert affect_figures(Seen(rows.embeddings), few, rows.themes, [split], seed=0) is None


def test_figures_are_of_the_directions_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affect, "PENALTIES", (300.0,))
    rows, photographs, strong = told_ratings()
    ratings, splits = (
        (np.stack([rows.ratings, rows.ratings], axis=1), np.full((60, 2), 0.5)),
        [(0, folds_of(rows))],
    )
    own, of_teller = np.zeros((80, 1)), np.zeros((3, 1))
    own[5], of_teller[0] = 1, 1
    for known, telling_known in ((Directions(own, {}), None), (None, Directions(of_teller, {}))):
        seen = Seen(rows.embeddings, known), (photographs, Seen(strong, telling_known))
        found = affect_figures(seen[0], ratings, rows.themes, splits, seed=0, telling=seen[1])
        teller = replace(rows, embeddings=strong, directions=telling_known, of_teller=None)
        given = replace(rows, directions=known, of_teller=teller)
        predicted, _ = held_out(given, splits[0][1], 0, photographs)
        without, _ = held_out(rows, splits[0][1], 0, photographs)
        assert found is not None
        assert found["valence"]["value"] == pytest.approx(correlation(predicted, rows.ratings), abs=1e-4)
        if telling_known is not None:
            assert np.abs(predicted - without).max() > 0.01


def told_ratings() -> tuple[Rated, Photographs, np.ndarray]:
    """Ratings that a teller sees well, and a weak embedding only faintly; photographs as both see them."""
    generator = np.random.default_rng(5)
    strong = generator.normal(size=(2060, 3))
    weak = strong @ np.random.default_rng(0).normal(size=(3, 80)) + 8 * generator.normal(size=(2060, 80))
    photographs = Photographs(
        torch.from_numpy(weak[60:]).float(), torch.from_numpy(strong[60:]).float(), "painted"
    )
    ratings = strong[:60, 0] + generator.normal(size=60) / 2
    themes = [str(n // 2) for n in range(60)]
    of_teller = Rated(strong[:60], ratings, np.ones(60), themes)
    return replace(of_teller, embeddings=weak[:60], of_teller=of_teller), photographs, strong[:60]


def test_a_teller_tells_ratings_too_and_only_of_other_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affect, "PENALTIES", (1.0, 10.0, 300.0))  # for fewer numbers than embeddings have
    rows, photographs, strong = told_ratings()
    fold_of = folds_of(rows)
    alone, _ = held_out(rows, fold_of, 0)
    told, chosen = held_out(rows, fold_of, 0, photographs)
    assert correlation(told, rows.ratings) > correlation(alone, rows.ratings) + 0.1
    assert all(way.told for way in chosen)
    blind = np.random.default_rng(6).normal(size=(2060, 3))
    knows_nothing = Photographs(photographs.of_teller, torch.from_numpy(blind[60:]).float(), "painted")
    sees = replace(rows, embeddings=strong, of_teller=replace(rows, embeddings=blind[:60]))
    same, ways = held_out(sees, fold_of, 0, knows_nothing)
    assert not any(way.told for way in ways)
    np.testing.assert_array_equal(same, held_out(sees, fold_of, 0)[0])
    with monkeypatch.context() as patch:
        patch.setattr(affect, "within_chance", lambda *_: True)
        _, ways = held_out(sees, fold_of, 0, knows_nothing)
    assert all(way.told for way in ways)
    changed = np.where(fold_of == 2, -rows.ratings, rows.ratings)
    of_teller = replace(rows, embeddings=strong, ratings=changed)
    after, _ = held_out(replace(rows, ratings=changed, of_teller=of_teller), fold_of, 0, photographs)
    np.testing.assert_array_equal(told[fold_of == 2], after[fold_of == 2])
    ratings = (np.stack([rows.ratings, rows.ratings], axis=1), np.full((60, 2), 0.5))
    splits = [(0, fold_of)]
    found = affect_figures(
        Seen(rows.embeddings), ratings, rows.themes, splits, seed=0, telling=(photographs, Seen(strong))
    )
    assert found is not None
    assert found["told_with_penalty"] == TOLD_PENALTY
    assert found["valence"]["value"] == pytest.approx(correlation(told, rows.ratings), abs=1e-4)
    with pytest.raises(ValueError, match="no teller"):
        held_out(replace(rows, of_teller=None), fold_of, 0, photographs)


def test_nothing_correlates_with_what_never_changes() -> None:
    assert correlation(np.ones(4), np.arange(4.0)) == 0
    assert correlation(np.arange(4.0), 3 - np.arange(4.0)) == pytest.approx(-1)
