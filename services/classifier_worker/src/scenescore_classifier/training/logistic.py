"""The head of a frozen backbone: multinomial logistic regression, its strength chosen inside the training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, Ints, log_loss
from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.training.gradient import class_weights
from scenescore_classifier.training.learner import Predictor, Rows

STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Tried: the weight C of the data against that of the penalty; smaller is more regularised."""

INNER_FOLDS = 5
LEAST_SPREAD = 1e-6
"""Dimensions that vary less are constant: divided by 1, not by rounding errors."""

STEPS = 500


@dataclass(frozen=True)
class LogisticLearner:
    """Standardised, L2-regularised, class-balanced. Deterministic: the seed only decides the inner split."""

    architecture: Architecture
    strengths: Sequence[float] = STRENGTHS

    @property
    def description(self) -> Mapping[str, Any]:
        return {
            "head": "multinomial logistic regression on standardised embeddings, L2, balanced emotions, L-BFGS",
            "strengths_tried": list(self.strengths),
            "strength_chosen_by": f"log loss after temperature in {INNER_FOLDS} folds by theme inside the rows",
        }

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        embeddings = rows.prepared.numpy().astype(np.float64)
        strength = self._choose(embeddings, rows, seed)
        mean, scale, weight, bias = fit_logistic(embeddings, rows.labels, len(rows.emotions), strength)
        head = self.architecture.network(rows.emotions)
        state = {"mean": mean, "scale": scale, "weight": weight, "bias": bias}
        head.load_state_dict({name: torch.from_numpy(value).float() for name, value in state.items()})
        return Predictor(head, {"strength": strength})

    def _choose(self, embeddings: Floats, rows: Rows, seed: int) -> float:
        """The strength whose held-out rows get the least log loss; the first, where there are too few themes."""
        folds = min(INNER_FOLDS, len(set(rows.themes)))
        if folds < 2 or len(self.strengths) == 1:  # noqa: PLR2004 - nothing to hold out
            return self.strengths[0]
        fold_of = split_by_theme(rows.labels, rows.themes, folds, np.random.default_rng(seed))
        losses = []
        for strength in self.strengths:
            logits = _held_out(embeddings, rows.labels, len(rows.emotions), fold_of, strength)
            losses.append(log_loss(softmax(logits, fit_temperature(logits, rows.labels)), rows.labels))
        return self.strengths[int(np.argmin(losses))]


def fit_logistic(
    embeddings: Floats, labels: Ints, outputs: int, strength: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean (d,), scale (d,), weight (outputs, d) and bias (outputs,) of embeddings (n, d), labels int (n,).

    Minimises strength · Σ wᵢ · cross-entropyᵢ + ½ ‖weight‖², w the balanced class weights: scikit-learn's
    objective, with C for `strength`. The penalty does not care for rotations, so the search runs in the at most
    n dimensions that the rows span.
    """
    mean, scale = embeddings.mean(axis=0), embeddings.std(axis=0)
    scale = np.where(scale < LEAST_SPREAD, 1.0, scale)
    left, singular, right = np.linalg.svd((embeddings - mean) / scale, full_matrices=False)
    inputs = torch.from_numpy(left * singular)  # (n, r)
    weight, bias = _minimise(inputs, torch.from_numpy(labels), outputs, strength)
    return mean, scale, weight.numpy() @ right, bias.numpy()


def _minimise(inputs: Tensor, labels: Tensor, outputs: int, strength: float) -> tuple[Tensor, Tensor]:
    weight = torch.zeros(outputs, inputs.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    balance = torch.from_numpy(class_weights(labels.numpy(), outputs))
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=STEPS,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimiser.zero_grad()
        each = functional.cross_entropy(inputs @ weight.T + bias, labels, reduction="none")
        loss = strength * (balance[labels] * each).sum() + weight.square().sum() / 2
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return loss

    optimiser.step(objective)  # type: ignore[no-untyped-call]  # as above
    return weight.detach(), bias.detach()


def _held_out(embeddings: Floats, labels: Ints, outputs: int, fold_of: Ints, strength: float) -> Floats:
    """Logits (n, outputs) of each row by a head that was fitted without its fold."""
    logits = np.zeros((len(labels), outputs))
    for fold in np.unique(fold_of):
        here = fold_of == fold
        mean, scale, weight, bias = fit_logistic(embeddings[~here], labels[~here], outputs, strength)
        logits[here] = (embeddings[here] - mean) / scale @ weight.T + bias
    return logits
