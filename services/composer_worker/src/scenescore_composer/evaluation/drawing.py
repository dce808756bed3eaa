"""Whether the draw matters: `python -m scenescore_composer.evaluation.drawing [--data-dir DIR]`.

Of each emotion's clips in the corpus a fifth of the songs is kept aside. The base model learns from a draw of the rest,
as a job has it learn, and is asked how likely the clips kept aside are: those of the emotion drawn, and of the others.
"""

import argparse
import copy
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.composing import ComposerBudget, lesson_of
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.draw import draw
from scenescore_composer.evaluation.data_folder import catalogue_in
from scenescore_composer.model import TokenLstm
from scenescore_composer.training import train
from scenescore_shared.emotions import DEFAULT_EMOTIONS

KEPT_ASIDE = 0.2
"""Share of the songs that are not learnt from."""
NOTHING = "nothing"
"""Instead of the name of an emotion: the base model as it ships."""

Table = Mapping[str, Mapping[str, float]]
"""Drawn emotion, or `NOTHING` → emotion of the clips kept aside → nats a token."""


def split_by_song(clips: Sequence[Clip], seed: int) -> tuple[list[Clip], list[Clip]]:
    """The clips to draw from, and those kept aside: no song is on both sides, with whatever emotions."""
    songs = sorted({clip.song for clip in clips})
    aside = set(random.Random(f"{seed}/aside").sample(songs, max(1, round(KEPT_ASIDE * len(songs)))))
    return [clip for clip in clips if clip.song not in aside], [clip for clip in clips if clip.song in aside]


def nats_per_token(model: TokenLstm, clips: Sequence[Clip]) -> float:
    """Mean negative log-likelihood of the clips' tokens, each clip under the condition that would have asked for it."""
    total = 0.0
    count = 0
    model.eval()
    with torch.inference_mode():
        for clip in clips:
            lesson = lesson_of(clip)
            tokens = torch.tensor([lesson.tokens])
            conditions = torch.from_numpy(lesson.conditions)[None]
            logits, _ = model(tokens[:, :-1], conditions[:, :-1], None)
            total += cross_entropy(logits[0], tokens[0, 1:], reduction="sum").item()
            count += tokens.shape[1] - 1
    return total / count


def likelihoods(
    clips: Mapping[str, Sequence[Clip]], base: TokenLstm, budget: ComposerBudget, seed: int
) -> Table:
    """`clips` are the corpus by emotion. At least one clip of each emotion is kept aside."""
    everything = [clip for some in clips.values() for clip in some]
    known, aside = split_by_song(everything, seed)
    by_id = {clip.id: clip for clip in known}
    available = {emotion: [clip.id for clip in known if clip.emotion == emotion] for emotion in clips}
    asked = {emotion: [clip for clip in aside if clip.emotion == emotion] for emotion in clips}

    def said(model: TokenLstm) -> dict[str, float]:
        return {emotion: nats_per_token(model, some) for emotion, some in asked.items() if some}

    found = {NOTHING: said(base)}
    for emotion in clips:
        drawn = sorted(draw({emotion: 1.0}, budget.clips, seed, available))
        model = copy.deepcopy(base)
        plan = budget.training
        generator = torch.Generator().manual_seed(seed)
        train(model, [lesson_of(by_id[each]) for each in drawn], plan, generator, lambda _: None)
        found[emotion] = said(model)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(arguments)
    catalogue = catalogue_in(options.data_dir, application="drawing")
    if catalogue is None:
        return 2
    torch.set_num_threads(1)
    ids = catalogue.ids_by_emotion()
    clips = {emotion: catalogue.get(ids[emotion]) for emotion in DEFAULT_EMOTIONS}
    base = load_base(options.model).model
    tables = [
        likelihoods(clips, base, ComposerBudget(), seed)
        for seed in tqdm(range(options.splits), unit="split", disable=None)
    ]
    means = {
        drawn: {emotion: float(np.mean([table[drawn][emotion] for table in tables])) for emotion in clips}
        for drawn in tables[0]
    }
    sys.stdout.write(json.dumps({"splits": options.splits, "nats_per_token": means}, indent=1) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_composer.evaluation.drawing", description=__doc__
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".scenescore"), help="default %(default)s")
    parser.add_argument("--splits", type=int, default=5, help="of the songs (default %(default)s)")
    parser.add_argument("--model", type=Path, help="your own base model")
    return parser


if __name__ == "__main__":
    sys.exit(main())
