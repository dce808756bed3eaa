"""Generate the pieces that the evaluation reads: `python -m scenescore_composer.evaluation.generate FOLDER`.

For each emotion, and for the steps between each two of them, a piece a seed, as a job with default options makes it
from the corpus in the data folder (`scenescore corpus build`). What is there already stays: the command can be stopped
and goes on. `--first` takes the first candidate in place of the best one, and `--training-tokens 0` the base model
without the draw, to show what choosing and learning are worth.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import torch
from tqdm import tqdm

from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.composing import ComposerBudget, CompositionRequest, compose
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.draw import draw
from scenescore_composer.evaluation.data_folder import catalogue_in
from scenescore_composer.evaluation.generated import CLIPS_FOLDER
from scenescore_composer.midi import write
from scenescore_composer.planning import Wishes
from scenescore_composer.tokens import decode
from scenescore_shared.emotions import DEFAULT_EMOTIONS

INNER_STEPS = (0.25, 0.5, 0.75)
"""Shares of the first emotion of a mix; its ends are the single emotions."""


@dataclass(frozen=True, slots=True)
class Asked:
    place: Path
    """Without suffix."""
    mix: Mapping[str, float]
    seed: int


def asked(
    folder: Path, emotions: Sequence[str], seeds: int, mixed_seeds: int, first_seed: int = 0
) -> Iterator[Asked]:
    """Every piece, seed after seed, so that a run that was stopped has some of each."""
    for seed in range(first_seed, first_seed + seeds):
        for emotion in emotions:
            yield Asked(folder / emotion / f"{seed}", {emotion: 1.0}, seed)
    for seed in range(first_seed, first_seed + mixed_seeds):
        for first, second in combinations(emotions, 2):
            for share in INNER_STEPS:
                place = folder / f"mix-{first}-{second}-{share:g}" / f"{seed}"
                yield Asked(place, {first: share, second: 1 - share}, seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(arguments)
    catalogue = catalogue_in(options.data_dir, application="generate")
    if catalogue is None:
        return 2
    torch.set_num_threads(options.threads)
    available = catalogue.ids_by_emotion()
    budget = replace(ComposerBudget(), training_tokens=options.training_tokens)
    if options.first:
        budget = replace(budget, candidates=1)
    base = load_base(options.model).model
    wanted = list(
        asked(options.folder, options.emotions, options.seeds, options.mixed_seeds, options.first_seed)
    )
    for each in tqdm(wanted, unit="piece", disable=None):
        target = each.place.with_suffix(".mid")
        if target.exists():
            continue
        clips = catalogue.get(draw(each.mix, budget.clips, each.seed, available))
        request = CompositionRequest(each.mix, each.seed, Wishes(options.seconds))
        (composition,) = compose(clips, request, budget, base, lambda _: None)
        _keep_clips(options.folder / CLIPS_FOLDER, clips)
        target.parent.mkdir(parents=True, exist_ok=True)
        each.place.with_suffix(".json").write_text(json.dumps({"clips": [clip.id for clip in clips]}))
        target.write_bytes(composition.midi)
    return 0


def _keep_clips(folder: Path, clips: Sequence[Clip]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        path = folder / f"{clip.id}.mid"
        if not path.exists():
            path.write_bytes(write(decode(clip.tokens)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_composer.evaluation.generate", description=__doc__
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--data-dir", type=Path, default=Path(".scenescore"), help="default %(default)s")
    parser.add_argument("--emotions", nargs="+", default=list(DEFAULT_EMOTIONS))
    parser.add_argument("--seeds", type=int, default=30, help="pieces of each emotion (default %(default)s)")
    parser.add_argument(
        "--mixed-seeds", type=int, default=20, help="pieces of each mix (default %(default)s)"
    )
    parser.add_argument(
        "--first-seed",
        type=int,
        default=0,
        help="for pieces to try changes on, apart from those that are reported",
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="default %(default)s")
    parser.add_argument("--training-tokens", type=int, default=ComposerBudget().training_tokens)
    parser.add_argument(
        "--first", action="store_true", help="one candidate a piece, so that nothing is chosen"
    )
    parser.add_argument("--model", type=Path, help="your own base model")
    parser.add_argument("--threads", type=int, default=1, help="default %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
