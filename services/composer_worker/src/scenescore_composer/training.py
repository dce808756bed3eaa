"""Training the model on a draw of clips within a fixed budget of tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scenescore_composer.model import Memory, TokenLstm
from scenescore_composer.tokens import EOS

Checkpoint = Callable[[float], None]
"""Called between steps with the progress in [0, 1]; raises `JobCanceledError` to stop."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    tokens: int
    """How many tokens to learn from, repetitions counted."""
    batch: int = 8
    window: int = 24
    """Tokens that the gradient flows back through."""
    learning_rate: float = 2e-2
    weight_decay: float = 0.01

    @property
    def steps(self) -> int:
        return max(1, self.tokens // (self.batch * self.window))


def train(
    model: TokenLstm,
    clips: Sequence[Sequence[int]],
    plan: TrainingPlan,
    generator: torch.Generator,
    checkpoint: Checkpoint,
) -> list[float]:
    """Train `model` in place on the clips' tokens; the loss (nats a token) of each step.

    Clips follow one another without their EOS, in an order drawn anew for each pass, on `plan.batch` tracks
    whose memory is carried from window to window: so the model learns to go on for longer than one clip. AdamW,
    the learning rate rising over a tenth of the steps, then falling along a cosine. Draws from `generator` alone:
    on one machine the same arguments give the same weights.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    warm_up = max(1, plan.steps // 10)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, start_factor=0.1, total_iters=warm_up),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=max(1, plan.steps - warm_up)),
        ],
        milestones=[warm_up],
    )
    losses: list[float] = []
    while len(losses) < plan.steps:
        memory: Memory | None = None
        for tokens in _windows(clips, plan, generator)[: plan.steps - len(losses)]:
            checkpoint(len(losses) / plan.steps)
            logits, memory = model(tokens[:, :-1], memory, generator)
            memory = (memory[0].detach(), memory[1].detach())
            loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
    checkpoint(1.0)
    return losses


def warm_up() -> None:
    """Makes torch load, once for this process, what its first optimiser needs: some seconds that no job shall wait."""
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])


def _windows(clips: Sequence[Sequence[int]], plan: TrainingPlan, generator: torch.Generator) -> list[Tensor]:
    """One pass over the clips: windows [batch, window + 1], each overlapping the next by one token."""
    order = torch.randperm(len(clips), generator=generator).tolist()
    stream = torch.tensor([token for place in order for token in clips[place] if token != EOS])
    track = max(2, -(-len(stream) // plan.batch))
    # the last tracks are filled up from the beginning
    tracks = stream[torch.arange(track * plan.batch) % len(stream)].view(plan.batch, track)
    return [tracks[:, start : start + plan.window + 1] for start in range(0, track - 1, plan.window)]
