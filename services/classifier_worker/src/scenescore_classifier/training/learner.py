"""What cross-validation asks of every model: learn from these rows, then judge those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.models.architecture import as_input

INFERENCE_BATCH = 64


@dataclass(frozen=True)
class Rows:
    """n pictures, prepared for one architecture."""

    prepared: Tensor
    """(n, …) as its `prepare` makes them."""
    labels: Ints
    """int (n,): places in `emotions`; -1 where nobody named one, which is never judged by."""
    themes: Sequence[str]
    """n names. What is chosen inside training is chosen by a split over them."""
    emotions: Sequence[str]
    affect: Floats | None = None
    """(n, 2): the raters' valence and arousal, NaN where unknown; a learner may use those of its rows."""
    of_teller: Tensor | None = None
    """(n, …): as another model prepares the same pictures, for a learner that lets that one tell."""

    def part(self, chosen: Ints) -> "Rows":
        """The rows at those places: int (m,)."""
        places = torch.from_numpy(chosen)
        return Rows(
            self.prepared[places],
            self.labels[chosen],
            [self.themes[row] for row in chosen],
            self.emotions,
            None if self.affect is None else self.affect[chosen],
            None if self.of_teller is None else self.of_teller[places],
        )

    @property
    def labelled(self) -> Ints:
        """Places of the rows with an emotion."""
        return np.flatnonzero(self.labels >= 0)


@dataclass(frozen=True)
class Epoch:
    """A point of the training curve. Losses in nats."""

    number: int
    training_loss: float
    validation_loss: float | None = None
    """None where there is no inner validation split."""
    validation_balanced_accuracy: float | None = None


@dataclass(frozen=True)
class Predictor:
    """What came out of training."""

    network: nn.Module
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen inside the training rows, for the card."""
    curve: Sequence[Epoch] = ()

    def logits(self, prepared: Tensor) -> Floats:
        """(n, …) → float64 (n, emotions), in 32 bits, on the network's device."""
        device = next((value.device for value in self.network.state_dict().values()), torch.device("cpu"))
        rows = []
        self.network.eval()
        with torch.inference_mode():
            for start in range(0, len(prepared), INFERENCE_BATCH):
                batch = as_input(prepared[start : start + INFERENCE_BATCH]).to(device)
                rows.append(self.network(batch).cpu().double())
        logits: Floats = torch.cat(rows).numpy()
        return logits


class Learner(Protocol):
    """Makes a predictor of rows, and looks at no others."""

    @property
    def description(self) -> Mapping[str, Any]:
        """How it learns, for the card; also says whether kept folds are those of the same learner."""

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        """The seed decides everything left to chance; `title` names the progress bar."""
