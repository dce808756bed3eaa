"""Accuracy with and without generated pictures, at equal numbers of iterations.

Folds are split by theme, and generated pictures are in training folds only. The GANs behind them saw those folds'
pictures only: one GAN for each fold and emotion, so five folds and four emotions cost twenty trainings. The
intervals are over the classifier's seeds; GANs and folds stay the same, so that both rows differ in nothing else.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scenescore_classifier import metrics
from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data import Dataset
from scenescore_classifier.metrics import Ints
from scenescore_classifier.models import registry
from scenescore_classifier.models.thesis import AS_DESCRIBED, AS_PRINTED
from scenescore_classifier.training.gradient import GradientLearner, Settings
from scenescore_classifier.training.learner import Rows

LEAST_SEEDS = 3
_STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""97.5 % quantiles of Student's t by degrees of freedom."""
MOST_SEEDS = max(_STUDENT) + 1

Predict = Callable[[Tensor], Ints]
"""Pixels uint8 (n, 3, 150, 150) → emotions int (n,)."""
Fit = Callable[[Tensor, Ints, int, int, int], Predict]
"""(pixels, labels, outputs, seed, iterations) → the trained classifier."""
Make = Callable[[int, int], Tensor]
"""(fold, emotion) → generated pictures uint8 (m, 3, 150, 150), from a GAN that saw nothing of that fold."""


@dataclass(frozen=True)
class Row:
    """Held-out figures of one architecture, one for each seed."""

    architecture: str
    with_gan: bool
    iterations: int
    seeds: tuple[int, ...]
    accuracy: tuple[float, ...]
    balanced_accuracy: tuple[float, ...]


def thesis(name: str) -> Fit:
    """One of the thesis's CNNs, for the number of whole epochs nearest to the iterations asked for."""

    def fit(pixels: Tensor, labels: Ints, outputs: int, seed: int, iterations: int) -> Predict:
        epochs = max(1, round(iterations / math.ceil(len(labels) / Settings.batch)))
        learner = GradientLearner(registry.architecture(name), Settings(epochs=epochs))
        emotions = [str(place) for place in range(outputs)]
        predictor = learner.fit(Rows(pixels, labels, [""] * len(labels), emotions), seed, title=name)
        return lambda pictures: predictor.logits(pictures).argmax(axis=1)

    return fit


ARCHITECTURES: Mapping[str, Fit] = {name: thesis(name) for name in (AS_PRINTED, AS_DESCRIBED)}


def run(
    architecture: str,
    fit: Fit,
    dataset: Dataset,
    fold_of: Ints,
    *,
    seeds: Sequence[int],
    iterations: int,
    make: Make | None,
) -> Row:
    """Cross-validates once for each seed, with the pictures of `make` in the training folds where it is given."""
    accuracy, balanced = [], []
    for seed in seeds:
        predicted = np.zeros(len(dataset.labels), dtype=np.int64)
        for fold in range(int(fold_of.max()) + 1):
            held_out = fold_of == fold
            pixels, labels = dataset.pixels[~held_out], dataset.labels[~held_out]
            if make is not None:
                pixels, labels = _enlarged(pixels, labels, len(dataset.emotions), fold, make)
            predict = fit(pixels, labels, len(dataset.emotions), seed, iterations)
            predicted[held_out] = predict(dataset.pixels[held_out])
        judged = fold_of >= 0
        accuracy.append(metrics.accuracy(dataset.labels[judged], predicted[judged]))
        balanced.append(metrics.balanced_accuracy(dataset.labels[judged], predicted[judged]))
    return Row(architecture, make is not None, iterations, tuple(seeds), tuple(accuracy), tuple(balanced))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): Student's 95 % interval of the mean of 3 to 10 values."""
    deviation = float(np.std(values, ddof=1))
    reach = _STUDENT[len(values) - 1] * deviation / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean, mean - reach, mean + reach


def save_row(folder: Path, row: Row) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(
        _path(folder, row.architecture, with_gan=row.with_gan), (json.dumps(asdict(row)) + "\n").encode()
    )


def load_row(folder: Path, architecture: str, *, with_gan: bool) -> Row | None:
    """The row as it was measured, or None where it was not."""
    path = _path(folder, architecture, with_gan=with_gan)
    if not path.is_file():
        return None
    kept = json.loads(path.read_bytes())
    return Row(
        architecture,
        with_gan,
        kept["iterations"],
        tuple(kept["seeds"]),
        tuple(kept["accuracy"]),
        tuple(kept["balanced_accuracy"]),
    )


def render(folder: Path, architectures: Sequence[str], command: Callable[[str], str]) -> str:
    """The table in Markdown; rows that were not run are pending, with the command that makes them."""
    lines = [
        "| architecture | pictures | iterations | accuracy (95 % over seeds) | balanced accuracy | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for architecture in architectures:
        for with_gan in (False, True):
            row = load_row(folder, architecture, with_gan=with_gan)
            kind = "real and GAN" if with_gan else "real"
            if row is None:
                lines.append(f"| {architecture} | {kind} | pending: `{command(architecture)}` | | | |")
            else:
                cells = (_cell(row.accuracy), _cell(row.balanced_accuracy), str(len(row.seeds)))
                lines.append(f"| {architecture} | {kind} | {row.iterations} | {' | '.join(cells)} |")
        lines += _verdict(folder, architecture)
    return "\n".join(lines) + "\n"


def _verdict(folder: Path, architecture: str) -> list[str]:
    """What the GAN pictures changed, seed by seed, where both rows have the same seeds and iterations."""
    without, with_gan = (load_row(folder, architecture, with_gan=flag) for flag in (False, True))
    if without is None or with_gan is None:
        return []
    if (without.seeds, without.iterations) != (with_gan.seeds, with_gan.iterations):
        return []
    differences = np.subtract(with_gan.balanced_accuracy, without.balanced_accuracy).tolist()
    mean, low, high = interval(differences)
    said = "GAN pictures help" if low > 0 else "GAN pictures harm" if high < 0 else "no difference shown"
    return [f"| {architecture} | difference | | | {mean:+.3f} ({low:+.3f} to {high:+.3f}): {said} | |"]


def _enlarged(pixels: Tensor, labels: Ints, outputs: int, fold: int, make: Make) -> tuple[Tensor, Ints]:
    made = [make(fold, emotion) for emotion in range(outputs)]
    counts = [len(part) for part in made]
    return torch.cat([pixels, *made]), np.concatenate([labels, np.repeat(np.arange(outputs), counts)])


def _cell(values: Sequence[float]) -> str:
    mean, low, high = interval(values)
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def _path(folder: Path, architecture: str, *, with_gan: bool) -> Path:
    return folder / f"{architecture}-{'with' if with_gan else 'without'}.json"
