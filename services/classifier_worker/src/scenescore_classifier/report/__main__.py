"""`python -m scenescore_classifier.report [RESULTS] [--out FILE]`: cards and other results → docs/classifier.md.

RESULTS holds what the commands wrote: the cards of `train` (NAME.json), `distillation.json` (and `distillation-2.json`
and so on, where the network was taught on), and in `gan` the rows of its tables (rows-64, rows-128) and a folder with
quality.json and grid.png for each emotion. No picture of a data set is read.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.exits import exit_status
from scenescore_classifier.gan import table
from scenescore_classifier.gan.networks import SIDES
from scenescore_classifier.inference import SHIPPED_WEIGHTS
from scenescore_classifier.metrics import Reliability
from scenescore_classifier.models.architecture import file_stem
from scenescore_classifier.reliability_picture import write_reliability
from scenescore_classifier.report import sections
from scenescore_classifier.report.confusion_picture import write_confusion
from scenescore_classifier.report.results import GAN_FOLDER, Card, Results, read

GAN_ROWS = ("thesis", "thesis-relu", "scene")
GAN_COMMAND = "python -m scenescore_classifier.gan table FOLDER --out DIR --side {side} --run {name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    return exit_status(lambda: write(options.results, options.out), stopped="The same command starts again.")


def write(folder: Path, out: Path) -> None:
    """The report on the results in `folder`, which gains the pictures that it shows.

    Raises ResultsError on a file that holds no results, and ModelError where matplotlib is missing.
    """
    results = read(folder, SHIPPED_WEIGHTS)
    folder.mkdir(parents=True, exist_ok=True)
    for card in results.cards:
        _draw(card, folder)
    text = "\n".join(_lines(results, folder)) + "\n"
    write_atomically(out, text.encode())
    sys.stdout.write(f"{len(results.cards)} models are in {out}.\n")


def _lines(results: Results, folder: Path) -> Iterator[str]:
    yield "# How good the classifiers are"
    yield ""
    yield "Made by `python -m scenescore_classifier.report` from the results in `docs/classifier` and the cards of the"
    yield "weights that ship; please change those, not this file."
    yield from _section("Accuracy", [sections.INTERVALS])
    for part, title in sections.PARTS.items():
        yield from ["", f"### {title}", "", *sections.accuracy_table(results, part)]
    yield from _section("How each row is made", sections.commands(results))
    yield from _section(
        "What the temperature gains",
        [sections.CALIBRATION, "", *sections.calibration_table(results)],
    )
    yield from _section("Confusion and reliability, three emotions", _pictures(results))
    yield from _section(
        "What is no scene",
        [sections.NO_SCENES, "", *sections.no_scenes_table(results)],
    )
    yield from _section(
        "Valence and arousal",
        [sections.AFFECT, "", *sections.affect_table(results)],
    )
    yield from _section("Teaching `scene`", sections.distillation(results))
    yield from _section("Generated pictures", [*sections.quality_table(results), "", *_grids(folder)])
    yield from ["", sections.GAN_TABLE]
    for side in SIDES:
        yield from ["", f"### Accuracy with and without them, at {side}x{side}", ""]
        yield from _gan_table(folder / GAN_FOLDER, side)
    yield from _section("Data", sections.data(results))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ["", f"## {title}", "", *lines]


def _pictures(results: Results) -> Iterator[str]:
    for card in results.cards:
        yield from ["", f"`{card['architecture']}`", "", *sections.pictures_of(card)]


def _gan_table(folder: Path, side: int) -> Iterator[str]:
    """What was measured with GANs of that side and how; what is pending has its command in its row."""
    rows = folder / table.rows_folder(side)
    measured = (table.load_row(rows, name, with_gan=True) for name in GAN_ROWS)
    for row in measured:
        if row is not None and row.gans is not None:
            budget = row.gans
            yield (
                f"`{GAN_COMMAND.format(side=side, name=row.architecture)} --form {budget.form} --folds {row.folds} "
                f"--iterations {row.iterations} --gan-steps {budget.steps} --batch {budget.batch} "
                f"--gan-pictures {budget.pictures}`"
            )
            yield ""
    yield table.render(rows, GAN_ROWS, lambda name: GAN_COMMAND.format(side=side, name=name)).rstrip()


def _grids(folder: Path) -> Iterator[str]:
    for path in sorted((folder / GAN_FOLDER).glob("*/grid.png")):
        yield f"![{path.parent.name}](classifier/{GAN_FOLDER}/{path.parent.name}/grid.png)"


def _draw(card: Card, folder: Path) -> None:
    stem, figures = file_stem(card["architecture"]), card["metrics"]["default_emotions"]
    write_confusion(
        folder / f"{stem}-confusion.png",
        figures["confusion"],
        figures["emotions"],
        title=card["architecture"],
    )
    kept = figures.get("reliability")
    if kept:
        diagram = Reliability(
            counts=np.array(kept["counts"]),
            confidence=np.array(kept["confidence"], dtype=np.float64),  # NumPy makes NaN of None
            accuracy=np.array(kept["accuracy"], dtype=np.float64),
        )
        write_reliability(folder / f"{stem}-reliability.png", diagram, title=card["architecture"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_classifier.report", description=__doc__)
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("docs/classifier"), help="default %(default)s"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("docs/classifier.md"),
        help="beside the folder of results, whose pictures it links (default %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
