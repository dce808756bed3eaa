"""A default job of the composer, beside its parts and beside the thesis's recipe for the same draw.

python benchmarks/compose.py [--data-dir .scenescore] [--jobs 7] [--threads 1]

A job: clips drawn from the corpus in the data folder (`scenescore corpus build` makes it), the base model fine-tuned on
them, half a minute of music sampled, chosen, played and written. Sampling is held against a bare `torch.nn.LSTM` of the
same size stepping the same batch as often. The recipe's time is that of a few of its steps, times their number (20
epochs over 1,000 clips).
"""

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from machine import machine
from torch import nn

from scenescore_composer import composing, midi
from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.composing import ComposerBudget, CompositionRequest, compose, sampling_plan
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.draw import draw
from scenescore_composer.model import TokenLstm
from scenescore_composer.planning import Wishes, plan_of
from scenescore_composer.recipe.procedure import Budget, Recipe, drawn
from scenescore_composer.recipe.representation import first_part
from scenescore_composer.recordings.recording import from_piece
from scenescore_composer.sampling import sample
from scenescore_composer.tokens import decode
from scenescore_composer.training import warm_up
from scenescore_shared.adapters.sql.engine import make_engine

MIXES: tuple[Mapping[str, float], ...] = (
    {"happy": 1.0},
    {"angry": 1.0},
    {"sad": 1.0},
    {"happy": 0.385, "angry": 0.212, "sad": 0.403},
)
RECIPE_STEPS = 5
ROUNDS = 5
UNITS_OF_RSS = 1 if sys.platform == "darwin" else 1024


class Clock:
    """Puts itself before functions of the composer and adds up the seconds that they take, and their calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}

    def watch(self, module: object, name: str) -> None:
        inner = getattr(module, name)

        def timed(*arguments: object, **named: object) -> object:
            began = time.perf_counter()
            try:
                return inner(*arguments, **named)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
                self.calls[name] = self.calls.get(name, 0) + 1

        setattr(module, name, timed)


def bare_steps(model: TokenLstm, candidates: int, steps: int) -> float:
    """Seconds of an `nn.LSTM` of the model's size, stepping that many sequences that often."""
    bare = nn.LSTM(model.lstm.input_size, model.lstm.hidden_size, model.lstm.num_layers, batch_first=True)
    inputs = torch.rand(candidates, 1, model.lstm.input_size)
    memory = None
    with torch.inference_mode():
        began = time.perf_counter()
        for _ in range(steps):
            _, memory = bare(inputs, memory)
    return time.perf_counter() - began


def sampling(base: TokenLstm, budget: ComposerBudget, clips: list[Clip]) -> None:
    """Steps a second of sampling and of the bare network, in turn."""
    plan = plan_of(clips, MIXES[0], Wishes(30.0), seed=0)
    settled = sampling_plan(plan, budget.candidates, temperature=1.0, seed=0)
    shares = []
    for seed in range(ROUNDS):
        told: list[float] = []
        began = time.perf_counter()
        sample(base, settled, torch.Generator().manual_seed(seed), told.append)
        seconds = time.perf_counter() - began
        shares.append(bare_steps(base, budget.candidates, len(told)) / seconds)
    print(
        f"sampling {budget.candidates} candidates: {len(told) / seconds:.0f} steps a second in the last round; "
        f"{statistics.median(shares):.2f} of what the bare LSTM does ({min(shares):.2f}-{max(shares):.2f})"
    )


def recipe_seconds(clips: Mapping[str, list[Clip]], mix: Mapping[str, float]) -> float:
    """What the thesis's procedure takes for a draw of these clips."""
    pitches = {
        clip.id: first_part(from_piece(decode(clip.tokens))) for some in clips.values() for clip in some
    }
    ids = {emotion: [clip.id for clip in some] for emotion, some in clips.items()}
    budget = Budget()
    stream = [pitch for clip_id in drawn(ids, mix, budget.clips, seed=0) for pitch in pitches[clip_id]]
    return Recipe(stream, budget, seed=0).cost(RECIPE_STEPS, lambda: None).seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".scenescore"))
    parser.add_argument("--jobs", type=int, default=7, help="of each mix (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="default %(default)s")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    catalogue = SqlClipCatalogue(
        make_engine(f"sqlite:///{options.data_dir / 'scenescore.db'}", application="benchmark")
    )
    available = catalogue.ids_by_emotion()
    base, budget = load_base().model, ComposerBudget()
    warm_up()
    clock = Clock()
    for module, name in ((composing, "train"), (composing, "sample"), (midi, "read")):
        clock.watch(module, name)
    print(f"a default job, {options.threads} threads, {machine()}")
    taken: list[float] = []
    computed: list[float] = []
    for number in range(options.jobs * len(MIXES)):
        mix = MIXES[number % len(MIXES)]
        began, computing = time.perf_counter(), time.process_time()
        clips = catalogue.get(draw(mix, budget.clips, number, available))
        (composition,) = compose(
            clips, CompositionRequest(mix, number, Wishes(30.0)), budget, base, lambda _: None
        )
        taken.append(time.perf_counter() - began)
        computed.append(time.process_time() - computing)
        print(f"  {', '.join(mix):18} {taken[-1]:5.1f} s, {composition.notes} notes", flush=True)
    print(
        f"median {statistics.median(taken):.1f} s, longest {max(taken):.1f} s; "
        f"of a core's time median {statistics.median(computed):.1f} s"
    )
    for name in ("train", "sample"):
        print(f"  {name:7} {clock.seconds[name] / len(taken):5.2f} s a job")
    print(f"MIDI files parsed in these jobs: {clock.calls.get('read', 0)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNITS_OF_RSS / 2**20
    print(f"peak memory {peak:.0f} MB")
    sampling(base, budget, catalogue.get(draw(MIXES[0], budget.clips, 0, available)))
    by_emotion = {emotion: catalogue.get(ids) for emotion, ids in available.items()}
    seconds = recipe_seconds(by_emotion, MIXES[3])
    print(
        f"the thesis's recipe: {seconds / 3600:.1f} hours, {seconds / statistics.median(taken):,.0f} times a job"
    )


if __name__ == "__main__":
    main()
