"""The card of a trained model: what it is, what it learnt from, and how good it was on pictures held out."""

import argparse
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scenescore_classifier import no_scenes
from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import Dataset
from scenescore_classifier.evaluation import (
    Run,
    Split,
    calibrated,
    calibration_figures,
    figures,
    scores,
)
from scenescore_classifier.metrics import Floats
from scenescore_classifier.models.architecture import Architecture, OnOwnBackbone, Training
from scenescore_classifier.novelty import Novelty, statistics, towards_even
from scenescore_classifier.training.affect import Seen, affect_figures
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.learner import Learner, Predictor, Rows
from scenescore_classifier.training.told import ToldLearner
from scenescore_shared.emotions import DEFAULT_EMOTIONS

NO_SCENES = 10
"""Pictures that are drawn of each kind that is no scene."""

LIBRARIES = ("torch", "numpy", "pillow", "safetensors", "scenescore-classifier")


def temperature_of(runs: Sequence[Run], rows: Rows) -> float:
    """The one that suits all held-out pictures."""
    logits = np.concatenate([run.logits for run in runs])
    return round(fit_temperature(logits, np.tile(rows.labels, len(runs))), 6)


def training_of(
    options: argparse.Namespace, model: Architecture, learner: Learner, final: Predictor
) -> dict[str, Any]:
    command = [
        *("python", "-m", "scenescore_classifier.train", "FOLDER", "--out", "DIR"),
        *("--model", options.model, "--seed", str(options.seed), "--seeds", str(options.seeds)),
        *(() if options.epochs is None else ("--epochs", str(options.epochs))),
        *(() if options.patience is None else ("--patience", str(options.patience))),
        *(() if options.augment is None else ("--augment", options.augment)),
        *(() if options.scale is None else (f"--scale={options.scale.low:g}..{options.scale.high:g}",)),
        *_photographs_of(options),
        *(("--half",) if options.half else ()),
        *("--folds", str(options.folds), "--threads", str(options.threads), "--device", options.device),
    ]
    return {
        "command": shlex.join(command),
        "weights": model.training.value,
        "input": list(model.prepared_shape),
        "seed": options.seed,
        **learner.description,
        "chosen": dict(final.chosen),
    }


def _photographs_of(options: argparse.Namespace) -> list[str]:
    if options.photographs is None:
        return []
    left_out = [word for folder in options.leave_out for word in ("--leave-out", folder)]
    rated = [] if options.rated is None else ["--rated", "RATINGS"]
    return ["--photographs", "PHOTOGRAPHS", *rated, "--teller", options.teller, *left_out]


def backbone_of(model: Architecture) -> dict[str, str]:
    """Which backbone the head fits, where there may be several."""
    return {"backbone_sha256": model.backbone_sha256()} if isinstance(model, OnOwnBackbone) else {}


def data_of(options: argparse.Namespace, dataset: Dataset) -> dict[str, Any]:
    labelled = dataset.labels >= 0
    counts = np.bincount(dataset.labels[labelled]).tolist()
    return {
        "name": options.data_name,
        "citation": options.data_citation,
        "licence": options.data_licence,
        "pictures": dict(zip(dataset.emotions, counts, strict=True)),
        "without_emotion": int(np.count_nonzero(~labelled)),
        "themes": len(set(dataset.themes)),
        "skipped": len(dataset.skipped),
        "fingerprint": dataset.fingerprint,
    }


def metrics_of(
    runs: Sequence[Run], rows: Rows, options: argparse.Namespace, novelty: Novelty | None, seen: Floats
) -> dict[str, Any]:
    """Figures over all emotions of the data, and over those of the default three that it has.

    `seen` are the statistics (n, 12) of the rows' pictures. The novelty that the figures are without is the final
    one: what it would change in them is told beside them.
    """
    default = [emotion for emotion in DEFAULT_EMOTIONS if emotion in rows.emotions]
    probabilities = [calibrated(run.logits, rows.labels, run.fold_of) for run in runs]
    found: dict[str, Any] = {
        "method": f"{options.folds}-fold cross-validation, split by theme with the seeds "
        f"{', '.join(str(run.seed) for run in runs)}; fold f (from 1) trained with seed + f; everything chosen was "
        "chosen inside the training folds; temperature of each fold fitted on the other folds; intervals by "
        "bootstrap over themes",
        "all_emotions": figures(probabilities, rows, rows.emotions, seed=options.seed),
        "default_emotions": figures(probabilities, rows, default, seed=options.seed),
        "calibration": {
            "all_emotions": calibration_figures(runs, rows, rows.emotions, seed=options.seed),
            "default_emotions": calibration_figures(runs, rows, default, seed=options.seed),
        },
        "chosen_in_folds": [[dict(chosen) for chosen in run.chosen] for run in runs],
    }
    if novelty is not None:
        shares = novelty.scene_shares(seen)
        mixed = [towards_even(each, shares) for each in probabilities]
        found["novelty"] = {
            "pictures_moved": int(np.count_nonzero(shares < 1)),
            "default_emotions": scores(mixed, rows, default),
        }
    return found


def affect_of(
    model: Architecture,
    dataset: Dataset,
    dealt: Sequence[Split],
    *,
    learner: Learner,
    rows: Rows,
    directions: Directions | None,
    seed: int,
) -> dict[str, Any] | None:
    """Correlations with the raters; None without ratings, and for a network that has no embedding to start from.

    Where the `learner` lets a model tell, it tells ratings, too; `rows` are the data set's, `directions` the model's.
    """
    if model.training is not Training.HEAD or dataset.affect is None or dataset.affect_sd is None:
        return None
    telling = None
    if isinstance(learner, ToldLearner) and rows.of_teller is not None:
        telling = learner.photographs, _seen(rows.of_teller, learner.directions)
    return affect_figures(
        _seen(dataset.pixels, directions),
        (dataset.affect, dataset.affect_sd),
        dataset.themes,
        [(split.seed, split.fold_of) for split in dealt],
        seed=seed,
        telling=telling,
    )


def _seen(prepared: Tensor, directions: Directions | None) -> Seen:
    return Seen(prepared.numpy().astype(np.float64), directions)


def no_scenes_of(
    model: Architecture,
    final: Predictor,
    emotions: Sequence[str],
    temperature: float,
    novelty: Novelty | None,
) -> Mapping[str, Any] | None:
    """For each kind of picture that is no scene, the likeliest default emotion's probability, mean and largest,
    without the novelty and with it. None where there is none.
    """
    if novelty is None:
        return None
    columns = [emotions.index(emotion) for emotion in DEFAULT_EMOTIONS if emotion in emotions]
    found: dict[str, Any] = {"pictures_of_each": NO_SCENES, "even": round(1 / len(columns), 4)}
    for kind in no_scenes.KINDS:
        pictures = no_scenes.draw(kind, NO_SCENES, seed=0)
        prepared = torch.stack([model.prepare(picture) for picture in pictures])
        before = softmax(final.logits(prepared)[:, columns], temperature)
        seen = np.stack([statistics(picture) for picture in pictures])
        after = towards_even(before, novelty.scene_shares(seen))
        found[kind] = {"without": _likeliest(before), "with": _likeliest(after)}
    return found


def _likeliest(probabilities: Floats) -> dict[str, float]:
    largest = probabilities.max(axis=1)
    return {"mean": round(float(largest.mean()), 4), "largest": round(float(largest.max()), 4)}


def library_versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
