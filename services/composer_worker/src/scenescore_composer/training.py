"""Fine-tuning the base model on a draw of clips within a fixed budget of tokens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scenescore_composer.conditioning import Vectors
from scenescore_composer.model import Memory, TokenLstm
from scenescore_composer.tokens import EOS

Checkpoint = Callable[[float], None]
"""Called between steps with the progress in [0, 1]; raises `JobCanceledError` to stop."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A clip to learn from."""

    tokens: Sequence[int] | npt.NDArray[np.int16]
    """From BOS on, EOS in the end where a piece ends."""
    conditions: Vectors
    """[time, WIDTH], beside each token."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    tokens: int
    """How many tokens to learn from, repetitions counted."""
    batch: int = 16
    window: int = 48
    """Tokens that the gradient flows back through."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    share: float = 1.0
    """How far to go from the weights at the start to those learnt, 0-1. Between the two lie models that know both,
    better than either (M. Wortsman et al., "Robust fine-tuning of zero-shot models", 2022)."""

    @property
    def steps(self) -> int:
        return max(1, self.tokens // (self.batch * self.window))


def train(
    model: TokenLstm,
    lessons: Sequence[Lesson],
    plan: TrainingPlan,
    generator: torch.Generator,
    checkpoint: Checkpoint,
) -> list[float]:
    """Train `model` in place on the lessons; the loss (nats a token) of each step.

    Clips follow one another without their EOS, in an order drawn anew for each pass, on `plan.batch` tracks
    whose memory is carried from window to window. AdamW, the learning rate falling along a cosine; then back towards
    the start as far as `plan.share` says. Draws from `generator` alone: on one machine the same arguments give the same
    weights.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=plan.steps)
    losses: list[float] = []
    before = [weights.detach().clone() for weights in model.parameters()]
    model.train()
    while len(losses) < plan.steps:
        memory: Memory | None = None
        passes = windows(lessons, plan.batch, plan.window, generator)
        for tokens, conditions in islice(passes, plan.steps - len(losses)):
            checkpoint(len(losses) / plan.steps)
            logits, memory = model(tokens[:, :-1], conditions[:, :-1], memory, generator)
            memory = (memory[0].detach(), memory[1].detach())
            loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
    with torch.no_grad():
        for weights, start in zip(model.parameters(), before, strict=True):
            weights.copy_(start.lerp(weights, plan.share))
    checkpoint(1.0)
    return losses


def warm_up() -> None:
    """Makes torch load, once for this process, what its first optimiser needs: some seconds that no job shall wait."""
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])


def windows(
    lessons: Sequence[Lesson], batch: int, length: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass over the lessons, one after another on `batch` tracks, in an order that `generator` draws.

    Windows of tokens [batch, length + 1] and conditions [batch, length + 1, WIDTH], each overlapping the next by one
    token: whoever carries the memory from one to the next learns to go on for longer than one lesson.
    """
    order = torch.randperm(len(lessons), generator=generator).tolist()
    stream = np.concatenate([np.asarray(lessons[place].tokens) for place in order]).astype(np.int64)
    beside = np.concatenate([lessons[place].conditions for place in order])
    going_on = stream != EOS
    stream, beside = stream[going_on], beside[going_on]
    track = max(2, -(-len(stream) // batch))
    # the last tracks are filled up from the beginning
    places = (np.arange(track * batch) % len(stream)).reshape(batch, track)
    for start in range(0, track - 1, length):
        window = places[:, start : start + length + 1]
        yield torch.from_numpy(stream[window]), torch.from_numpy(beside[window])
