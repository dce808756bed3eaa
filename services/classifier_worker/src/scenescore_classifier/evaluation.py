"""Honest figures: a picture is judged by a model that saw none of its theme, calibrated on other themes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_arrays
from safetensors.numpy import save as serialise_arrays

from scenescore_classifier import metrics
from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data import Dataset
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.training import Settings, fit, predict

DECIMALS = 4


def cross_validate(
    dataset: Dataset, fold_of: Ints, settings: Settings, *, keep: Path, device: str = "cpu"
) -> Floats:
    """Logits (n, k) of each picture from the model of its fold, trained on the other folds.

    Nothing is chosen by looking at the held-out fold: the number of epochs is fixed in `settings`. Fold f is
    trained with seed `settings.seed + 1 + f`. Each fold's logits are kept in the folder `keep` as soon as they
    are known and read back from there next time: the caller gives other data or settings another folder.
    """
    logits = np.zeros((len(dataset.labels), len(dataset.emotions)))
    folds = int(fold_of.max()) + 1
    for fold in range(folds):
        held_out = fold_of == fold
        path = keep / f"fold-{fold + 1}.safetensors"
        known = _kept(path, (int(held_out.sum()), logits.shape[1]))
        if known is None:
            model = fit(
                dataset.pixels[~held_out],
                dataset.labels[~held_out],
                len(dataset.emotions),
                replace(settings, seed=settings.seed + 1 + fold),
                device=device,
                title=f"fold {fold + 1} of {folds}",
            )
            known = predict(model, dataset.pixels[held_out])
            keep.mkdir(parents=True, exist_ok=True)
            write_atomically(path, serialise_arrays({"logits": known}))
        logits[held_out] = known
    return logits


def calibrated(logits: Floats, labels: Ints, fold_of: Ints) -> Floats:
    """Probabilities (n, k) of held-out logits, each fold with the temperature that suits the other folds."""
    probabilities = np.zeros_like(logits)
    for fold in np.unique(fold_of):
        here = fold_of == fold
        probabilities[here] = softmax(logits[here], fit_temperature(logits[~here], labels[~here]))
    return probabilities


def figures(probabilities: Floats, dataset: Dataset, names: Sequence[str], *, seed: int) -> dict[str, Any]:
    """The card's figures over the emotions `names`, on the pictures of `dataset` labelled with one of them.

    `probabilities` (n, k) of all pictures and emotions are renormalised over `names`. 95 % intervals by
    bootstrap over themes, seeded with `seed`.
    """
    columns = np.array([dataset.emotions.index(name) for name in names])
    place = np.full(len(dataset.emotions), -1, dtype=np.int64)
    place[columns] = np.arange(len(columns))
    labels = place[dataset.labels]
    rows = np.flatnonzero(labels >= 0)
    themes = [dataset.themes[row] for row in rows]
    return _figures(probabilities[np.ix_(rows, columns)], labels[rows], themes, names, seed=seed)


def _figures(
    probabilities: Floats, labels: Ints, themes: Sequence[str], names: Sequence[str], *, seed: int
) -> dict[str, Any]:
    shares: Floats = probabilities / probabilities.sum(axis=1, keepdims=True)
    predicted = shares.argmax(axis=1)
    statistics: dict[str, Callable[[Ints], float]] = {
        "accuracy": lambda rows: metrics.accuracy(labels[rows], predicted[rows]),
        "balanced_accuracy": lambda rows: metrics.balanced_accuracy(labels[rows], predicted[rows]),
        "brier_score": lambda rows: metrics.brier_score(shares[rows], labels[rows]),
        "log_loss": lambda rows: metrics.log_loss(shares[rows], labels[rows]),
    }
    everything = np.arange(len(labels))
    figures: dict[str, Any] = {"emotions": list(names), "pictures": len(labels), "themes": len(set(themes))}
    for name, statistic in statistics.items():
        interval = metrics.bootstrap_interval(statistic, themes, np.random.default_rng(seed))
        figures[name] = {
            "value": round(statistic(everything), DECIMALS),
            "interval_95": [round(bound, DECIMALS) for bound in interval],
        }
    figures["calibration_error"] = round(metrics.calibration_error(shares, labels), DECIMALS)
    figures["confusion"] = metrics.confusion_matrix(labels, predicted, len(names)).tolist()
    figures["guessing"] = _guessing(labels, len(names))
    return figures


def _guessing(labels: Ints, classes: int) -> dict[str, float]:
    """What one gets without looking at a picture, giving each emotion its share of these labels."""
    frequencies = np.bincount(labels, minlength=classes) / len(labels)
    rows = np.tile(frequencies, (len(labels), 1))
    figures = {
        "accuracy": frequencies.max(),
        "balanced_accuracy": 1 / np.count_nonzero(frequencies),
        "brier_score": metrics.brier_score(rows, labels),
        "log_loss": metrics.log_loss(rows, labels),
    }
    return {name: round(float(value), DECIMALS) for name, value in figures.items()}


def _kept(path: Path, shape: tuple[int, int]) -> Floats | None:
    """Logits of a fold finished before, or None where there are none that can be used."""
    try:
        logits: Floats = parse_arrays(path.read_bytes())["logits"]
    except (OSError, SafetensorError, KeyError):
        return None
    return logits if logits.shape == shape else None
