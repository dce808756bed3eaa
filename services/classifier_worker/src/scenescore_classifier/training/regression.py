"""Multinomial logistic regression towards shares: a picture may be half happy and half calm. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.training.gradient import class_weights

LEAST_SPREAD = 1e-6
"""Dimensions that vary less are constant."""

CHEAP = 100.0
"""How many times what lies in a direction that is known to matter counts as standing in the embedding, beside once."""

STEPS = 500


@dataclass(frozen=True)
class Targets:
    """What n pictures should give."""

    shares: Floats
    """(n, k): of each emotion; they add up to 1 where the weight is not 0."""
    weights: Floats
    """(n,): 1 on average over pictures with an emotion; 0 for one that teaches nothing."""

    @classmethod
    def of_labels(cls, labels: Ints, outputs: int) -> "Targets":
        """One emotion each, int (n,), each emotion counting alike; -1 teaches nothing."""
        named = labels >= 0
        shares, weights = np.zeros((len(labels), outputs)), np.zeros(len(labels))
        shares[named, labels[named]] = 1
        weights[named] = class_weights(labels[named], outputs)[labels[named]]
        return cls(shares, weights)


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

    def state(self) -> dict[str, Tensor]:
        """The state of that `LinearHead`."""
        return {name: torch.from_numpy(value).float() for name, value in asdict(self).items()}


def divisor(spread: Floats) -> Floats:
    """What dimensions of that spread (d,) are divided by: 1 where they are constant, not a rounding error."""
    return np.where(spread < LEAST_SPREAD, 1.0, spread)


def leant(standardised: Floats, scale: Floats, directions: Floats | None) -> Floats:
    """Embeddings (n, d), standardised by a scale (d,), times the prior covariance of the weights: (n, d).

    That is the identity plus CHEAP vvᵀ for each column of `directions` (d, q): v = scale · column / spread, with the
    spread over the n rows of what they show in that direction. Weights there cost little: as if what the embeddings
    show, scaled to vary by 1, stood in them CHEAP times more. The sign is left to what is learnt.
    """
    if directions is None:
        return standardised
    along = directions * scale[:, None]
    along = along / divisor((standardised @ along).std(axis=0))
    result: Floats = standardised + CHEAP * (standardised @ along) @ along.T
    return result


def fit_logistic(
    embeddings: Floats, targets: Targets, strengths: Sequence[float], directions: Floats | None = None
) -> list[Fitted]:
    """A head for each strength, on embeddings (n, d) and what they should give.

    Minimises Σ wᵢ · cross-entropyᵢ + weightᵀ S⁻¹ weight / (2 strength), w the targets' weights, S the prior covariance
    of `leant`: without `directions` scikit-learn's objective, over C, which is the strength. The search runs in the at
    most n dimensions in which the rows differ.
    """
    mean, scale = embeddings.mean(axis=0), divisor(embeddings.std(axis=0))
    standardised = (embeddings - mean) / scale
    weighable = leant(standardised, scale, directions)
    squares, left = np.linalg.eigh(standardised @ weighable.T)  # (n,), (n, n): much smaller than the SVD's
    spanned = squares > LEAST_SPREAD * squares.max()
    singular = np.sqrt(squares[spanned])
    right = (left[:, spanned] / singular).T @ weighable  # (r, d)
    inputs = torch.from_numpy(left[:, spanned] * singular)  # (n, r)
    outputs = targets.shares.shape[1]
    weight, bias = torch.zeros(outputs, inputs.shape[1]).double(), torch.zeros(outputs).double()
    path = []
    for strength in strengths:  # each search starts where the one before ended
        weight, bias = _minimise(inputs, targets, weight, bias, strength)
        path.append(Fitted(mean, scale, weight.numpy() @ right, bias.numpy()))
    return path


def _minimise(
    inputs: Tensor, targets: Targets, weight: Tensor, bias: Tensor, strength: float
) -> tuple[Tensor, Tensor]:
    """The weight (k, r) and bias (k,) that fit inputs (n, r) best, searched from those given."""
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    shares, importance = torch.from_numpy(targets.shares), torch.from_numpy(targets.weights)
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
        each = functional.cross_entropy(inputs @ weight.T + bias, shares, reduction="none")
        loss = (importance * each).sum() + weight.square().sum() / (2 * strength)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return loss

    optimiser.step(objective)  # type: ignore[no-untyped-call]  # as above
    return weight.detach(), bias.detach()
