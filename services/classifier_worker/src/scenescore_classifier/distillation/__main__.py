"""`python -m scenescore_classifier.distillation PHOTOGRAPHS --teacher FOLDER --out DIR`: teach the network `scene`.

Ctrl-C stops it; the same command goes on from the last save.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from scenescore_classifier.devices import device
from scenescore_classifier.distillation.teacher import Teacher
from scenescore_classifier.distillation.training import CURVE_FILE, Distillation, Settings
from scenescore_classifier.distillation.views import Views, ViewsError, make_views, photographs
from scenescore_classifier.exits import exit_status
from scenescore_classifier.models.scene_backbone import (
    BACKBONE_FILE,
    backbone_sha256,
    load_backbone,
    save_backbone,
)

LEAST_PHOTOGRAPHS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    return exit_status(
        lambda: _report(distil(options), options.out),
        stopped="What was saved is kept: the same command goes on from there.",
    )


def _report(explained: list[float], out: Path) -> None:
    *_, embedding, named = explained
    sys.stdout.write(
        f"Explains {embedding:.3f} of the variance of the teacher's embeddings of photographs kept aside, "
        f"and {named:.3f} of what it names there.\n"
        f"The backbone is {out / BACKBONE_FILE}, its curve {out / CURVE_FILE}.\n"
    )


def distil(options: argparse.Namespace) -> list[float]:
    """Everything the command does with its parsed `options`; what `Distillation.explained` says in the end."""
    files = photographs(options.photographs, options.leave_out)
    if len(files) < LEAST_PHOTOGRAPHS:
        raise ViewsError(
            f"{options.photographs} has {len(files)} pictures: give a folder with {LEAST_PHOTOGRAPHS} or more."
        )
    teacher = Teacher(options.teacher)
    taught, taught_sha256 = None, None
    if options.teach_on is not None:
        taught, taught_sha256 = load_backbone(options.teach_on), backbone_sha256(options.teach_on)
    views: list[Views] = [
        make_views(
            options.photographs,
            files,
            teacher,
            seed,
            (options.views or options.out) / f"views-{seed}",
            mixed=options.mixed,
        )
        for seed in range(options.first_view_set, options.first_view_set + options.view_sets)
    ]
    settings = Settings(
        seed=options.seed, epochs=options.epochs, half=options.half, learning_rate=options.learning_rate
    )
    distillation = Distillation(views, settings, options.out, options.device, taught=taught)
    network = distillation.run()
    explained = distillation.explained()
    save_backbone(
        options.out / BACKBONE_FILE,
        network,
        {
            "settings": asdict(settings),
            "teacher_sha256": teacher.sha256,
            "photographs": len(files),
            "views": [view.seed for view in views],
            "mixed": options.mixed,
            "taught_on": taught_sha256,
            "explained": [round(share, 4) for share in explained],
        },
    )
    return explained


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_classifier.distillation", description=__doc__)
    parser.add_argument(
        "photographs", type=Path, help="folder of photographs, at any depth; no labels are needed"
    )
    parser.add_argument(
        "--teacher", type=Path, required=True, help="folder of `scenescore models pull mobilenet`"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the backbone, its state and its curve"
    )
    parser.add_argument(
        "--views", type=Path, help="folder for the views (100 kB a photograph and set); --out by default"
    )
    parser.add_argument("--view-sets", type=int, default=1, help="views of each photograph (default 1)")
    parser.add_argument(
        "--first-view-set",
        type=int,
        default=1,
        metavar="N",
        help="the sets are N, N + 1 and so on, each with other views (default 1)",
    )
    parser.add_argument(
        "--mixed",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="of the views, that show two photographs, blended or one in the other (default 0)",
    )
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="NAME", help="folder to pass over"
    )
    parser.add_argument("--seed", type=int, default=Settings.seed, help="default %(default)s")
    parser.add_argument("--epochs", type=int, default=Settings.epochs, help="default %(default)s")
    parser.add_argument(
        "--learning-rate",
        type=float,
        default=Settings.learning_rate,
        help="the highest (default %(default)s)",
    )
    parser.add_argument(
        "--teach-on", type=Path, metavar="FILE", help=f"begin with the weights of that {BACKBONE_FILE}"
    )
    parser.add_argument(
        "--half", action="store_true", help="passes in bfloat16: faster where the CPU has AVX-512 BF16"
    )
    parser.add_argument("--device", type=device, default="cpu", help="cpu (default) or cuda")
    parser.add_argument(
        "--threads", type=int, default=1, help="the same number gives the same weights (default 1)"
    )
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: give a number from 0 to 1")
    return share


if __name__ == "__main__":
    sys.exit(main())
