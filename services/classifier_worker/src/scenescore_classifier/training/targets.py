"""What each picture should teach a head: which emotion, how surely, and how much. Pure.

- What emotions go with which valence and arousal is learnt from pictures that have both, a logistic regression on two
  numbers. A picture that was only rated gets its probabilities as shares (weak labels); one with an emotion, too, gives
  them a part, so that a doubtful one is not learnt as a sure one.
- Pictures of one theme resemble each other: n of them teach less than n pictures of n themes.

Only rows that are given are looked at, so that in a cross-validation the pictures of a fold serve nothing in it.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenescore_classifier.calibration import softmax
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.regression import Targets, fit_logistic

RATED_WEIGHT = 0.25
"""Of a picture that was only rated, where those with an emotion weigh 1, both on average."""

TOLD = 0.3
"""Share of what the ratings tell where an emotion was named, too."""

CROWDING = 0.5
"""n pictures of one theme weigh as much as n to the power of 1 - CROWDING alone: from 0, all count, to 1, themes do."""

STRENGTH = 10.0
"""Hardly regularised: two numbers, hundreds of pictures."""


def targets_of(rows: Rows) -> Targets:
    """What a head should give for the rows: shares of emotions, and how much each row counts.

    All emotions together weigh alike; a row with neither an emotion nor ratings weighs 0.
    """
    outputs = len(rows.emotions)
    targets = Targets.of_labels(rows.labels, outputs)
    if rows.affect is not None:
        _tell(targets, rows.labels, rows.affect, outputs)
    teaches = targets.weights > 0
    alone = _alone(rows.themes, teaches)
    for kind in (*range(outputs), -1):
        here = (rows.labels == kind) & teaches
        if here.any():
            targets.weights[here] *= alone[here] / alone[here].mean()
    return targets


def _tell(targets: Targets, labels: Ints, affect: Floats, outputs: int) -> None:
    """Puts what the ratings tell into the targets; nothing where an emotion was never rated, as none would get it."""
    rated = np.isfinite(affect).all(axis=1)
    both, only = np.flatnonzero(rated & (labels >= 0)), np.flatnonzero(rated & (labels < 0))
    if len(set(labels[both].tolist())) < outputs:
        return
    (told,) = fit_logistic(affect[both], Targets.of_labels(labels[both], outputs), [STRENGTH])
    targets.shares[both] = (1 - TOLD) * targets.shares[both] + TOLD * softmax(told.logits(affect[both]))
    targets.shares[only] = softmax(told.logits(affect[only]))
    targets.weights[only] = RATED_WEIGHT


def _alone(themes: Sequence[str], counted: NDArray[np.bool_]) -> Floats:
    """How much each of n pictures is one of its own: (n,), less the more of its theme are `counted`, bool (n,)."""
    sizes = Counter(theme for theme, counts in zip(themes, counted, strict=True) if counts)
    return np.array([max(1, sizes[theme]) ** -CROWDING for theme in themes])
