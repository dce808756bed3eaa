"""The learner that learns nothing: the model's prompts already are its head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.training.learner import Predictor, Rows


@dataclass(frozen=True)
class ZeroShotLearner:
    """Takes the emotions of the rows, and neither their pictures nor their labels."""

    architecture: Architecture

    @property
    def description(self) -> Mapping[str, Any]:
        return {"head": "prompts per emotion, several templates averaged; only the temperature is fitted"}

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        return Predictor(self.architecture.network(rows.emotions, pretrained=True))
