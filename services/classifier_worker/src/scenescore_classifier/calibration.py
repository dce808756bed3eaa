"""Temperature scaling (Guo et al., "On calibration of modern neural networks", 2017)."""

import math

import numpy as np

from scenescore_classifier.metrics import Floats, Ints, log_loss

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


def _loss(logits: Floats, labels: Ints, log_temperature: float) -> float:
    return log_loss(softmax(logits, float(np.exp(log_temperature))), labels)
