"""`python -m scenescore_classifier.train FOLDER --out DIR [--model NAME]`: pictures → weights and their card.

Cross-validates by theme, fits the temperature on the held-out pictures, then trains on everything with the
same settings. Ctrl-C stops it cleanly; the same command goes on after the last finished fold.
"""

import argparse
import csv
import hashlib
import io
import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scenescore_classifier import checkpoint
from scenescore_classifier.augmentation_policies import POLICIES
from scenescore_classifier.data import Dataset, DatasetError, Scale, Skipped, read_folder
from scenescore_classifier.devices import device
from scenescore_classifier.evaluation import Run, repeat, splits
from scenescore_classifier.exits import exit_status
from scenescore_classifier.models.architecture import Architecture, ModelError, Training, file_stem
from scenescore_classifier.models.registry import MOBILENET, NAMES, architecture
from scenescore_classifier.models.thesis import AS_DESCRIBED
from scenescore_classifier.novelty import Noting
from scenescore_classifier.novelty import fit as fit_novelty
from scenescore_classifier.training import card
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.curves import write_curves
from scenescore_classifier.training.directions import known_directions
from scenescore_classifier.training.embeddings import Prepare, fingerprint, remembered
from scenescore_classifier.training.learner import Learner, Predictor, Rows
from scenescore_classifier.training.photographs import Looked, look_at
from scenescore_classifier.training.rated import RatedPhotographs
from scenescore_classifier.training.told import Photographs, ToldLearner

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


def _report(written: dict[str, Any], out: Path) -> None:
    sys.stdout.write(_summary(written) + f"Weights and card are in {out}.\n")


@dataclass(frozen=True)
class _Asked:
    """A model that is asked for what it makes of pictures."""

    architecture: Architecture
    prepared_as: str
    """Changes with its backbone and its views."""
    prepare: Prepare
    """Asks a frozen backbone once for each picture."""


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Everything the command does with its parsed `options`; returns the card that was written."""
    model = _asked(options.model, options)
    teller = _teller(model.architecture, options)
    rated = _rated(model.architecture, options)
    noting = Noting(model.prepare)
    dataset = read_folder(options.folder, prepare=noting, unlabelled=True, scale=options.scale)
    _report_skipped(dataset.skipped, options.out)
    sys.stderr.writelines(f"{warning}\n" for warning in dataset.warnings)
    every = _rows(dataset)
    if teller is not None:
        every = replace(every, of_teller=_of_teller(teller, dataset, options))
    looked = None if options.photographs is None else _looked(model, teller, rated, dataset, options)
    judged = None if rated is None or looked is None else rated.of(looked, looked.prepared[0])
    directions = known_directions(model.architecture, judged)
    if teller is None or looked is None:
        learner = learner_for(
            model.architecture,
            epochs=options.epochs,
            patience=options.patience,
            augmentation=options.augment,
            device=options.device,
            directions=directions,
        )
    else:
        learner = _told(model, teller, looked, rated)
    progress = options.out / PROGRESS_FOLDER
    keep = progress / _run_id(dataset, learner, options, model.prepared_as)
    dealt = splits(
        dataset.labels, dataset.themes, folds=options.folds, seed=options.seed, seeds=options.seeds
    )
    labelled, rows = every.labelled, every.part(every.labelled)
    runs = [run.part(labelled) for run in repeat(every, learner, dealt, keep=keep)]
    final = learner.fit(every, options.seed, title="final")
    temperature, novelty = card.temperature_of(runs, rows), fit_novelty(noting.rows)
    written = {
        "emotions": list(rows.emotions),
        "temperature": temperature,
        "novelty": None if novelty is None else novelty.as_card(),
        **card.backbone_of(model.architecture),
        "training": card.training_of(options, model.architecture, learner, final),
        "data": card.data_of(options, dataset),
        "metrics": {
            **card.metrics_of(runs, rows, options, novelty, noting.rows[labelled]),
            "affect": card.affect_of(
                model.architecture,
                dataset,
                dealt,
                learner=learner,
                rows=every,
                directions=directions,
                seed=options.seed,
            ),
            "no_scenes": card.no_scenes_of(model.architecture, final, rows.emotions, temperature, novelty),
        },
        "library_versions": card.library_versions(),
    }
    checkpoint.save(
        options.out,
        model.architecture.name,
        final.network,
        written,
        dtype=torch.float16 if options.half else None,
    )
    _write_curves(options.out, runs, final)
    shutil.rmtree(progress)
    return written


def _rows(dataset: Dataset) -> Rows:
    """All pictures, also those without an emotion. Raises DatasetError where there are not two emotions."""
    if len(dataset.emotions) < 2:  # noqa: PLR2004 - one emotion is nothing to tell apart
        raise DatasetError(
            "Valence and arousal alone train no classifier: name emotions, or give a dead zone when importing."
        )
    return Rows(dataset.pixels, dataset.labels, dataset.themes, dataset.emotions, dataset.affect)


def _asked(name: str, options: argparse.Namespace) -> _Asked:
    """The model of that name. Raises ModelError where it can't be asked."""
    model = architecture(name, models_dir=options.models_dir, device=options.device)
    prepared_as = fingerprint(model.prepare)
    if model.training not in {Training.HEAD, Training.ZERO_SHOT}:
        return _Asked(model, prepared_as, model.prepare)
    kept = options.out / PROGRESS_FOLDER / "embeddings" / f"{file_stem(model.name)}-{prepared_as}"
    return _Asked(model, prepared_as, remembered(model.prepare, kept))


def _teller(model: Architecture, options: argparse.Namespace) -> _Asked | None:
    """The model that tells; None where there are no photographs to tell of, and where it would tell itself.

    Raises DatasetError or ModelError, before anything is read, where it can't tell.
    """
    if options.photographs is None:
        if options.leave_out:
            raise DatasetError("--leave-out passes over folders of photographs: name --photographs, too.")
        return None
    if not options.photographs.is_dir():
        raise DatasetError(f"{options.photographs} is no folder: --photographs takes one.")
    if options.teller == options.model:
        if options.rated is None:
            raise ModelError(
                f"{options.model} can't tell itself anything: name another --teller, or --rated."
            )
        return None
    teller = _asked(options.teller, options)
    if not model.training is teller.architecture.training is Training.HEAD:
        raise ModelError(
            f"{options.teller} can't tell {options.model} what photographs feel like: both must be heads on frozen "
            "backbones, such as scene and mobilenet."
        )
    return teller


def _rated(model: Architecture, options: argparse.Namespace) -> RatedPhotographs | None:
    """The ratings of photographs; None without. Raises DatasetError or ModelError, before anything is read, where they
    can teach nothing.
    """
    if options.rated is None:
        return None
    if options.photographs is None:
        raise DatasetError("--rated says what photographs feel like: name --photographs, too.")
    if model.training is not Training.HEAD:
        raise ModelError(
            f"{options.model} can't learn from rated photographs: only heads on frozen backbones do, such as scene."
        )
    rated = RatedPhotographs.read(options.rated)
    rated.require_enough(options.photographs, options.leave_out)
    return rated


def _looked(
    model: _Asked,
    teller: _Asked | None,
    rated: RatedPhotographs | None,
    dataset: Dataset,
    options: argparse.Namespace,
) -> Looked:
    """The photographs as the model prepares them, and the teller, if any; without one, those that were rated."""
    looked, skipped = look_at(
        options.photographs,
        [model.prepare] if teller is None else [model.prepare, teller.prepare],
        leave_out=options.leave_out,
        known=(hashlib.sha256((options.folder / file).read_bytes()).hexdigest() for file in dataset.files),
        only=rated.shares if rated is not None and teller is None else None,
    )
    _say_skipped(skipped, "of the photographs, ")
    return looked


def _told(model: _Asked, teller: _Asked, looked: Looked, rated: RatedPhotographs | None) -> Learner:
    own, of_teller = looked.prepared
    judged = None if rated is None else rated.of(looked, of_teller)
    return ToldLearner(
        model.architecture,
        teller.architecture,
        teller.prepared_as,
        Photographs(own, of_teller, looked.fingerprint),
        known_directions(teller.architecture, judged),
    )


def _of_teller(teller: _Asked, dataset: Dataset, options: argparse.Namespace) -> Tensor:
    """What the teller makes of the pictures of `dataset`, in order."""
    again = read_folder(options.folder, prepare=teller.prepare, unlabelled=True, scale=options.scale)
    if again.fingerprint != dataset.fingerprint:
        raise DatasetError(f"{options.folder} has changed meanwhile: leave it alone, and start again.")
    return again.pixels


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
        "--model",
        default=AS_DESCRIBED,
        metavar="NAME",
        help=f"one of {', '.join(NAMES)} (default {AS_DESCRIBED})",
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
    parser.add_argument(
        "--augment",
        choices=list(POLICIES),
        help="how training pictures are varied and mixed (default: as the model's learner has it)",
    )
    parser.add_argument(
        "--scale",
        type=_scale,
        help="of valence and arousal in labels.csv, such as 1..7: they are learnt beside the emotions",
    )
    parser.add_argument(
        "--photographs",
        type=Path,
        help="folder of photographs, at any depth, without labels: the head learns what --teller says of them",
    )
    parser.add_argument(
        "--rated",
        type=Path,
        help="CSV of what some photographs make people feel (sha256, happy, angry, sad, calm), for heads",
    )
    parser.add_argument(
        "--teller",
        default=MOBILENET,
        metavar="NAME",
        help="a model that tells better, in training only (default %(default)s); the same as --model: none tells",
    )
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="NAME", help="folder of photographs to pass over"
    )
    parser.add_argument("--half", action="store_true", help="keep the weights in 16 bits: half the room")
    parser.add_argument("--folds", type=_whole(2), default=5, help="of the cross-validation (default 5)")
    parser.add_argument(
        "--threads", type=_whole(1), default=1, help="the same number gives the same weights (default 1)"
    )
    parser.add_argument(
        "--device", type=device, default="cpu", help="cpu (default, repeatable to the bit) or cuda"
    )
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


def _scale(text: str) -> Scale:
    try:
        return Scale.parse(text)
    except DatasetError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _report_skipped(skipped: Sequence[Skipped], out: Path) -> None:
    """All of them go into a file; the terminal gets a line per reason."""
    out.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "reason"])
    writer.writerows((item.file, item.reason) for item in skipped)
    checkpoint.write_atomically(out / SKIPPED_FILE, table.getvalue().encode(errors="surrogateescape"))
    _say_skipped(skipped)


def _say_skipped(skipped: Sequence[Skipped], of: str = "") -> None:
    for reason, count in Counter(item.reason for item in skipped).most_common():
        sys.stderr.write(f"{of}skipped {count}: {reason}\n")


def _run_id(dataset: Dataset, learner: Learner, options: argparse.Namespace, prepared_as: str) -> str:
    """Names the folder of kept folds: another one for anything that could change a fold's result."""
    facts = [
        dataset.fingerprint,
        options.model,
        prepared_as,
        dict(learner.description),
        options.folds,
        options.threads,
        options.device,
    ]
    return hashlib.sha256(json.dumps([*facts, torch.__version__]).encode()).hexdigest()[:16]


def _summary(written: dict[str, Any]) -> str:
    """A few lines for people, from the card."""
    lines = []
    figures = written["metrics"]
    all_emotions, default = figures["all_emotions"], figures["default_emotions"]
    for part in (
        (all_emotions,) if default["emotions"] == all_emotions["emotions"] else (all_emotions, default)
    ):
        lines.append(f"{', '.join(part['emotions'])}: {part['pictures']} held-out pictures")
        for name in ("accuracy", "balanced_accuracy", "brier_score", "log_loss"):
            low, high = part[name]["interval_95"]
            value, guess = part[name]["value"], part["guessing"][name]
            lines.append(f"  {name:18} {value:.3f}  (95 %: {low:.3f} to {high:.3f}; guessing: {guess:.3f})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
