"""Honest figures: a picture is judged by a model that saw none of its theme, calibrated on other themes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_arrays
from safetensors.numpy import save as serialise_arrays

from scenescore_classifier import metrics
from scenescore_classifier.calibration import fit_temperature, gains, softmax
from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.training.learner import Epoch, Learner, Rows

DECIMALS = 4


@dataclass(frozen=True)
class Run:
    """One cross-validation: every picture judged once."""

    seed: int
    fold_of: Ints
    """int (n,)."""
    logits: Floats
    """float (n, k), each row from the model of its fold, trained on the other folds."""
    chosen: Sequence[Mapping[str, Any]]
    """For each fold, what was chosen inside its training rows."""
    curves: Sequence[Sequence[Epoch]]
    """For each fold, how training went."""

    def part(self, chosen: Ints) -> "Run":
        """Of the pictures at those places: int (m,)."""
        return replace(self, fold_of=self.fold_of[chosen], logits=self.logits[chosen])


@dataclass(frozen=True)
class Split:
    """A way to deal pictures out."""

    seed: int
    fold_of: Ints
    """int (n,): all pictures of a theme are in one fold."""


def splits(labels: Ints, themes: Sequence[str], *, folds: int, seed: int, seeds: int) -> list[Split]:
    """As many splits as `seeds`, each with a seed of its own, from `seed` on. Labels are int (n,), -1 where there is
    none.
    """
    owns = [
        seed + number * (folds + 1) for number in range(seeds)
    ]  # fold f trains with own + 1 + f: no seed twice
    return [Split(own, split_by_theme(labels, themes, folds, np.random.default_rng(own))) for own in owns]


def repeat(rows: Rows, learner: Learner, dealt: Sequence[Split], *, keep: Path) -> list[Run]:
    """A cross-validation for each split, its training seeds after the split's own."""
    return [
        cross_validate(rows, split.fold_of, learner, split.seed, keep=keep / f"seed-{split.seed}")
        for split in dealt
    ]


def cross_validate(rows: Rows, fold_of: Ints, learner: Learner, seed: int, *, keep: Path) -> Run:
    """Each picture's logits from the learner's predictor of its fold.

    Nothing is chosen by looking at the held-out fold: the learner never gets it. Fold f is trained with
    `seed + 1 + f`. Each fold's results are kept in the folder `keep` as soon as they are known and read back from
    there next time: the caller gives other data or another learner another folder.
    """
    folds = int(fold_of.max()) + 1
    logits = np.zeros((len(rows.labels), len(rows.emotions)))
    chosen, curves = [], []
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        path = keep / f"fold-{fold + 1}.safetensors"
        known = _kept(path, (len(held_out), logits.shape[1]))
        if known is None:
            predictor = learner.fit(
                rows.part(np.flatnonzero(fold_of != fold)),
                seed + 1 + fold,
                title=f"fold {fold + 1} of {folds}, seed {seed}",
            )
            known = _Fold(predictor.logits(rows.prepared[held_out]), predictor.chosen, predictor.curve)
            _keep(path, known)
        logits[held_out] = known.logits
        chosen.append(known.chosen)
        curves.append(known.curve)
    return Run(seed, fold_of, logits, chosen, curves)


def calibrated(logits: Floats, labels: Ints, fold_of: Ints) -> Floats:
    """Probabilities (n, k) of held-out logits, each fold with the temperature that suits the other folds."""
    probabilities = np.zeros_like(logits)
    for fold in np.unique(fold_of):
        here = fold_of == fold
        probabilities[here] = softmax(logits[here], fit_temperature(logits[~here], labels[~here]))
    return probabilities


def figures(runs: Sequence[Floats], rows: Rows, names: Sequence[str], *, seed: int) -> dict[str, Any]:
    """The card's figures over the emotions `names`, on the pictures labelled with one of them.

    `runs` are probabilities (n, k) of all pictures and emotions, one array per cross-validation; they are
    renormalised over `names`. Values are means over the runs, with their spread (standard deviation) and a 95 %
    interval by bootstrap over themes, seeded with `seed`; the confusion and the reliability diagram count all runs
    together.
    """
    used, labels, themes = _labelled_with(rows, names)
    return _figures(_over(runs, rows, names, used), labels, themes, names, seed=seed)


def scores(runs: Sequence[Floats], rows: Rows, names: Sequence[str]) -> dict[str, float]:
    """The values of `figures` alone."""
    used, labels, _ = _labelled_with(rows, names)
    everything = np.arange(len(labels))
    over = _over(runs, rows, names, used)
    return {
        name: round(float(np.mean([statistic(run, everything) for run in over])), DECIMALS)
        for name, statistic in _statistics(labels).items()
    }


def calibration_figures(
    runs: Sequence[Run], rows: Rows, names: Sequence[str], *, seed: int
) -> dict[str, Any]:
    """What the temperature changes, over `names` as `figures` has it: scores before and after, and the interval of
    what they fell by.
    """
    used, labels, themes = _labelled_with(rows, names)
    before = _over([softmax(run.logits) for run in runs], rows, names, used)
    after = _over([calibrated(run.logits, rows.labels, run.fold_of) for run in runs], rows, names, used)
    found = gains(before, after, labels, themes, seed=seed)
    return {
        name: {
            "before": round(gain.before, DECIMALS),
            "after": round(gain.after, DECIMALS),
            "fall_95": [round(bound, DECIMALS) for bound in gain.fall_95],
        }
        for name, gain in found.items()
    }


def _labelled_with(rows: Rows, names: Sequence[str]) -> tuple[Ints, Ints, list[str]]:
    """Places of the pictures with one of these emotions, which one it is (its place in `names`), and their themes."""
    place = np.full(len(rows.emotions), -1, dtype=np.int64)
    place[[rows.emotions.index(name) for name in names]] = np.arange(len(names))
    labels = place[rows.labels]
    used = np.flatnonzero(labels >= 0)
    return used, labels[used], [rows.themes[int(row)] for row in used]


def _over(runs: Sequence[Floats], rows: Rows, names: Sequence[str], used: Ints) -> list[Floats]:
    """The probabilities of those pictures over `names` alone."""
    columns = np.array([rows.emotions.index(name) for name in names])
    return [_renormalised(run[np.ix_(used, columns)]) for run in runs]


def _renormalised(probabilities: Floats) -> Floats:
    shares: Floats = probabilities / probabilities.sum(axis=1, keepdims=True)
    return shares


def _figures(
    runs: Sequence[Floats], labels: Ints, themes: Sequence[str], names: Sequence[str], *, seed: int
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "emotions": list(names),
        "pictures": len(labels),
        "themes": len(set(themes)),
        "runs": len(runs),
    }
    everything = np.arange(len(labels))
    for name, statistic in _statistics(labels).items():

        def mean(chosen: Ints, statistic: Callable[[Floats, Ints], float] = statistic) -> float:
            return float(np.mean([statistic(run, chosen) for run in runs]))

        values = [statistic(run, everything) for run in runs]
        interval = metrics.bootstrap_interval(mean, themes, np.random.default_rng(seed))
        figures[name] = {
            "value": round(float(np.mean(values)), DECIMALS),
            "spread": round(float(np.std(values, ddof=1)), DECIMALS) if len(runs) > 1 else None,
            "interval_95": [round(bound, DECIMALS) for bound in interval],
        }
    drawn = metrics.reliability(np.concatenate(runs), np.tile(labels, len(runs)))
    figures["reliability"] = {
        "counts": drawn.counts.tolist(),
        "confidence": _rounded(drawn.confidence),
        "accuracy": _rounded(drawn.accuracy),
    }
    errors = [metrics.calibration_error(run, labels) for run in runs]
    figures["calibration_error"] = round(float(np.mean(errors)), DECIMALS)
    confusions = [metrics.confusion_matrix(labels, run.argmax(axis=1), len(names)) for run in runs]
    figures["confusion"] = np.sum(confusions, axis=0).tolist()
    figures["guessing"] = _guessing(labels, len(names))
    return figures


def _rounded(values: Floats) -> list[float | None]:
    """For JSON, which has no NaN: None where a bin is empty."""
    return [round(float(value), DECIMALS) if np.isfinite(value) else None for value in values]


def _statistics(labels: Ints) -> dict[str, Callable[[Floats, Ints], float]]:
    """Figures of probabilities (n, k) on some rows, int (m,)."""
    return {
        "accuracy": lambda run, rows: metrics.accuracy(labels[rows], run[rows].argmax(axis=1)),
        "balanced_accuracy": lambda run, rows: metrics.balanced_accuracy(
            labels[rows], run[rows].argmax(axis=1)
        ),
        "brier_score": lambda run, rows: metrics.brier_score(run[rows], labels[rows]),
        "log_loss": lambda run, rows: metrics.log_loss(run[rows], labels[rows]),
    }


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


@dataclass(frozen=True)
class _Fold:
    logits: Floats
    chosen: Mapping[str, Any]
    curve: Sequence[Epoch]


def _keep(path: Path, fold: _Fold) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    story = {"chosen": dict(fold.chosen), "curve": [asdict(epoch) for epoch in fold.curve]}
    write_atomically(path.with_suffix(".json"), json.dumps(story).encode())
    write_atomically(path, serialise_arrays({"logits": fold.logits}))  # last: says that the fold is whole


def _kept(path: Path, shape: tuple[int, int]) -> _Fold | None:
    """A fold finished before, or None where there is none that can be used."""
    try:
        logits: Floats = parse_arrays(path.read_bytes())["logits"]
        story = json.loads(path.with_suffix(".json").read_bytes())
        fold = _Fold(logits, story["chosen"], [Epoch(**epoch) for epoch in story["curve"]])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
    return fold if logits.shape == shape else None
