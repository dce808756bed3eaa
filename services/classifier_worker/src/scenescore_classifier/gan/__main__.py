"""`python -m scenescore_classifier.gan {train,sample,quality,admit,reject,table} …`"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data import Dataset, DatasetError, read_folder
from scenescore_classifier.exits import exit_status
from scenescore_classifier.gan import review, state, table
from scenescore_classifier.gan.arguments import make_parser
from scenescore_classifier.gan.pictures import grid, png
from scenescore_classifier.gan.quality import measure, thesis_features
from scenescore_classifier.gan.sampling import sample, write_for_review
from scenescore_classifier.gan.training import Settings, fit_side
from scenescore_classifier.gan.workshop import pictures_of, train_in
from scenescore_classifier.metrics import Ints
from scenescore_classifier.preprocessing import SIDE
from scenescore_shared.errors import ScenescoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = make_parser().parse_args(arguments)
    return exit_status(
        lambda: _COMMANDS[options.command](options),
        stopped="The same command goes on from the last checkpoint.",
    )


def _train(options: argparse.Namespace) -> None:
    if options.steps is None and options.minutes is None:
        raise ScenescoreError("Say how long to train: give --steps, --minutes or both.", code="no_budget")
    torch.set_num_threads(options.threads)
    dataset = _read(options.folder)
    for emotion in options.emotions or dataset.emotions:
        training = train_in(
            options.out / emotion,
            emotion,
            pictures_of(dataset, emotion, options.side),
            _settings(options),
            steps=options.steps,
            minutes=options.minutes,
            every=options.every,
            device=options.device,
        )
        pace = training.seconds / max(training.step, 1)
        sys.stdout.write(f"{emotion}: {training.step} steps, {pace:.2f} s each, in {options.out / emotion}\n")


def _sample(options: argparse.Namespace) -> None:
    training, origin, sha256 = state.load(options.gan)
    pixels = sample(training.generator, options.count, options.seed)
    written = write_for_review(options.review, origin.emotion, pixels, model=sha256, seed=options.seed)
    sys.stdout.write(f"{len(written)} new pictures of {origin.emotion} wait in {options.review}.\n")


def _quality(options: argparse.Namespace) -> None:
    training, origin, sha256 = state.load(options.gan)
    real = pictures_of(_read(options.folder), origin.emotion, training.settings.side)
    if len(real) < 4:  # noqa: PLR2004 - two halves of two
        raise DatasetError(f"{origin.emotion} has {len(real)} pictures: two halves need four.")
    made = sample(training.generator, options.count, options.seed)
    figures, pairs = measure(real, made, thesis_features(), seed=options.seed)
    figures = {
        "emotion": origin.emotion,
        "model_sha256": sha256,
        "form": training.settings.form,
        "side": training.settings.side,
        "step": training.step,
        "batch": training.settings.batch,
        "minutes": round(training.seconds / 60, 1),
        **figures,
    }
    text = json.dumps(figures, indent=2) + "\n"
    write_atomically(options.gan / "quality.json", text.encode())
    write_atomically(options.gan / "nearest.png", png(grid(pairs, columns=8)))
    sys.stdout.write(text)


def _admit(options: argparse.Namespace) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    admitted = review.admit(options.review, options.training, options.patterns, by=options.by, at=at)
    sys.stdout.write(f"{len(admitted)} pictures admitted to {options.training}.\n")


def _reject(options: argparse.Namespace) -> None:
    sys.stdout.write(f"{len(review.reject(options.review, options.patterns))} pictures deleted.\n")


def _table(options: argparse.Namespace) -> None:
    unknown = sorted(set(options.run) - table.ARCHITECTURES.keys())
    if unknown:
        raise ScenescoreError(
            f"There is no architecture {', '.join(unknown)}: run {', '.join(table.ARCHITECTURES)}.",
            code="unknown_architecture",
        )
    if options.run:
        _run_rows(options)
    text = table.render(
        options.out / table.rows_folder(options.side),
        options.architectures,
        lambda name: _command(options, name),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    write_atomically(options.out / "table.md", text.encode())
    sys.stdout.write(text)


def _run_rows(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    dataset = _read(options.folder)
    fold_of = review.split_real(
        dataset.labels, dataset.themes, options.folds, np.random.default_rng(options.seed)
    )
    settings = _settings(options)
    budget = table.Budget(
        settings.form, settings.side, options.gan_steps, settings.batch, options.gan_pictures
    )
    with_gans = (budget, _maker(options, dataset, fold_of))
    for architecture in options.run:
        contender = table.ARCHITECTURES[architecture]()
        for gans in (None, with_gans):
            row = table.run(
                architecture,
                contender,
                dataset,
                fold_of,
                seeds=range(1, options.classifier_seeds + 1),
                iterations=options.iterations,
                gans=gans,
                keep=options.out / "progress",
            )
            table.save_row(options.out / table.rows_folder(options.side), row)


def _maker(options: argparse.Namespace, dataset: Dataset, fold_of: Ints) -> table.Make:
    """Trains the GAN of a fold and emotion on first need; later needs find it finished. `dataset` has real
    pictures only: no GAN learns from another.
    """
    known: dict[tuple[int, int], Tensor] = {}

    def make(fold: int, emotion: int) -> Tensor:
        if (fold, emotion) not in known:
            chosen = torch.from_numpy((fold_of != fold) & (dataset.labels == emotion))
            name = dataset.emotions[emotion]
            training = train_in(
                options.out / f"gans-{options.side}" / f"fold-{fold + 1}" / name,
                name,
                fit_side(dataset.pixels[chosen], options.side),
                _settings(options),
                steps=options.gan_steps,
                every=options.every,
                device=options.device,
            )
            made = sample(training.generator, options.gan_pictures, options.seed)
            known[fold, emotion] = fit_side(made, SIDE)
        return known[fold, emotion]

    return make


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(form=options.form, side=options.side, seed=options.seed, batch=options.batch)


def _command(options: argparse.Namespace, architecture: str) -> str:
    words = [
        *("python", "-m", "scenescore_classifier.gan", "table", "FOLDER", "--out", "DIR"),
        *("--run", architecture, "--form", options.form, "--side", str(options.side)),
        *("--batch", str(options.batch)),
        *("--iterations", str(options.iterations), "--gan-steps", str(options.gan_steps)),
        *("--folds", str(options.folds), "--classifier-seeds", str(options.classifier_seeds)),
        *("--gan-pictures", str(options.gan_pictures), "--seed", str(options.seed)),
    ]
    return shlex.join(words)


def _read(folder: Path) -> Dataset:
    """The real pictures: what GANs learn from and are compared with."""
    dataset = read_folder(folder)
    if dataset.skipped:
        first = dataset.skipped[0]
        sys.stderr.write(f"skipped {len(dataset.skipped)} files, such as {first.file}: {first.reason}\n")
    return review.real_only(dataset)


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "train": _train,
    "sample": _sample,
    "quality": _quality,
    "admit": _admit,
    "reject": _reject,
    "table": _table,
}


if __name__ == "__main__":
    sys.exit(main())
