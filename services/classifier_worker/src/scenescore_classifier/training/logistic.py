"""The head of a frozen backbone: multinomial logistic regression, its strength chosen inside the training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import trange

from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, Ints, log_loss
from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.training.gradient import class_weights
from scenescore_classifier.training.learner import Predictor, Rows

STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
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
        strength = self._choose(embeddings, rows, seed, title)
        (fitted,) = fit_logistic(embeddings, rows.labels, len(rows.emotions), [strength])
        head = self.architecture.network(rows.emotions)
        head.load_state_dict(
            {name: torch.from_numpy(value).float() for name, value in asdict(fitted).items()}
        )
        return Predictor(head, {"strength": strength})

    def _choose(self, embeddings: Floats, rows: Rows, seed: int, title: str) -> float:
        """The strength whose held-out rows get the least log loss; the first, where there are too few themes."""
        folds = min(INNER_FOLDS, len(set(rows.themes)))
        if folds < 2 or len(self.strengths) == 1:  # noqa: PLR2004 - nothing to hold out
            return self.strengths[0]
        fold_of = split_by_theme(rows.labels, rows.themes, folds, np.random.default_rng(seed))
        logits = np.zeros((len(self.strengths), len(rows.labels), len(rows.emotions)))
        for fold in trange(folds, desc=title, unit="inner fold", disable=None):
            here = fold_of == fold
            path = fit_logistic(embeddings[~here], rows.labels[~here], len(rows.emotions), self.strengths)
            logits[:, here] = [fitted.logits(embeddings[here]) for fitted in path]
        losses = [log_loss(softmax(each, fit_temperature(each, rows.labels)), rows.labels) for each in logits]
        return self.strengths[int(np.argmin(losses))]


@dataclass(frozen=True)
class Fitted:
    """What a `LinearHead` holds, in 64 bits."""

    mean: Floats
    """(d,)."""
    scale: Floats
    """(d,)."""
    weight: Floats
    """(k, d)."""
    bias: Floats
    """(k,)."""

    def logits(self, embeddings: Floats) -> Floats:
        """(n, d) → (n, k)."""
        logits: Floats = (embeddings - self.mean) / self.scale @ self.weight.T + self.bias
        return logits


def fit_logistic(embeddings: Floats, labels: Ints, outputs: int, strengths: Sequence[float]) -> list[Fitted]:
    """A head for each strength, on embeddings (n, d) and labels int (n,).

    Minimises Σ wᵢ · cross-entropyᵢ + ‖weight‖² / (2 strength), w the balanced class weights: scikit-learn's
    objective, over C, which is the strength. The penalty does not care for rotations, so the search runs in the at
    most n dimensions that the rows span.
    """
    mean, scale = embeddings.mean(axis=0), embeddings.std(axis=0)
    scale = np.where(scale < LEAST_SPREAD, 1.0, scale)
    standardised = (embeddings - mean) / scale
    squares, left = np.linalg.eigh(standardised @ standardised.T)  # (n,), (n, n): much smaller than the SVD's
    spanned = squares > LEAST_SPREAD * squares.max()
    singular = np.sqrt(squares[spanned])
    right = (left[:, spanned] / singular).T @ standardised  # (r, d)
    inputs, truth = torch.from_numpy(left[:, spanned] * singular), torch.from_numpy(labels)  # (n, r)
    weight, bias = torch.zeros(outputs, inputs.shape[1]).double(), torch.zeros(outputs).double()
    path = []
    for strength in strengths:  # each search starts where the one before ended
        weight, bias = _minimise(inputs, truth, weight, bias, strength)
        path.append(Fitted(mean, scale, weight.numpy() @ right, bias.numpy()))
    return path


def _minimise(
    inputs: Tensor, labels: Tensor, weight: Tensor, bias: Tensor, strength: float
) -> tuple[Tensor, Tensor]:
    """The weight (k, r) and bias (k,) that fit inputs (n, r) best, searched from those given."""
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    balance = torch.from_numpy(class_weights(labels.numpy(), len(bias)))
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=STEPS,
        tolerance_grad=1e-4,  # against a gradient of near one a picture
        tolerance_change=1e-10,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimiser.zero_grad()
        each = functional.cross_entropy(inputs @ weight.T + bias, labels, reduction="none")
        loss = (balance[labels] * each).sum() + weight.square().sum() / (2 * strength)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return loss

    optimiser.step(objective)  # type: ignore[no-untyped-call]  # as above
    return weight.detach(), bias.detach()
