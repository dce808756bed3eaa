"""What pictures teach a head: as much as their ratings tell and their themes allow, and no more than is given."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.regression import Targets, fit_logistic
from scenescore_classifier.training.targets import RATED_WEIGHT, STRENGTH, TOLD, targets_of

EMOTIONS = ("happy", "angry", "sad")
MIDDLES = np.array([[0.6, 0.3], [-0.5, 0.5], [-0.5, -0.5]])


def rows_of(seed: int, count: int = 60) -> Rows:
    """Emotions follow valence and arousal; every third picture has none, the last two no ratings either."""
    generator = np.random.default_rng(seed)
    truth = np.arange(count) // 3 % 3
    labels = np.where(np.arange(count) % 3 == 0, -1, truth)
    labels[-2:] = (-1, 0)
    affect = MIDDLES[truth] + generator.normal(size=(count, 2)) * 0.2
    affect[-2:] = np.nan
    prepared = torch.from_numpy(generator.normal(size=(count, 4))).float()
    return Rows(prepared, labels.astype(np.int64), [str(number) for number in range(count)], EMOTIONS, affect)


def test_ratings_give_the_shares_that_logistic_regression_on_them_gives() -> None:
    rows = rows_of(0)
    assert rows.affect is not None
    both = rows.labelled[rows.labelled < 58]
    mean, spread = rows.affect[both].mean(axis=0), rows.affect[both].std(axis=0)
    reference = LogisticRegression(C=STRENGTH, class_weight="balanced", tol=1e-10, max_iter=10_000)
    reference.fit((rows.affect[both] - mean) / spread, rows.labels[both])
    targets, alone = targets_of(rows), np.flatnonzero(rows.labels[:58] < 0)
    expected, of_named = (
        reference.predict_proba((rows.affect[some] - mean) / spread) for some in (alone, both)
    )
    np.testing.assert_allclose(targets.shares[alone], expected, atol=1e-4)
    np.testing.assert_allclose(
        targets.shares[both], (1 - TOLD) * np.eye(3)[rows.labels[both]] + TOLD * of_named, atol=1e-4
    )
    assert targets.weights[alone].tolist() == [RATED_WEIGHT] * len(alone)
    assert len(alone) == 20


def test_a_named_emotion_without_ratings_stays_as_it_is_and_an_unknown_picture_teaches_nothing() -> None:
    rows = rows_of(1)
    targets, named = targets_of(rows), Targets.of_labels(rows.labels, 3)
    assert targets.shares[-1].tolist() == [1, 0, 0]
    np.testing.assert_allclose(targets.shares[rows.labelled].sum(axis=1), 1)
    np.testing.assert_array_equal(targets.weights[rows.labelled], named.weights[rows.labelled])
    np.testing.assert_allclose(named.weights[rows.labelled].mean(), 1)
    assert targets.weights[-2] == 0


def test_without_ratings_or_with_an_emotion_that_nobody_rated_only_names_teach() -> None:
    rows = rows_of(2)
    assert rows.affect is not None
    unrated = rows.affect.copy()
    unrated[rows.labels == 2] = np.nan
    for affect in (None, unrated):
        targets = targets_of(replace(rows, affect=affect))
        np.testing.assert_array_equal(targets.weights > 0, rows.labels >= 0)


def test_pictures_of_one_theme_count_as_the_root_of_their_number_and_emotions_alike() -> None:
    rows = rows_of(3)
    themes = ["crowd" if row < 12 else str(row) for row in range(60)]
    targets, apart = targets_of(replace(rows, themes=themes)), targets_of(rows)
    (crowded,) = set(targets.weights[:12][rows.labels[:12] == 0].round(9))
    lone = targets.weights[12:][rows.labels[12:] == 0][0]
    assert crowded * np.sqrt(12) == pytest.approx(lone)
    for kind in (0, 1, 2, -1):
        here = rows.labels == kind
        assert targets.weights[here].sum() == pytest.approx(apart.weights[here].sum())
    assert targets.weights[-2] == 0


def test_pictures_that_teach_nothing_crowd_no_theme() -> None:
    labels = np.array([0, 0, 1, *[-1] * 16], dtype=np.int64)
    themes = ["a", "b", "c", *["a"] * 16]
    rows = Rows(torch.zeros(19, 4), labels, themes, EMOTIONS[:2], None)
    np.testing.assert_allclose(targets_of(rows).weights[:3], Targets.of_labels(labels, 2).weights[:3])


def test_a_head_learns_from_shares_what_it_learns_from_so_many_pictures() -> None:
    inputs = np.array([[0.0, 1], [0, 1], [0, 1], [0, 1], [1, 0], [2, 2]])
    labels = np.array([0, 0, 0, 1, 1, 0])
    apart = Targets(np.eye(2)[labels], np.ones(6))
    together = Targets(
        np.array([[0.75, 0.25]] * 4 + [[0.0, 1], [1, 0]]),
        np.ones(6),
    )
    (one,), (other,) = (fit_logistic(inputs, targets, [1.0]) for targets in (apart, together))
    np.testing.assert_allclose(one.weight, other.weight, atol=1e-4)
    np.testing.assert_allclose(one.bias, other.bias, atol=1e-4)
