"""The thesis's architecture on our tokens, for the card: `python -m scenescore_composer.base_model.thesis`.

What differs from the base model is the network alone: a token comes in as one number, three LSTM layers of 256, 512 and
256, a linear layer of 256, dropout of 0.3 between all of them, and no condition. Songs, labels, optimiser, and what is
held out are the base model's. Unlike the thesis's windows of 100, which tell one token each, every token is told and
the memory goes on from window to window: it learns more from as many tokens.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from scenescore_composer.base_model.sections import is_held_out, read_songs
from scenescore_composer.base_model.training import BaseTraining, Settings, likelihood
from scenescore_composer.model import Memory
from scenescore_composer.recipe.network import DENSE, DROPOUT, LAYERS
from scenescore_composer.tokens import VOCABULARY_SIZE

FACTS_FILE = "thesis.json"


class ThesisOnTokens(nn.Module):
    """Logits of the next token from those before, as numbers in [0, 1). To be trained as `TokenLstm` is."""

    def __init__(
        self, generator: torch.Generator, layers: Sequence[int] = LAYERS, dense: int = DENSE
    ) -> None:
        super().__init__()
        self._widths = list(layers)
        with torch.device("meta"):  # where nothing is initialised: that would draw from the global generator
            self.lstms = nn.ModuleList(
                nn.LSTM(inside, out, batch_first=True) for inside, out in pairwise((1, *layers))
            )
            self.dense = nn.Linear(layers[-1], dense)
            self.head = nn.Linear(dense, VOCABULARY_SIZE)
        self.to_empty(device="cpu")
        with torch.no_grad():
            for weights in self.parameters():
                weights.uniform_(-0.05, 0.05, generator=generator)

    def forward(
        self,
        tokens: Tensor,
        conditions: Tensor,
        memory: Memory | None,
        drop: torch.Generator | None = None,
    ) -> tuple[Tensor, Memory]:
        """Logits [batch, time, vocabulary] of what follows `tokens` [batch, time], and all layers' memory side by side.

        `conditions` are what `TokenLstm` takes: the thesis's network has no use for them.
        """
        hidden = (tokens / VOCABULARY_SIZE).unsqueeze(-1)
        kept: list[Memory] = []
        for lstm, before in zip(self.lstms, self._parts(memory), strict=True):
            hidden, after = lstm(hidden, before)
            hidden = _dropped(hidden, drop)
            kept.append(after)
        logits: Tensor = self.head(_dropped(self.dense(hidden), drop))
        return logits, (torch.cat([h for h, _ in kept], dim=-1), torch.cat([c for _, c in kept], dim=-1))

    def _parts(self, memory: Memory | None) -> list[Memory] | list[None]:
        if memory is None:
            return [None] * len(self._widths)
        split = (torch.split(state, self._widths, dim=-1) for state in memory)
        return [(h.contiguous(), c.contiguous()) for h, c in zip(*split, strict=True)]


def _dropped(values: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return values
    kept = torch.empty_like(values).bernoulli_(1 - DROPOUT, generator=generator)
    return values * kept / (1 - DROPOUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    sections, _ = read_songs(options.folders, processes=1)
    learnt = [section for section in sections if not is_held_out(section.song)]
    held_out = [section for section in sections if is_held_out(section.song)]
    if not learnt or not held_out:
        sys.stderr.write("There are too few songs to learn from and to measure on: give more MIDI files.\n")
        return 2
    settings = Settings(seed=options.seed, tokens=options.tokens)
    network = ThesisOnTokens(torch.Generator().manual_seed(settings.seed))
    training = BaseTraining(network, learnt, held_out, settings, options.out)
    measured = likelihood(training.run(), held_out)
    facts = {"seed": settings.seed, "tokens": settings.tokens, "curve": training.curve}
    (options.out / FACTS_FILE).write_text(json.dumps(facts, indent=1) + "\n")
    sys.stdout.write(
        f"Held-out songs: {measured.per_token:.3f} nats a token, {measured.per_note:.3f} nats a note.\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_composer.base_model.thesis", description=__doc__
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="as of the base model")
    parser.add_argument("--out", type=Path, required=True, help="for its state and its figures")
    parser.add_argument(
        "--tokens", type=int, default=Settings.tokens, help="to learn from in all (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=Settings.seed, help="default %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
