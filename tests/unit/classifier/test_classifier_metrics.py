"""Figures against values worked out by hand."""

import math

import numpy as np
import pytest

from scenescore_classifier import metrics
from scenescore_classifier.calibration import COLDEST, HOTTEST, fit_temperature, softmax

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 2])


def test_accuracy_counts_pictures() -> None:
    assert metrics.accuracy(LABELS, PREDICTED) == pytest.approx(4 / 6)


def test_balanced_accuracy_counts_emotions() -> None:
    assert metrics.balanced_accuracy(LABELS, PREDICTED) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)


def test_balanced_accuracy_leaves_out_emotions_that_do_not_occur() -> None:
    assert metrics.balanced_accuracy(np.array([0, 0, 2]), np.array([0, 1, 2])) == pytest.approx(0.75)


def test_confusion_has_the_truth_in_rows() -> None:
    assert metrics.confusion_matrix(LABELS, PREDICTED, 3).tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_brier_score_is_the_squared_distance() -> None:
    probabilities = np.array([[0.8, 0.2], [0.4, 0.6]])
    assert metrics.brier_score(probabilities, np.array([0, 0])) == pytest.approx((0.08 + 0.72) / 2)
    assert metrics.brier_score(np.array([[0.0, 1.0]]), np.array([0])) == 2


def test_log_loss_is_in_nats_and_bounded() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert metrics.log_loss(probabilities, np.array([0, 0])) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert metrics.log_loss(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx(math.log(1e12))


def test_a_standard_error_counts_themes_not_pictures() -> None:
    values = np.random.default_rng(0).normal(size=200)
    alone = metrics.standard_error(values, [str(number) for number in range(200)])
    assert alone == pytest.approx(values.std() / math.sqrt(200))
    twice = metrics.standard_error(np.repeat(values, 2), [str(number // 2) for number in range(400)])
    assert twice == pytest.approx(alone)


def test_a_mean_within_its_standard_error_may_be_chance() -> None:
    themes = ["one", "one", "two", "two"]
    values = np.array([0.0, 0.0, 1.0, 1.0])
    error = metrics.standard_error(values, themes)
    assert metrics.within_chance(values - values.mean() + 0.99 * error, themes)
    assert not metrics.within_chance(values - values.mean() + 1.01 * error, themes)


def test_calibration_error_weighs_bins_by_their_pictures() -> None:
    probabilities = np.array([[0.75, 0.25], [0.75, 0.25], [0.95, 0.05], [1.0, 0.0]])
    labels = np.array([0, 1, 0, 0])
    expected = (abs(1 - 1.5) + abs(2 - 1.95)) / 4
    assert metrics.calibration_error(probabilities, labels) == pytest.approx(expected)


def test_bootstrap_redraws_whole_groups() -> None:
    seen: list[list[int]] = []

    def statistic(rows: metrics.Ints) -> float:
        seen.append(sorted(rows.tolist()))
        return float(len(rows))

    interval = metrics.bootstrap_interval(statistic, ["a", "a", "b"], np.random.default_rng(0), repeats=200)
    assert {tuple(rows) for rows in seen} == {(0, 0, 1, 1), (0, 1, 2), (2, 2)}
    assert interval == (2, 4)


def test_bootstrap_interval_has_the_width_theory_gives() -> None:
    values = np.random.default_rng(1).normal(size=400)
    low, high = metrics.bootstrap_interval(
        lambda rows: float(values[rows].mean()), [str(i) for i in range(400)], np.random.default_rng(2)
    )
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_softmax_of_any_logits_adds_up_to_one() -> None:
    logits = np.array([[0.0, math.log(3)], [-1e4, 1e4]])
    assert softmax(logits) == pytest.approx(np.array([[0.25, 0.75], [0, 1]]))
    assert softmax(logits, temperature=2)[0, 1] == pytest.approx(math.sqrt(3) / (1 + math.sqrt(3)))


def test_the_temperature_that_made_the_labels_is_found() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=4, size=(5000, 3))
    labels = np.array([generator.choice(3, p=row) for row in softmax(logits, temperature=2.5)])
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(2.5, rel=0.1)
    best = metrics.log_loss(softmax(logits, temperature), labels)
    assert best <= min(
        metrics.log_loss(softmax(logits, temperature * change), labels) for change in (0.99, 1.01)
    )


def test_temperatures_stay_within_their_range() -> None:
    logits, wrong, right = np.array([[3.0, 0.0]] * 4), np.ones(4, np.int64), np.zeros(4, np.int64)
    assert fit_temperature(logits, wrong) == pytest.approx(HOTTEST)
    assert COLDEST <= fit_temperature(logits, right) < 1
