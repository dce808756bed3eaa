"""Training by gradient: cross-entropy, balanced emotions, every picture varied anew in each epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import trange

from scenescore_classifier.augmentation_policies import THESIS, policy
from scenescore_classifier.calibration import softmax
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, Ints, balanced_accuracy, log_loss
from scenescore_classifier.mixing import soft_labels
from scenescore_classifier.models.architecture import Architecture, as_input
from scenescore_classifier.training.learner import Epoch, Predictor, Rows

VALIDATION_FOLDS = 5
"""One of so many parts of the training rows, whole themes, is held out for early stopping."""


@dataclass(frozen=True)
class Settings:
    """What, with the data, the seed and torch's number of threads, decides the weights to the bit on a CPU.

    The thesis's, by default: RMSprop (Tieleman and Hinton 2012) with the learning rate, smoothing and epsilon
    that Keras gave it in 2019.
    """

    epochs: int = 60
    batch: int = 16
    optimiser: Literal["RMSprop", "AdamW"] = "RMSprop"
    learning_rate: float = 1e-3
    smoothing: float = 0.9
    """Of RMSprop's mean square."""
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    """Of AdamW."""
    augmentation: str = THESIS.name
    """One of `augmentation_policies.POLICIES`."""
    patience: int | None = None
    """Epochs without a better validation loss after which training stops; None takes all epochs and all rows."""


FINE_TUNING = Settings(epochs=40, optimiser="AdamW", learning_rate=1e-4, weight_decay=0.05, patience=6)
"""For pretrained backbones: small steps (Loshchilov and Hutter 2019), and no more of them than help."""


@dataclass(frozen=True)
class GradientLearner:
    """All chance (initial weights, order, variation, dropout, inner split) comes from the seed."""

    architecture: Architecture
    settings: Settings = field(default_factory=Settings)
    pretrained: bool = False
    device: str = "cpu"

    @property
    def description(self) -> Mapping[str, Any]:
        varying = policy(self.settings.augmentation)
        return {
            "loss": "cross-entropy, each emotion weighted by the inverse of its number of pictures",
            **asdict(self.settings),
            "augmentation": {"policy": varying.name, **varying.parameters},
        }

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        learnt, watched = self._split(rows.part(rows.labelled), seed)
        generator = torch.Generator().manual_seed(seed)
        network = self.architecture.network(rows.emotions, generator, pretrained=self.pretrained)
        network = network.to(self.device)
        if self._on_gpu:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # untyped
        optimiser = _optimiser(network, self.settings)
        weights = torch.from_numpy(class_weights(learnt.labels, len(rows.emotions))).float().to(self.device)
        stopping = _EarlyStopping(self.settings.patience)
        curve: list[Epoch] = []
        epochs = trange(1, self.settings.epochs + 1, desc=title, unit="epoch", disable=None)
        for number in epochs:
            loss = self._epoch(network, optimiser, learnt, weights, generator)
            curve.append(_judged(Epoch(number, loss), network, watched))
            epochs.set_postfix(loss=f"{loss:.3f}")
            if watched is not None and stopping.is_over(network, curve[-1]):
                break
        chosen = stopping.restore(network)
        return Predictor(network, chosen, curve)

    @property
    def _on_gpu(self) -> bool:
        return self.device.startswith("cuda")

    def _split(self, rows: Rows, seed: int) -> tuple[Rows, Rows | None]:
        """Rows to learn from, and those to watch when training may stop early (None where it may not)."""
        folds = min(VALIDATION_FOLDS, len(set(rows.themes)))
        if self.settings.patience is None or folds < 2:  # noqa: PLR2004 - one theme has nothing to be held out
            return rows, None
        fold_of = split_by_theme(rows.labels, rows.themes, folds, np.random.default_rng(seed))
        return rows.part(np.flatnonzero(fold_of != 0)), rows.part(np.flatnonzero(fold_of == 0))

    def _epoch(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        rows: Rows,
        weights: Tensor,
        generator: torch.Generator,
    ) -> float:
        """One pass over the rows in random order; their mean loss."""
        network.train()
        varying = policy(self.settings.augmentation)
        truth = soft_labels(torch.from_numpy(rows.labels), len(rows.emotions))
        order = torch.randperm(len(rows.labels), generator=generator)
        losses = []
        for start in range(0, len(order), self.settings.batch):
            chosen = order[start : start + self.settings.batch]
            varied = varying.vary(as_input(rows.prepared[chosen]), generator)
            mixed, mixture = varying.mix(varied, generator)
            pictures, targets = mixed.to(self.device), mixture.of(truth[chosen]).to(self.device)
            if self._on_gpu:
                pictures = pictures.contiguous(memory_format=torch.channels_last)
            # bfloat16 has the range of 32 bits, so that no loss needs scaling; a CPU stays exact
            with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self._on_gpu):
                logits = network(pictures, dropout=generator)
            loss = balanced_cross_entropy(logits.float(), targets, weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimiser.step()
            losses.append(loss.item())
        return float(np.mean(losses))


class _EarlyStopping:
    """Keeps the weights of the epoch with the least validation loss (Prechelt 1998)."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._best: Epoch | None = None
        self._weights: dict[str, Tensor] = {}

    def is_over(self, network: nn.Module, epoch: Epoch) -> bool:
        """Whether so many epochs in a row were no better than the best one."""
        if self._best is None or (epoch.validation_loss or 0.0) < (self._best.validation_loss or 0.0):
            self._best = epoch
            self._weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
        return self._patience is not None and epoch.number - self._best.number >= self._patience

    def restore(self, network: nn.Module) -> Mapping[str, Any]:
        """Give the network its best weights back; says for the card which epoch that was."""
        if self._best is None:
            return {}
        network.load_state_dict(self._weights)
        return {"epoch": self._best.number}


def balanced_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of logits (n, k) against targets (n, k), each row's share of an emotion weighing `weights` (k,).

    A mean over the weights of the batch, as torch's own is for labels; torch's for shares divides by n instead.
    """
    weighted = targets * weights
    return -(weighted * functional.log_softmax(logits, dim=1)).sum() / weighted.sum()


def class_weights(labels: Ints, outputs: int) -> Floats:
    """Weight of each emotion in the loss, float (outputs,): inverse to its number of pictures, so that each
    emotion counts alike; 0 for one without pictures. A departure from the thesis.
    """
    counts = np.bincount(labels, minlength=outputs)
    return np.where(counts > 0, len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 0.0)


def _optimiser(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    if settings.optimiser == "AdamW":
        return torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
    return torch.optim.RMSprop(
        network.parameters(), lr=settings.learning_rate, alpha=settings.smoothing, eps=settings.epsilon
    )


def _judged(epoch: Epoch, network: nn.Module, watched: Rows | None) -> Epoch:
    """The epoch with its figures on the rows that are watched."""
    if watched is None:
        return epoch
    logits = Predictor(network).logits(watched.prepared)
    return Epoch(
        epoch.number,
        epoch.training_loss,
        log_loss(softmax(logits), watched.labels),
        balanced_accuracy(watched.labels, logits.argmax(axis=1)),
    )
