"""What the command `python -m scenescore_classifier.gan` can be asked."""

import argparse
from pathlib import Path
from typing import Any

from scenescore_classifier.devices import device
from scenescore_classifier.gan.networks import SIDES
from scenescore_classifier.gan.table import LEAST_SEEDS, MOST_SEEDS
from scenescore_classifier.gan.training import FORMS
from scenescore_shared.emotions import ALL_EMOTIONS

_FOLDER_HELP = "pictures, with labels.csv (file, emotion, theme) or a folder per emotion"
_PATTERN_HELP = "names or shell patterns such as 'happy/*'; '*' is all"


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_classifier.gan",
        description="Wasserstein GANs, one per emotion: train, sample, judge, and admit pictures by hand.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_train(commands)
    _add_sample(commands)
    _add_quality(commands)
    _add_review(commands)
    _add_table(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="train or resume a GAN for each emotion, in OUT/EMOTION")
    train.add_argument("folder", type=Path, help=_FOLDER_HELP)
    train.add_argument("--out", type=Path, required=True, help="for checkpoints, grids and curves")
    train.add_argument("--emotions", nargs="+", choices=ALL_EMOTIONS, help="default: all that the folder has")
    train.add_argument("--steps", type=whole(1), help="of the generator, in all")
    train.add_argument("--minutes", type=_minutes, help="for each emotion, in this session")
    _add_settings(train)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--form", choices=FORMS, default="wgan", help="default %(default)s, the thesis's")
    parser.add_argument("--side", type=int, choices=SIDES, default=64, help="in pixels (default %(default)s)")
    parser.add_argument("--batch", type=whole(2), default=64, help="pictures (default %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0, help="of everything left to chance (default 0)")
    parser.add_argument("--every", type=whole(1), default=100, help="steps between checkpoints (default 100)")
    parser.add_argument(
        "--device", type=device, default="cpu", help="cpu (default, repeatable to the bit) or cuda"
    )
    parser.add_argument(
        "--threads", type=whole(1), default=1, help="the same number gives the same weights (default 1)"
    )


def _add_sample(commands: Any) -> None:
    sample = commands.add_parser("sample", help="put new pictures into the review folder")
    sample.add_argument("gan", type=Path, help="folder of one trained GAN, such as OUT/happy")
    sample.add_argument("--review", type=Path, required=True, help="pictures go to REVIEW/EMOTION")
    sample.add_argument("--count", type=whole(1), default=64, help="default %(default)s")
    sample.add_argument("--seed", type=whole(0), default=0, help="default %(default)s")


def _add_quality(commands: Any) -> None:
    quality = commands.add_parser(
        "quality", help="Fréchet distance beside its floor, and whether pictures are copies"
    )
    quality.add_argument("folder", type=Path, help=_FOLDER_HELP)
    quality.add_argument("gan", type=Path, help="folder of one trained GAN, such as OUT/happy")
    quality.add_argument("--count", type=whole(2), default=500, help="generated pictures (default 500)")
    quality.add_argument("--seed", type=whole(0), default=0, help="default %(default)s")


def _add_review(commands: Any) -> None:
    admit = commands.add_parser("admit", help="move reviewed pictures into a training folder")
    admit.add_argument("review", type=Path, help="where `sample` put them")
    admit.add_argument("training", type=Path, help="a folder with a folder per emotion")
    admit.add_argument("patterns", nargs="+", help=_PATTERN_HELP)
    admit.add_argument("--by", required=True, help="who looked at them; kept in their provenance")
    reject = commands.add_parser("reject", help="delete pictures from the review folder")
    reject.add_argument("review", type=Path, help="where `sample` put them")
    reject.add_argument("patterns", nargs="+", help=_PATTERN_HELP)


def _add_table(commands: Any) -> None:
    table = commands.add_parser(
        "table", help="accuracy with and without GAN pictures; rows not run yet are pending"
    )
    table.add_argument("folder", type=Path, help=_FOLDER_HELP)
    table.add_argument("--out", type=Path, required=True, help="for GANs, rows and table.md")
    table.add_argument(
        "--architectures", nargs="+", default=["thesis", "thesis-relu", "scene"], help="rows of the table"
    )
    table.add_argument("--run", nargs="+", default=[], help="architectures to run now: hours on a CPU")
    table.add_argument("--iterations", type=whole(1), default=1500, help="default 1500, the thesis's")
    table.add_argument("--folds", type=whole(2), default=5, help="default %(default)s")
    table.add_argument(
        "--classifier-seeds",
        type=whole(LEAST_SEEDS, MOST_SEEDS),
        default=LEAST_SEEDS,
        help="seeds 1 to this number (default %(default)s)",
    )
    table.add_argument("--gan-steps", type=whole(1), default=2000, help="of each GAN (default 2000)")
    table.add_argument(
        "--gan-pictures", type=whole(1), default=100, help="for each fold and emotion (default 100)"
    )
    _add_settings(table)


def whole(least: int, most: int | None = None) -> Any:
    """A parser of whole numbers in a range, for argparse."""

    def parse(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is less than {least}")
        if most is not None and number > most:
            raise argparse.ArgumentTypeError(f"{number} is more than {most}")
        return number

    return parse


def _minutes(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("give a number of minutes above 0")
    return number
