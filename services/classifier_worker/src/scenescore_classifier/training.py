"""The thesis's training: RMSprop on cross-entropy, batches of 16, every picture varied anew in each epoch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import trange

from scenescore_classifier.augmentation import augment
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.model import ThesisCNN
from scenescore_classifier.preprocessing import to_shares

INFERENCE_BATCH = 64


@dataclass(frozen=True)
class Settings:
    """What, with the data and torch's number of threads, decides the weights to the bit on a CPU.

    RMSprop (Tieleman and Hinton 2012) has the learning rate, smoothing and epsilon that Keras gave it in 2019.
    """

    seed: int = 0
    epochs: int = 60
    batch: int = 16
    learning_rate: float = 1e-3
    smoothing: float = 0.9
    epsilon: float = 1e-7


def fit(
    pixels: Tensor,
    labels: Ints,
    outputs: int,
    settings: Settings,
    *,
    device: str = "cpu",
    title: str = "training",
) -> ThesisCNN:
    """A model trained on pixels, uint8 (n, 3, 150, 150), and labels, int (n,) in 0 … outputs - 1.

    All chance (initial weights, order, variation, dropout) comes from one generator, seeded `settings.seed`.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    model = ThesisCNN(outputs, generator).to(device)
    optimiser = torch.optim.RMSprop(
        model.parameters(), lr=settings.learning_rate, alpha=settings.smoothing, eps=settings.epsilon
    )
    truth = torch.from_numpy(labels)
    weights = torch.from_numpy(class_weights(labels, outputs)).to(device, torch.float32)
    epochs = trange(settings.epochs, desc=title, unit="epoch", disable=None)
    for _ in epochs:
        order = torch.randperm(len(labels), generator=generator)
        losses = []
        for start in range(0, len(order), settings.batch):
            chosen = order[start : start + settings.batch]
            pictures = augment(to_shares(pixels[chosen]), generator).to(device)
            logits = model(pictures, dropout=generator)
            loss = functional.cross_entropy(logits, truth[chosen].to(device), weight=weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimiser.step()
            losses.append(loss.item())
        epochs.set_postfix(loss=f"{np.mean(losses):.3f}")
    return model


def class_weights(labels: Ints, outputs: int) -> Floats:
    """Weight of each emotion in the loss, float (outputs,): inverse to its number of pictures, so that each
    emotion counts alike; 0 for one without pictures. A departure from the thesis.
    """
    counts = np.bincount(labels, minlength=outputs)
    return np.where(counts > 0, len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 0.0)


def predict(model: ThesisCNN, pixels: Tensor) -> Floats:
    """Logits (n, outputs) of pixels, uint8 (n, 3, 150, 150), on the model's device."""
    device = next(model.parameters()).device
    rows = []
    with torch.inference_mode():
        for start in range(0, len(pixels), INFERENCE_BATCH):
            pictures = to_shares(pixels[start : start + INFERENCE_BATCH]).to(device)
            rows.append(model(pictures).cpu().double())
    logits: Floats = torch.cat(rows).numpy()
    return logits
