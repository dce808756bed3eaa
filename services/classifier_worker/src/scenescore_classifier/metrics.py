"""Figures of a classifier: pure functions on NumPy arrays.

`probabilities` are float (n, k), each row adding up to 1; `labels` and `predicted` are int (n,) in 0 … k - 1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_PROBABILITY = 1e-12
"""Log loss counts smaller probabilities as this one, so that one sure mistake is not infinite."""


def accuracy(labels: Ints, predicted: Ints) -> float:
    """Share of pictures whose likeliest emotion is the labelled one, in [0, 1]."""
    return float(np.mean(labels == predicted))


def balanced_accuracy(labels: Ints, predicted: Ints) -> float:
    """Mean over the emotions that occur of the share found: guessing gets one over their number."""
    return float(np.mean([np.mean(predicted[labels == label] == label) for label in np.unique(labels)]))


def confusion_matrix(labels: Ints, predicted: Ints, classes: int) -> Ints:
    """Counts (classes, classes): row the labelled emotion, column the one given."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def brier_score(probabilities: Floats, labels: Ints) -> float:
    """Mean squared distance to the one-hot truth, summed over emotions (Brier 1950): 0 perfect, 2 worst."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)))


def log_loss(probabilities: Floats, labels: Ints) -> float:
    """Mean of `log_losses`: 0 perfect, ln k for even guessing."""
    return float(np.mean(log_losses(probabilities, labels)))


def log_losses(probabilities: Floats, labels: Ints) -> Floats:
    """-ln of the probability given to the truth of each picture, in nats: (n,)."""
    given = probabilities[np.arange(len(labels)), labels]
    losses: Floats = -np.log(np.maximum(given, LEAST_PROBABILITY))
    return losses


def standard_error(values: Floats, themes: Sequence[str]) -> float:
    """Of the mean of values (n,), those of a theme counted together, as they resemble each other (Liang and Zeger
    1986).
    """
    of_theme: dict[str, float] = {}
    for theme, deviation in zip(themes, values - values.mean(), strict=True):
        of_theme[theme] = of_theme.get(theme, 0.0) + float(deviation)
    return math.hypot(*of_theme.values()) / len(values)


def within_chance(worse: Floats, themes: Sequence[str]) -> bool:
    """Whether losses that are larger by `worse` (n,) may be so by chance: by no more than a standard error on average.

    The one-standard-error rule (Breiman et al. 1984, 3.4.3), of the difference.
    """
    return bool(worse.mean() <= standard_error(worse, themes))


def correlation(first: Floats, second: Floats) -> float:
    """Pearson's, of two (n,), in [-1, 1]; 0 where one of them is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def calibration_error(probabilities: Floats, labels: Ints, bins: int = 10) -> float:
    """Expected calibration error in [0, 1], in equal bins of the likeliest's probability (Guo et al. 2017).

    Biased upwards on few pictures: some 200 give .055 on average even for perfect probabilities.
    """
    diagram = reliability(probabilities, labels, bins)
    # a bin without pictures has no mean, and no weight either
    gaps = np.nan_to_num(np.abs(diagram.accuracy - diagram.confidence))
    return float(np.sum(gaps * diagram.counts) / len(labels))


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram (DeGroot and Fienberg 1983) in b equal bins of the likeliest emotion's probability."""

    counts: Ints
    """Pictures in each bin, int (b,)."""
    confidence: Floats
    """Mean of the likeliest's probability, float (b,) in [0, 1]; NaN where a bin has no pictures."""
    accuracy: Floats
    """Share of pictures whose likeliest emotion is the labelled one, float (b,) in [0, 1]; NaN likewise."""


def reliability(probabilities: Floats, labels: Ints, bins: int = 10) -> Reliability:
    """How often the likeliest emotion is right, by how likely it was said to be."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    full = np.where(counts > 0, counts, np.nan)
    return Reliability(
        counts=counts,
        confidence=np.bincount(bin_of, weights=confidence, minlength=bins) / full,
        accuracy=np.bincount(bin_of, weights=right, minlength=bins) / full,
    )


def bootstrap_interval(
    statistic: Callable[[Ints], float],
    groups: Sequence[str],
    generator: np.random.Generator,
    *,
    repeats: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval (low, high) of `statistic`, whole groups redrawn with replacement (Efron 1979).

    `groups` names the group of each of the n pictures. Pictures of one theme resemble each other, so
    redrawing single pictures would promise too much. `statistic` gets redrawn indices: int (m,), m near n.
    """
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(group_of == g) for g in range(len(names))]
    values = []
    for _ in range(repeats):
        drawn = generator.integers(len(members), size=len(members))
        values.append(statistic(np.concatenate([members[g] for g in drawn])))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
