"""A head that a stronger model tells what photographs without labels feel like.

A few hundred labels are few for the thousands of numbers of a weak embedding, but not for a strong one. So a head on
the strong embedding (the teller) learns from the labels; then it says its logits of many photographs that nobody
labelled, and of the labelled ones, and the head proper learns those by ridge regression: compression of a model
(Bucilă, Caruana, Niculescu-Mizil 2006) by matching logits (Ba and Caruana 2014). The teller serves in training only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scenescore_classifier.metrics import Floats
from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.learner import Predictor, Rows
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.regression import Fitted, divisor

LABELLED_WEIGHT = 50.0
"""Of a picture of the data set, where a photograph weighs 1: it shows what the labels are about."""

PENALTY = 3_000.0
"""On the squares of the weights, for standardised embeddings."""

CHUNK = 2_000
"""Photographs whose squares are summed at a time."""


@dataclass(frozen=True)
class Photographs:
    """m photographs without labels, as both models prepare them."""

    prepared: Tensor
    """float32 (m, d): of the model that learns."""
    of_teller: Tensor
    """float32 (m, e)."""
    fingerprint: str
    """sha256 of what they are."""

    @cached_property
    def mean(self) -> Floats:
        """(d,)."""
        parts = [chunk.double().sum(dim=0) for chunk in torch.split(self.prepared, CHUNK)]
        mean: Floats = torch.stack(parts).sum(dim=0).numpy() / len(self.prepared)
        return mean

    @cached_property
    def scale(self) -> Floats:
        """(d,): the standard deviation, 1 where there is none."""
        mean = torch.from_numpy(self.mean)
        parts = [(chunk.double() - mean).square().sum(dim=0) for chunk in torch.split(self.prepared, CHUNK)]
        spread = np.sqrt(torch.stack(parts).sum(dim=0).numpy() / len(self.prepared))
        return divisor(spread)

    @cached_property
    def squares(self) -> Floats:
        """(d, d): the sum of the outer squares of the standardised embeddings."""
        total = np.zeros((self.prepared.shape[1],) * 2)
        for chunk in self._chunks():
            total += chunk.T @ chunk
        return total

    def standardised(self, embeddings: Floats) -> Floats:
        """(n, d) → (n, d)."""
        values: Floats = (embeddings - self.mean) / self.scale
        return values

    def _chunks(self) -> Iterator[Floats]:
        """Of the standardised embeddings: all at once would take much room."""
        return (self.standardised(chunk.double().numpy()) for chunk in torch.split(self.prepared, CHUNK))

    def against(self, told: Floats) -> Floats:
        """What the regression needs of targets (m, k): standardised embeddings times targets, (d, k)."""
        shares = np.split(told, range(CHUNK, len(told), CHUNK))
        total: Floats = np.sum(
            [chunk.T @ share for chunk, share in zip(self._chunks(), shares, strict=True)], axis=0
        )
        return total


def fit_told(
    photographs: Photographs, told: Floats, rows: Floats, row_targets: Floats, penalty: float
) -> Fitted:
    """The linear map from embeddings to what is told of photographs, (m, k), and of rows (n, d): (n, k).

    Minimises Σ wᵢ |targetᵢ - b - xᵢ·β|² + penalty ‖β‖² over embeddings standardised by the photographs (Hoerl and
    Kennard 1970), w LABELLED_WEIGHT for the rows and 1 for the photographs.
    """
    inputs, weight = photographs.standardised(rows), LABELLED_WEIGHT
    total = len(told) + weight * len(inputs)
    centre = weight * inputs.sum(axis=0) / total  # the photographs' own is 0
    level = (told.sum(axis=0) + weight * row_targets.sum(axis=0)) / total
    squares = photographs.squares + weight * inputs.T @ inputs - total * np.outer(centre, centre)
    squares[np.diag_indices_from(squares)] += penalty
    products = photographs.against(told) + weight * inputs.T @ (row_targets - level)
    weights = np.linalg.solve(squares, products)  # (d, k)
    return Fitted(photographs.mean, photographs.scale, weights.T, level - centre @ weights)


@dataclass(frozen=True)
class ToldLearner:
    """Deterministic: the seed only decides the split by which the teller's strength is chosen, inside the rows.

    The rows must bring what the teller makes of their pictures (`Rows.of_teller`).
    """

    architecture: Architecture
    teller: Architecture
    teller_prepared_as: str
    """Changes with the teller's backbone."""
    photographs: Photographs
    directions: Directions | None = None
    """In which the teller's weights are cheap."""

    @property
    def description(self) -> Mapping[str, Any]:
        return {
            "head": "ridge regression on the logits that a teller says of photographs and of the pictures",
            "teller": {
                "model": self.teller.name,
                "prepared_as": self.teller_prepared_as,
                **self._by_labels.description,
            },
            "photographs": len(self.photographs.prepared),
            "photographs_fingerprint": self.photographs.fingerprint,
            "weight_of_pictures": LABELLED_WEIGHT,
            "penalty": PENALTY,
        }

    @property
    def _by_labels(self) -> LogisticLearner:
        return LogisticLearner(self.teller, directions=self.directions)

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        if rows.of_teller is None:
            raise ValueError("the rows bring nothing of the teller")
        told_by = self._by_labels.fit(replace(rows, prepared=rows.of_teller), seed, title=title)
        fitted = fit_told(
            self.photographs,
            told_by.logits(self.photographs.of_teller),
            rows.prepared.double().numpy(),
            told_by.logits(rows.of_teller),
            PENALTY,
        )
        head = self.architecture.network(rows.emotions)
        head.load_state_dict(fitted.state())
        return Predictor(head, {"teller": dict(told_by.chosen)})
