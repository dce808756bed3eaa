"""The head on frozen embeddings: scikit-learn's optimum, chosen without a look outside the training rows."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from samples.embeddings import GivenEmbeddings
from sklearn.linear_model import LogisticRegression

from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import log_losses, standard_error
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.logistic import INNER_FOLDS, LogisticLearner
from scenescore_classifier.training.regression import CHEAP, Targets, fit_logistic

DIMENSIONS = 12
EMOTIONS = ("happy", "angry", "sad")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Such small sums only lose time by being shared out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def rows_of(seed: int, *, signal: float, count: int = 36) -> Rows:
    """Unequal numbers of three emotions; the first dimensions tell them apart by `signal` spreads; one is constant."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, count, p=[0.6, 0.3, 0.1])
    labels[:3] = [0, 1, 2]
    values = generator.normal(size=(count, DIMENSIONS)) * np.linspace(0.1, 20, DIMENSIONS) + 5
    values[np.arange(count), labels] += signal * np.linspace(0.1, 20, DIMENSIONS)[labels]
    values[:, -1] = 7
    themes = [f"theme {number % 12}" for number in range(count)]
    return Rows(torch.from_numpy(values).float(), labels.astype(np.int64), themes, EMOTIONS)


@pytest.mark.parametrize("count", [9, 40])
def test_the_optimum_is_scikit_learn_s(count: int) -> None:
    rows = rows_of(0, signal=1, count=count)
    embeddings = rows.prepared.numpy().astype(np.float64)
    for strength, fitted in zip(
        (1e-3, 1.0), fit_logistic(embeddings, Targets.of_labels(rows.labels, 3), (1e-3, 1.0)), strict=True
    ):
        reference = LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=10_000)
        reference.fit((embeddings - fitted.mean) / fitted.scale, rows.labels)
        np.testing.assert_allclose(fitted.weight, reference.coef_, atol=2e-5)
        shares = reference.predict_proba((embeddings - fitted.mean) / fitted.scale)
        own = torch.from_numpy(fitted.logits(embeddings)).softmax(dim=1).numpy()
        np.testing.assert_allclose(own, shares, atol=1e-4)


@pytest.mark.parametrize("count", [9, 40])
def test_weights_are_cheap_in_directions_that_are_known_to_matter(count: int) -> None:
    rows = rows_of(5, signal=0.5, count=count)
    embeddings, directions = rows.prepared.numpy().astype(np.float64), np.zeros((DIMENSIONS, 2))
    directions[0], directions[1:4, 1] = [2, 1], [1, -2, 0.5]
    (fitted,) = fit_logistic(embeddings, Targets.of_labels(rows.labels, 3), (0.01,), directions)
    standardised = (embeddings - fitted.mean) / fitted.scale
    shown = embeddings @ directions
    twice = np.hstack([standardised, np.sqrt(CHEAP) * (shown - shown.mean(axis=0)) / shown.std(axis=0)])
    reference = LogisticRegression(C=0.01, class_weight="balanced", tol=1e-10, max_iter=10_000)
    shares = reference.fit(twice, rows.labels).predict_proba(twice)
    np.testing.assert_allclose(softmax(fitted.logits(embeddings)), shares, atol=1e-4)
    (without,) = fit_logistic(embeddings, Targets.of_labels(rows.labels, 3), (0.01,))
    assert np.abs(softmax(without.logits(embeddings)) - shares).max() > 0.05


def test_a_direction_in_which_nothing_differs_changes_nothing() -> None:
    rows = rows_of(6, signal=1)
    embeddings, targets = rows.prepared.numpy().astype(np.float64), Targets.of_labels(rows.labels, 3)
    constant = np.zeros((DIMENSIONS, 1))
    constant[-1] = 1
    (plain,), (same,) = (
        fit_logistic(embeddings, targets, (0.1,)),
        fit_logistic(embeddings, targets, (0.1,), constant),
    )
    np.testing.assert_allclose(same.logits(embeddings), plain.logits(embeddings), atol=1e-6)


def test_the_head_gives_the_fitted_logits() -> None:
    rows = rows_of(1, signal=2)
    predictor = LogisticLearner(GivenEmbeddings(DIMENSIONS), strengths=(0.1,)).fit(rows, 0, title="test")
    targets = Targets.of_labels(rows.labels, 3)
    (fitted,) = fit_logistic(rows.prepared.numpy().astype(np.float64), targets, [0.1])
    np.testing.assert_allclose(
        predictor.logits(rows.prepared), fitted.logits(rows.prepared.numpy()), atol=1e-4
    )
    assert predictor.chosen == {"strength": 0.1}


@pytest.mark.parametrize(
    ("seed", "chosen"),
    [
        pytest.param(2, 1.0, id="the best"),
        pytest.param(4, 1e-2, id="as good as the best"),
        pytest.param(39, 1e-2, id="as good, as pictures of a theme resemble each other"),
    ],
)
def test_the_strength_is_chosen_by_folds_inside_the_rows(seed: int, chosen: float) -> None:
    rows, strengths, losses = rows_of(seed, signal=1), (1e-4, 1e-2, 1.0), []
    fold_of = split_by_theme(rows.labels, rows.themes, INNER_FOLDS, np.random.default_rng(7))
    for strength in strengths:
        logits = np.zeros((len(rows.labels), 3))
        for fold in range(INNER_FOLDS):
            learnt, judged = rows.part(np.flatnonzero(fold_of != fold)), np.flatnonzero(fold_of == fold)
            predictor = LogisticLearner(GivenEmbeddings(DIMENSIONS), (strength,)).fit(learnt, 0, title="test")
            logits[judged] = predictor.logits(rows.prepared[judged])
        losses.append(log_losses(softmax(logits, fit_temperature(logits, rows.labels)), rows.labels))
    least, middle, best = losses
    assert best.mean() < middle.mean() < least.mean()
    within_chance = bool((middle - best).mean() <= standard_error(middle - best, rows.themes))
    assert within_chance is (chosen == 1e-2)
    assert (least - best).mean() > standard_error(least - best, rows.themes)
    found = LogisticLearner(GivenEmbeddings(DIMENSIONS), strengths).fit(rows, 7, title="test").chosen
    assert found == {"strength": chosen}
    if seed == 39:
        alone = [str(row) for row in range(len(rows.labels))]
        assert (middle - best).mean() > standard_error(middle - best, alone)


def test_directions_serve_the_head_and_the_choice_of_its_strength() -> None:
    rows, strengths = rows_of(8, signal=1.5, count=48), (1e-3, 1e-1, 1.0)
    values = np.zeros((DIMENSIONS, 3))
    values[[0, 1, 2], [0, 1, 2]] = 1  # where the emotions lie
    knowing = LogisticLearner(GivenEmbeddings(DIMENSIONS), strengths, Directions(values, {}))
    plain = LogisticLearner(GivenEmbeddings(DIMENSIONS), strengths)
    strength = knowing.fit(rows, 0, title="test").chosen["strength"]
    assert strength < plain.fit(rows, 0, title="test").chosen["strength"]
    (fitted,) = fit_logistic(
        rows.prepared.double().numpy(), Targets.of_labels(rows.labels, 3), [strength], values
    )
    found = knowing.fit(rows, 0, title="test").logits(rows.prepared)
    np.testing.assert_allclose(found, fitted.logits(rows.prepared.double().numpy()), atol=1e-3)


def test_one_theme_leaves_nothing_to_choose_by() -> None:
    rows = rows_of(4, signal=1)
    alone = Rows(rows.prepared, rows.labels, ["one"] * len(rows.labels), EMOTIONS)
    assert LogisticLearner(GivenEmbeddings(DIMENSIONS), (0.5, 1.0)).fit(alone, 0, title="test").chosen == {
        "strength": 0.5
    }
