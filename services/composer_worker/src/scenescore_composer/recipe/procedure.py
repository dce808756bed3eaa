"""The thesis's procedure: draw with replacement, train from scratch, say the likeliest pitch 500 times."""

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scenescore_composer.recipe.network import LAYERS, WINDOW, ThesisLstm
from scenescore_shared.emotions import largest_remainder
from scenescore_shared.errors import EmptyCorpusError

LEARNING_RATE, DECAY, EPSILON = 1e-3, 0.9, 1e-7
"""RMSprop's as Keras sets them."""

Step = Callable[[], None]
"""Called after each step of training or of sampling; raises to stop the work."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work it is: the thesis's numbers by default."""

    clips: int = 1000
    epochs: int = 20
    batch: int = 64
    notes: int = 500
    layers: tuple[int, ...] = field(default=LAYERS)

    def steps(self, windows: int) -> int:
        """Training steps over that many windows."""
        return self.epochs * math.ceil(windows / self.batch)


@dataclass(frozen=True, slots=True)
class Cost:
    """What the whole procedure takes on this machine, from a few of its steps."""

    training_steps: int
    training_step_seconds: float
    notes: int
    note_seconds: float

    @property
    def seconds(self) -> float:
        return self.training_steps * self.training_step_seconds + self.notes * self.note_seconds


def drawn(clips: Mapping[str, Sequence[str]], mix: Mapping[str, float], n: int, seed: int) -> list[str]:
    """`n` clips with replacement, each emotion's number in proportion to its share.

    `clips` names those of each emotion. Raises EmptyCorpusError where an emotion of the mix has none.
    """
    counts = dict(zip(mix, largest_remainder(list(mix.values()), n), strict=True))
    for emotion, count in counts.items():
        if count and not clips.get(emotion):
            raise EmptyCorpusError(f"The folder has no {emotion} clip: add some, or ask for another mix.")
    rng = random.Random(f"{seed}/draw")
    found = [
        clip for emotion, count in counts.items() if count for clip in rng.choices(clips[emotion], k=count)
    ]
    rng.shuffle(found)
    return found


class Recipe:
    """The network for one draw's pitches, and the windows that it learns from."""

    def __init__(self, pitches: Sequence[int], budget: Budget, seed: int) -> None:
        """`pitches` are the drawn clips' one after another; a window may reach from one into the next.

        Raises EmptyCorpusError when they do not fill a window.
        """
        if len(pitches) <= WINDOW:
            raise EmptyCorpusError(
                f"The drawn clips hold {len(pitches)} notes; the thesis's windows take {WINDOW}."
            )
        self._vocabulary = sorted(set(pitches))
        places = {pitch: place for place, pitch in enumerate(self._vocabulary)}
        self._stream = torch.tensor([places[pitch] for pitch in pitches])
        self._budget = budget
        self._generator = torch.Generator().manual_seed(seed)
        self._network = ThesisLstm(len(self._vocabulary), self._generator, layers=budget.layers)
        self._optimiser = torch.optim.RMSprop(
            self._network.parameters(), lr=LEARNING_RATE, alpha=DECAY, eps=EPSILON
        )

    @property
    def training_steps(self) -> int:
        return self._budget.steps(self._windows)

    @property
    def _windows(self) -> int:
        return len(self._stream) - WINDOW

    def train(self, after_step: Step) -> list[float]:
        """Every epoch; the loss (nats a pitch) of each step."""
        losses = []
        for starts in self._batches():
            losses.append(self._learn(starts))
            after_step()
        return losses

    def say(self, after_step: Step, *, pieces: int = 1) -> list[list[int]]:
        """The likeliest pitches after a window drawn from the clips, each put after the window for the next.

        That many times, each after another window; all of them advance together.
        """
        windows = torch.stack([self._some_window() for _ in range(pieces)])
        said: list[list[int]] = [[] for _ in range(pieces)]
        for _ in range(self._budget.notes):
            places = self._likeliest(windows)
            for pitches, place in zip(said, places.tolist(), strict=True):
                pitches.append(self._vocabulary[place])
            windows = torch.cat([windows[:, 1:], places[:, None]], dim=1)
            after_step()
        return said

    def cost(self, steps: int, after_step: Step) -> Cost:
        """What all of it takes, measured over `steps` of training and as many of sampling, after one of each."""
        batches = self._batches()
        window = self._some_window()[None]

        def timed(work: Callable[[], object]) -> float:
            work()
            began = time.perf_counter()
            for _ in range(steps):
                work()
                after_step()
            return (time.perf_counter() - began) / steps

        return Cost(
            training_steps=self.training_steps,
            training_step_seconds=timed(lambda: self._learn(next(batches))),
            notes=self._budget.notes,
            note_seconds=timed(lambda: self._likeliest(window)),
        )

    def _batches(self) -> Iterator[Tensor]:
        """Where each batch's windows begin, all windows once an epoch in an order drawn anew."""
        for _ in range(self._budget.epochs):
            order = torch.randperm(self._windows, generator=self._generator)
            yield from torch.split(order, self._budget.batch)

    def _learn(self, starts: Tensor) -> float:
        windows = self._stream[starts[:, None] + torch.arange(WINDOW)]
        logits = self._network(windows / len(self._vocabulary), self._generator)
        loss = cross_entropy(logits, self._stream[starts + WINDOW])
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._optimiser.step()
        return loss.item()

    def _some_window(self) -> Tensor:
        start = int(torch.randint(self._windows, (1,), generator=self._generator))
        return self._stream[start : start + WINDOW]

    def _likeliest(self, windows: Tensor) -> Tensor:
        """[pieces, WINDOW] places in the vocabulary → [pieces]."""
        with torch.no_grad():
            likeliest: Tensor = self._network(windows / len(self._vocabulary)).argmax(dim=-1)
            return likeliest
