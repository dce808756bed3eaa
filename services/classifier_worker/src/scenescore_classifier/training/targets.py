"""Pictures with ratings but without an emotion teach a head too: the ratings say how likely each emotion is.

What emotions go with which valence and arousal is learnt from pictures that have both, a logistic regression on two
numbers; the others then get its probabilities as their shares (weak labels). Only rows that are given are looked
at, so that in a cross-validation the pictures of a fold serve nothing in it.
"""

import numpy as np

from scenescore_classifier.calibration import softmax
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.regression import Targets, fit_logistic

RATED_WEIGHT = 0.5
"""Of such a picture, where those with an emotion weigh 1 on average."""

STRENGTH = 10.0
"""Hardly regularised: two numbers, hundreds of pictures."""


def targets_of(rows: Rows) -> Targets:
    """What a head should give for the rows: the emotion of each, or else the shares that its ratings tell."""
    outputs = len(rows.emotions)
    targets = Targets.of_labels(rows.labels, outputs)
    if rows.affect is None:
        return targets
    rated = np.isfinite(rows.affect).all(axis=1)
    both, alone = np.flatnonzero(rated & (rows.labels >= 0)), np.flatnonzero(rated & (rows.labels < 0))
    if len(set(rows.labels[both].tolist())) < outputs:
        return targets  # an emotion that nobody rated would get no share of any picture
    (told,) = fit_logistic(rows.affect[both], Targets.of_labels(rows.labels[both], outputs), [STRENGTH])
    targets.shares[alone] = softmax(told.logits(rows.affect[alone]))
    targets.weights[alone] = RATED_WEIGHT
    return targets
