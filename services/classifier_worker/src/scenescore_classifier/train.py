"""`python -m scenescore_classifier.train FOLDER --out DIR [--model NAME]`: pictures → weights and their card.

Cross-validates by theme, fits the temperature on the held-out pictures, then trains on everything with the
same settings. Ctrl-C stops it cleanly; the same command goes on after the last finished fold.
"""

import argparse
import csv
import hashlib
import io
import json
import platform
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scenescore_classifier import checkpoint
from scenescore_classifier.calibration import fit_temperature, softmax
from scenescore_classifier.data import Dataset, Skipped, read_folder
from scenescore_classifier.evaluation import Run, calibrated, figures, repeat
from scenescore_classifier.exits import exit_status
from scenescore_classifier.metrics import log_loss
from scenescore_classifier.models.architecture import Architecture, Training, file_stem
from scenescore_classifier.models.registry import DEFAULT, NAMES, architecture
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.curves import write_curves
from scenescore_classifier.training.embeddings import Prepare, remembered
from scenescore_classifier.training.learner import Learner, Predictor, Rows
from scenescore_shared.emotions import DEFAULT_EMOTIONS

SKIPPED_FILE = "skipped.csv"
PROGRESS_FOLDER = "progress"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    return exit_status(
        lambda: _report(train(options), options.out),
        stopped="Finished folds are kept: the same command goes on from there.",
    )


def _report(card: dict[str, Any], out: Path) -> None:
    sys.stdout.write(_summary(card) + f"Weights and card are in {out}.\n")


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Everything the command does with its parsed `options`; returns the card that was written."""
    model = architecture(options.model, models_dir=options.models_dir, device=options.device)
    learner = learner_for(model, epochs=options.epochs, patience=options.patience, device=options.device)
    progress = options.out / PROGRESS_FOLDER
    dataset = read_folder(options.folder, prepare=_prepare(model, progress))
    _report_skipped(dataset.skipped, options.out)
    sys.stderr.writelines(f"{warning}\n" for warning in dataset.warnings)
    rows = Rows(dataset.pixels, dataset.labels, dataset.themes, dataset.emotions)
    keep = progress / _run_id(dataset, learner, options)
    runs = repeat(rows, learner, folds=options.folds, seed=options.seed, seeds=options.seeds, keep=keep)
    temperature = fit_temperature(
        np.concatenate([run.logits for run in runs]), np.tile(rows.labels, len(runs))
    )
    final = learner.fit(rows, options.seed, title="final")
    card = {
        "emotions": list(rows.emotions),
        "temperature": round(temperature, 6),
        "training": _training_of(options, model, learner, final),
        "data": _data_of(options, dataset),
        "metrics": _metrics_of(runs, rows, options),
        "library_versions": {
            "python": platform.python_version(),
            **{
                name: version(name)
                for name in ("torch", "numpy", "pillow", "safetensors", "scenescore-classifier")
            },
        },
    }
    checkpoint.save(
        options.out, model.name, final.network, card, dtype=torch.float16 if options.half else None
    )
    _write_curves(options.out, runs, final)
    shutil.rmtree(progress)
    return card


def _prepare(model: Architecture, progress: Path) -> Prepare:
    if model.training in {Training.HEAD, Training.ZERO_SHOT}:
        return remembered(model.prepare, progress / "embeddings" / file_stem(model.name))
    return model.prepare


def _write_curves(out: Path, runs: Sequence[Run], final: Predictor) -> None:
    curves = {
        f"seed {run.seed}, fold {fold}": curve
        for run in runs
        for fold, curve in enumerate(run.curves, start=1)
    }
    curves["final"] = final.curve
    if not any(curves.values()):
        return  # nothing that is trained epoch by epoch
    complaint = write_curves(out, curves)
    if complaint:
        sys.stderr.write(f"{complaint}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_classifier.train", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="pictures, with labels.csv (file, emotion, theme) or a folder per emotion"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the weights, their card and skipped.csv"
    )
    parser.add_argument(
        "--model", default=DEFAULT, metavar="NAME", help=f"one of {', '.join(NAMES)} (default {DEFAULT})"
    )
    parser.add_argument(
        "--models-dir",
        type=Path,
        default=Path(".scenescore/models"),
        help="where `scenescore models pull` put backbones (default %(default)s)",
    )
    parser.add_argument("--seed", type=_whole(0), default=0, help="of everything left to chance (default 0)")
    parser.add_argument(
        "--seeds",
        type=_whole(1),
        default=1,
        help="cross-validations, each with a split of its own (default 1)",
    )
    parser.add_argument("--epochs", type=_whole(1), help="at most (default: as the model's learner has it)")
    parser.add_argument(
        "--patience",
        type=_whole(0),
        help="epochs without a better validation loss after which training stops; 0: never, and all pictures are "
        "trained on (default: as the model's learner has it)",
    )
    parser.add_argument("--half", action="store_true", help="keep the weights in 16 bits: half the room")
    parser.add_argument("--folds", type=_whole(2), default=5, help="of the cross-validation (default 5)")
    parser.add_argument(
        "--threads", type=_whole(1), default=1, help="the same number gives the same weights (default 1)"
    )
    parser.add_argument("--device", default="cpu", help="cpu (default, repeatable to the bit) or cuda")
    parser.add_argument("--data-name", default="", help="for the card: what the data set is called")
    parser.add_argument("--data-citation", default="", help="for the card: who made it")
    parser.add_argument("--data-licence", default="", help="for the card: on which terms it may be used")
    return parser


def _whole(least: int) -> Any:
    def parse(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        return number

    return parse


def _report_skipped(skipped: Sequence[Skipped], out: Path) -> None:
    """All of them go into a file; the terminal gets a line per reason."""
    out.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "reason"])
    writer.writerows((item.file, item.reason) for item in skipped)
    checkpoint.write_atomically(out / SKIPPED_FILE, table.getvalue().encode(errors="surrogateescape"))
    for reason, count in Counter(item.reason for item in skipped).most_common():
        sys.stderr.write(f"skipped {count}: {reason}\n")


def _run_id(dataset: Dataset, learner: Learner, options: argparse.Namespace) -> str:
    """Names the folder of kept folds: another one for anything that could change a fold's result."""
    facts = [
        dataset.fingerprint,
        options.model,
        dict(learner.description),
        options.folds,
        options.threads,
        options.device,
    ]
    return hashlib.sha256(json.dumps([*facts, torch.__version__]).encode()).hexdigest()[:16]


def _training_of(
    options: argparse.Namespace, model: Architecture, learner: Learner, final: Predictor
) -> dict[str, Any]:
    command = [
        *("python", "-m", "scenescore_classifier.train", "FOLDER", "--out", "DIR"),
        *("--model", options.model, "--seed", str(options.seed), "--seeds", str(options.seeds)),
        *(() if options.epochs is None else ("--epochs", str(options.epochs))),
        *(() if options.patience is None else ("--patience", str(options.patience))),
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


def _data_of(options: argparse.Namespace, dataset: Dataset) -> dict[str, Any]:
    counts = np.bincount(dataset.labels).tolist()
    return {
        "name": options.data_name,
        "citation": options.data_citation,
        "licence": options.data_licence,
        "pictures": dict(zip(dataset.emotions, counts, strict=True)),
        "themes": len(set(dataset.themes)),
        "skipped": len(dataset.skipped),
        "fingerprint": dataset.fingerprint,
    }


def _metrics_of(runs: Sequence[Run], rows: Rows, options: argparse.Namespace) -> dict[str, Any]:
    """Figures over all emotions of the data, and over those of the default three that it has."""
    default = [emotion for emotion in DEFAULT_EMOTIONS if emotion in rows.emotions]
    probabilities = [calibrated(run.logits, rows.labels, run.fold_of) for run in runs]
    before = [log_loss(softmax(run.logits), rows.labels) for run in runs]
    return {
        "method": f"{options.folds}-fold cross-validation, split by theme with the seeds "
        f"{', '.join(str(run.seed) for run in runs)}; fold f (from 1) trained with seed + f; everything chosen was "
        "chosen inside the training folds; temperature of each fold fitted on the other folds; intervals by "
        "bootstrap over themes",
        "all_emotions": figures(probabilities, rows, rows.emotions, seed=options.seed),
        "default_emotions": figures(probabilities, rows, default, seed=options.seed),
        "log_loss_before_temperature": round(float(np.mean(before)), 4),
        "chosen_in_folds": [[dict(chosen) for chosen in run.chosen] for run in runs],
    }


def _summary(card: dict[str, Any]) -> str:
    """A few lines for people, from the card."""
    lines = []
    for part in (card["metrics"]["all_emotions"], card["metrics"]["default_emotions"]):
        lines.append(f"{', '.join(part['emotions'])}: {part['pictures']} held-out pictures")
        for name in ("accuracy", "balanced_accuracy", "brier_score", "log_loss"):
            low, high = part[name]["interval_95"]
            value, guess = part[name]["value"], part["guessing"][name]
            lines.append(f"  {name:18} {value:.3f}  (95 %: {low:.3f} to {high:.3f}; guessing: {guess:.3f})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
