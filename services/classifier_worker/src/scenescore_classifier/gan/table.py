"""Accuracy with and without generated pictures, at equal numbers of iterations.

Folds are split by theme, and generated pictures are in training folds only. The GANs behind them saw those folds'
pictures only: one GAN for each fold and emotion, so five folds and four emotions cost twenty trainings. The
intervals are over the classifier's seeds; GANs and folds stay the same, so that both rows differ in nothing else.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from scenescore_classifier import metrics
from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data import Dataset
from scenescore_classifier.gan.review import PREFIX, is_generated
from scenescore_classifier.metrics import Ints
from scenescore_classifier.models import registry
from scenescore_classifier.models.architecture import Architecture
from scenescore_classifier.models.scene_backbone import NAME as SCENE
from scenescore_classifier.models.thesis import AS_DESCRIBED, AS_PRINTED
from scenescore_classifier.training.embeddings import fingerprint
from scenescore_classifier.training.gradient import GradientLearner, Settings
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.logistic import LogisticLearner

LEAST_SEEDS = 3
_STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""97.5 % quantiles of Student's t by degrees of freedom."""
MOST_SEEDS = max(_STUDENT) + 1

Predict = Callable[[Tensor], Ints]
"""Pixels uint8 (n, 3, 150, 150) → emotions int (n,)."""
Fit = Callable[[Rows, int, int], Predict]
"""(pictures as pixels, seed, iterations) → the trained classifier."""


@dataclass(frozen=True)
class Contender:
    """An architecture of the table."""

    fit: Fit
    identity: str
    """Changes with whatever else decides what it predicts."""


Make = Callable[[int, int], Tensor]
"""(fold, emotion) → generated pictures uint8 (m, 3, 150, 150), from a GAN that saw nothing of that fold."""


@dataclass(frozen=True)
class Budget:
    """What the GANs behind a row were given."""

    form: str
    side: int
    steps: int
    batch: int
    pictures: int
    """From each: one of a fold and emotion."""


@dataclass(frozen=True)
class Row:
    """Held-out figures of one architecture, one for each seed."""

    architecture: str
    gans: Budget | None
    """None where real pictures were all there was."""
    folds: int
    iterations: int
    seeds: tuple[int, ...]
    accuracy: tuple[float, ...]
    balanced_accuracy: tuple[float, ...]


def thesis(name: str) -> Contender:
    """One of the thesis's CNNs, for the number of whole epochs nearest to the iterations asked for."""

    def fit(rows: Rows, seed: int, iterations: int) -> Predict:
        epochs = max(1, round(iterations / math.ceil(len(rows.labels) / Settings.batch)))
        learner = GradientLearner(registry.architecture(name), Settings(epochs=epochs))
        predictor = learner.fit(rows, seed, title=name)
        return lambda pictures: predictor.logits(pictures).argmax(axis=1)

    return Contender(fit, json.dumps(asdict(Settings())))


def head(backbone: Architecture) -> Contender:
    """A head on what a frozen backbone makes of the pictures, from labels alone. It is searched to its end with and
    without generated pictures, whatever the iterations; its strength is chosen on the real ones, by a split that the
    seed decides. What one GAN made counts as one theme: each picture of it little, as they resemble each other.
    """
    known: dict[bytes, Tensor] = {}

    def prepared(pictures: Tensor) -> Tensor:
        return torch.stack([_prepared(picture, backbone, known) for picture in pictures])

    def fit(rows: Rows, seed: int, _: int) -> Predict:
        embedded = replace(rows, prepared=prepared(rows.prepared))
        real = np.flatnonzero([not is_generated(theme) for theme in rows.themes])
        learner = LogisticLearner(backbone)
        chosen = learner.fit(embedded.part(real), seed, title=backbone.name).chosen["strength"]
        predictor = replace(learner, strengths=(chosen,)).fit(embedded, seed, title=backbone.name)
        return lambda pictures: predictor.logits(prepared(pictures)).argmax(axis=1)

    return Contender(
        fit, f"{fingerprint(backbone.prepare)} {json.dumps(dict(LogisticLearner(backbone).description))}"
    )


def _prepared(picture: Tensor, backbone: Architecture, known: dict[bytes, Tensor]) -> Tensor:
    """What the backbone makes of uint8 (3, h, w), asked once for each picture."""
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    key = hashlib.sha256(pixels.tobytes()).digest()
    if key not in known:
        known[key] = backbone.prepare(Image.fromarray(pixels))
    return known[key]


ARCHITECTURES: Mapping[str, Callable[[], Contender]] = {
    AS_PRINTED: lambda: thesis(AS_PRINTED),
    AS_DESCRIBED: lambda: thesis(AS_DESCRIBED),
    SCENE: lambda: head(registry.architecture(SCENE)),
}


def run(
    architecture: str,
    contender: Contender,
    dataset: Dataset,
    fold_of: Ints,
    *,
    seeds: Sequence[int],
    iterations: int,
    gans: tuple[Budget, Make] | None,
    keep: Path,
) -> Row:
    """Cross-validates once for each seed, with generated pictures in the training folds where there are `gans`.

    What is known of a fold is kept in the folder `keep`, so that a run that was stopped goes on.
    """
    folds = int(fold_of.max()) + 1
    accuracy, balanced = [], []
    for seed in seeds:
        predicted = np.zeros(len(dataset.labels), dtype=np.int64)
        for fold in range(folds):
            held_out = fold_of == fold
            rows = _training_rows(dataset, ~held_out, fold, gans)
            asked = dataset.pixels[held_out]
            facts = [
                architecture,
                contender.identity,
                iterations,
                seed,
                list(rows.themes),
                rows.labels.tolist(),
            ]
            path = keep / f"{_digest(facts, rows.prepared, asked)}.json"
            if not path.is_file():
                answers = contender.fit(rows, seed, iterations)(asked)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(answers.tolist()).encode())
            predicted[held_out] = json.loads(path.read_bytes())
        judged = fold_of >= 0
        accuracy.append(metrics.accuracy(dataset.labels[judged], predicted[judged]))
        balanced.append(metrics.balanced_accuracy(dataset.labels[judged], predicted[judged]))
    budget = None if gans is None else gans[0]
    return Row(architecture, budget, folds, iterations, tuple(seeds), tuple(accuracy), tuple(balanced))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): Student's 95 % interval of the mean of 3 to 10 values."""
    deviation = float(np.std(values, ddof=1))
    reach = _STUDENT[len(values) - 1] * deviation / math.sqrt(len(values))
    mean = float(np.mean(values))
    return mean, mean - reach, mean + reach


def rows_folder(side: int) -> str:
    """Where the rows with GANs of that side lie, within the folder of a table."""
    return f"rows-{side}"


def save_row(folder: Path, row: Row) -> None:
    path = _path(folder, row.architecture, with_gan=row.gans is not None)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(asdict(row)) + "\n").encode())


def load_row(folder: Path, architecture: str, *, with_gan: bool) -> Row | None:
    """The row as it was measured, or None where it was not."""
    path = _path(folder, architecture, with_gan=with_gan)
    if not path.is_file():
        return None
    kept = json.loads(path.read_bytes())
    return Row(
        architecture,
        Budget(**kept["gans"]) if with_gan else None,
        kept["folds"],
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
            if row is None:
                kind = "real and GAN" if with_gan else "real"
                lines.append(f"| {architecture} | {kind} | pending: `{command(architecture)}` | | | |")
            else:
                cells = (_cell(row.accuracy), _cell(row.balanced_accuracy), str(len(row.seeds)))
                spent = "to the end" if architecture == SCENE else str(row.iterations)
                lines.append(f"| {architecture} | {_kind(row)} | {spent} | {' | '.join(cells)} |")
        lines += _verdict(folder, architecture)
    return "\n".join(lines) + "\n"


def _kind(row: Row) -> str:
    if row.gans is None:
        return f"real, {row.folds} folds"
    budget = row.gans
    return (
        f"real and {budget.pictures} of each GAN ({budget.form}, {budget.side}x{budget.side}, {budget.steps} steps of "
        f"{budget.batch})"
    )


def _verdict(folder: Path, architecture: str) -> list[str]:
    """What the GAN pictures changed, seed by seed, where both rows have the same seeds, folds and iterations."""
    without, with_gan = (load_row(folder, architecture, with_gan=flag) for flag in (False, True))
    if without is None or with_gan is None:
        return []
    if _protocol(without) != _protocol(with_gan):
        return []
    differences = np.subtract(with_gan.balanced_accuracy, without.balanced_accuracy).tolist()
    mean, low, high = interval(differences)
    said = "GAN pictures help" if low > 0 else "GAN pictures harm" if high < 0 else "no difference shown"
    return [f"| {architecture} | difference | | | {mean:+.3f} ({low:+.3f} to {high:+.3f}): {said} | |"]


def _protocol(row: Row) -> tuple[Any, ...]:
    return row.seeds, row.folds, row.iterations


def _training_rows(
    dataset: Dataset, chosen: NDArray[np.bool_], fold: int, gans: tuple[Budget, Make] | None
) -> Rows:
    """What to learn from: the chosen pictures, and those that the fold's GANs made, what one made under one theme."""
    pixels, labels = dataset.pixels[torch.from_numpy(chosen)], dataset.labels[chosen]
    themes = [theme for theme, taken in zip(dataset.themes, chosen, strict=True) if taken]
    if gans is not None:
        _, make = gans
        for emotion, name in enumerate(dataset.emotions):
            made = make(fold, emotion)
            pixels = torch.cat([pixels, made])
            labels = np.append(labels, np.full(len(made), emotion))
            themes += [f"{PREFIX}{name}"] * len(made)
    return Rows(pixels, labels, themes, dataset.emotions)


def _digest(facts: Sequence[Any], *pictures: Tensor) -> str:
    """Another one for anything that could change what is predicted."""
    told = json.dumps([*facts, torch.__version__, torch.get_num_threads()])
    digest = hashlib.sha256(told.encode())
    for each in pictures:
        digest.update(each.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _cell(values: Sequence[float]) -> str:
    mean, low, high = interval(values)
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def _path(folder: Path, architecture: str, *, with_gan: bool) -> Path:
    return folder / f"{architecture}-{'with' if with_gan else 'without'}.json"
