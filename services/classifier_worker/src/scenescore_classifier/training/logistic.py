"""The head of a frozen backbone: multinomial logistic regression, its strength chosen inside the training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import trange

from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, log_losses, within_chance
from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.learner import Predictor, Rows
from scenescore_classifier.training.regression import fit_logistic
from scenescore_classifier.training.targets import CROWDING, RATED_WEIGHT, TOLD, targets_of

STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Tried, from the most regularised on: the weight C of the data against that of the penalty."""

INNER_FOLDS = 5


@dataclass(frozen=True)
class LogisticLearner:
    """Standardised, L2-regularised, class-balanced; ratings and themes have their say, too (see `targets`).

    Deterministic: the seed only decides the inner split.
    """

    architecture: Architecture
    strengths: Sequence[float] = STRENGTHS
    """From the most regularised on."""
    directions: Directions | None = None
    """In which the weights are cheap."""

    @property
    def description(self) -> Mapping[str, Any]:
        known = {} if self.directions is None else {"cheap_directions": dict(self.directions.description)}
        return {
            "head": "multinomial logistic regression on standardised embeddings, L2, balanced emotions, L-BFGS",
            "weight_of_pictures_only_rated": RATED_WEIGHT,
            "share_of_ratings_in_a_named_emotion": TOLD,
            "crowding_of_themes": CROWDING,
            "strengths_tried": list(self.strengths),
            "strength_chosen_by": "log loss after temperature: the least no worse than the best by more than a "
            f"standard error of the difference, in {INNER_FOLDS} folds by theme inside the rows",
            **known,
        }

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        embeddings = rows.prepared.numpy().astype(np.float64)
        strength = self._choose(embeddings, rows, seed, title)
        targets = targets_of(rows)
        (fitted,) = fit_logistic(embeddings, targets, [strength], self._cheap)
        head = self.architecture.network(rows.emotions)
        head.load_state_dict(fitted.state())
        return Predictor(head, {"strength": strength})

    @property
    def _cheap(self) -> Floats | None:
        return None if self.directions is None else self.directions.values

    def _choose(self, embeddings: Floats, rows: Rows, seed: int, title: str) -> float:
        """The least strength whose held-out rows get as little log loss as with the best, or more by no more than
        chance gives; the first, where there are too few themes.

        So few rows often name a strength as the best that is not.
        """
        folds = min(INNER_FOLDS, len({rows.themes[row] for row in rows.labelled}))
        if folds < 2 or len(self.strengths) == 1:  # noqa: PLR2004 - nothing to hold out
            return self.strengths[0]
        fold_of = split_by_theme(rows.labels, rows.themes, folds, np.random.default_rng(seed))
        logits = np.zeros((len(self.strengths), len(rows.labels), len(rows.emotions)))
        for fold in trange(folds, desc=title, unit="inner fold", disable=None):
            here = fold_of == fold
            targets = targets_of(rows.part(np.flatnonzero(~here)))
            path = fit_logistic(embeddings[~here], targets, self.strengths, self._cheap)
            logits[:, here] = [fitted.logits(embeddings[here]) for fitted in path]
        judged, truth = logits[:, rows.labelled], rows.labels[rows.labelled]
        losses = np.stack([log_losses(softmax(each, fit_temperature(each, truth)), truth) for each in judged])
        worse = losses - losses[losses.mean(axis=1).argmin()]  # (strengths, rows)
        themes = [rows.themes[row] for row in rows.labelled]
        return next(
            strength
            for strength, more in zip(self.strengths, worse, strict=True)
            if within_chance(more, themes)
        )
