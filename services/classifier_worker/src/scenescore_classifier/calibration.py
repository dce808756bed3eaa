"""Temperature scaling (Guo et al., "On calibration of modern neural networks", 2017)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scenescore_classifier.metrics import Floats, Ints, bootstrap_interval, brier_score, log_loss

COLDEST, HOTTEST = 0.1, 100.0
"""Temperatures tried. At 100 all emotions are near equally likely: what knows nothing lands there."""

STEPS = 60
"""Each step narrows the range to 0.618 of itself: 60 reach double precision."""


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Logits (n, k) → probabilities (n, k); a higher temperature moves them towards equal shares."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(logits: Floats, labels: Ints) -> float:
    """The temperature in [COLDEST, HOTTEST] with the least log loss; `logits` (n, k) are of pictures not
    trained on, `labels` int (n,).

    Log loss is convex in one over the temperature, so it has one minimum, which golden-section search finds.
    """
    ratio = (math.sqrt(5) - 1) / 2
    low, high = math.log(COLDEST), math.log(HOTTEST)
    for _ in range(STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(logits, labels, left) < _loss(logits, labels, right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


@dataclass(frozen=True)
class Gain:
    """A score before and after calibration, and the 95 % interval of what it fell by (before - after)."""

    before: float
    after: float
    fall_95: tuple[float, float]


def gains(
    before: Sequence[Floats],
    after: Sequence[Floats],
    labels: Ints,
    themes: Sequence[str],
    *,
    seed: int,
    repeats: int = 2000,
) -> dict[str, Gain]:
    """Brier score and log loss of the same pictures' probabilities (n, k) before and after calibration, one array
    for each cross-validation; figures are means over these.

    `after` must come from temperatures that were fitted on other pictures. Each bootstrap draw of whole themes serves
    both: the interval is of the difference, from which what themes have in common drops out.
    """
    scores: dict[str, Callable[[Floats, Ints], float]] = {"brier_score": brier_score, "log_loss": log_loss}
    found = {}
    for name, score in scores.items():

        def mean(runs: Sequence[Floats], rows: Ints, score: Callable[[Floats, Ints], float] = score) -> float:
            return float(np.mean([score(run[rows], labels[rows]) for run in runs]))

        def fall(rows: Ints, mean: Callable[[Sequence[Floats], Ints], float] = mean) -> float:
            return mean(before, rows) - mean(after, rows)

        interval = bootstrap_interval(fall, themes, np.random.default_rng(seed), repeats=repeats)
        everything = np.arange(len(labels))
        found[name] = Gain(mean(before, everything), mean(after, everything), interval)
    return found


def _loss(logits: Floats, labels: Ints, log_temperature: float) -> float:
    return log_loss(softmax(logits, float(np.exp(log_temperature))), labels)
