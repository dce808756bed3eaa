"""Training the base model: resumable. A run that is not interrupted gives the same weights on one kind of CPU."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from scenescore_composer.base_model.sections import Section
from scenescore_composer.conditioning import WIDTH
from scenescore_composer.model import Memory, ModelSize
from scenescore_composer.tokens import SIZES, STARTS, Kind
from scenescore_composer.training import Lesson, windows

STATE_FILE = "base.state.safetensors"
CURVE_FILE = "base.curve.json"
Network = TypeVar("Network", bound=nn.Module)

IGNORED = -100
"""As a target: what `cross_entropy` passes over."""

_OCTAVE_SHARE = 0.25
"""Share of the sections that are moved by an octave, up or down, where they stay on the keyboard."""
_LOWEST, _HIGHEST = 24, 103
_REGISTER = 7
"""Place of the mean pitch among the numbers of a condition; an octave counts 1."""


@dataclass(frozen=True)
class Settings:
    """AdamW (Loshchilov and Hutter 2019), the rate rising over `warm_up` steps, then falling by half a cosine."""

    seed: int = 1
    tokens: int = 12_000_000
    """To learn from in all, repetitions counted."""
    batch: int = 32
    window: int = 96
    """Tokens that the gradient flows back through; the memory is carried from window to window."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: int = 100
    size: ModelSize = field(default_factory=ModelSize)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of held-out songs, in nats; less is better."""

    per_token: float
    per_note: float


class BaseTraining(Generic[Network]):
    """A run that can be stopped at any time: it goes on from the state kept last in `out`, with an empty memory."""

    def __init__(
        self,
        model: Network,
        learnt: Sequence[Section],
        held_out: Sequence[Section],
        settings: Settings,
        out: Path,
    ) -> None:
        """`model` is called as a `TokenLstm` is."""
        self.model = model
        self._learnt, self._held_out, self._settings, self._out = learnt, held_out, settings, out
        self._optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._tokens = self._step = self._epoch = self._place = 0
        self._seconds = 0.0
        self._curve: list[dict[str, float]] = []
        self._restore()

    def run(self, *, save_every: int = 200) -> Network:
        """Go on to the end. Bars on a terminal; the curve grows, and the state is kept, after so many steps."""
        began = time.monotonic() - self._seconds
        bar = tqdm(
            total=self._settings.tokens, initial=self._tokens, desc="learning", unit="token", disable=None
        )
        while self._tokens < self._settings.tokens:
            memory: Memory | None = None
            for tokens, conditions in islice(self._windows(), self._place, None):
                if self._tokens >= self._settings.tokens:
                    break
                loss, memory = self._learn(tokens, conditions, memory)
                bar.update(tokens.shape[0] * (tokens.shape[1] - 1))
                if self._step % save_every == 0 or self._tokens >= self._settings.tokens:
                    self._seconds = time.monotonic() - began
                    self._note(loss)
            else:
                self._epoch, self._place = self._epoch + 1, 0
        bar.close()
        return self.model

    def _windows(self) -> Iterator[tuple[Tensor, Tensor]]:
        settings = self._settings
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self._epoch)
        lessons = [_by_octaves(section, generator) for section in self._learnt]
        return windows(lessons, settings.batch, settings.window, generator)

    def _note(self, loss: float) -> None:
        held_out = likelihood(self.model, self._held_out)
        self._curve.append(
            {
                "step": self._step,
                "tokens": self._tokens,
                "minutes": round(self._seconds / 60, 1),
                "loss": round(loss, 4),
                "held_out_per_token": round(held_out.per_token, 4),
                "held_out_per_note": round(held_out.per_note, 4),
            }
        )
        self._save()

    def _learn(self, tokens: Tensor, conditions: Tensor, memory: Memory | None) -> tuple[float, Memory]:
        """One step; its loss, and the memory that it leaves."""
        settings = self._settings
        generator = torch.Generator().manual_seed(settings.seed * 7_000_003 + self._step)
        progress = min(1.0, self._tokens / settings.tokens)
        rate = min((self._step + 1) / settings.warm_up, 0.5 * (1 + math.cos(math.pi * progress)))
        for group in self._optimiser.param_groups:
            group["lr"] = settings.learning_rate * rate
        self.model.train()
        logits, memory = self.model(tokens[:, :-1], conditions[:, :-1], memory, generator)
        loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self._step += 1
        self._place += 1
        self._tokens += tokens.shape[0] * (tokens.shape[1] - 1)
        return loss.item(), (memory[0].detach(), memory[1].detach())

    def _save(self) -> None:
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for place, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{place}.{name}": value for name, value in state.items()}
        where = [self._tokens, self._step, self._epoch, self._place]
        data = serialise_tensors(
            {name: value.contiguous() for name, value in tensors.items()},
            metadata={"where": json.dumps(where), "seconds": str(self._seconds), "run": self._identity()},
        )
        self._out.mkdir(parents=True, exist_ok=True)
        partial = self._out / f"{STATE_FILE}.partial"
        partial.write_bytes(data)
        curve = {"settings": asdict(self._settings), "curve": self._curve}
        (self._out / CURVE_FILE).write_text(json.dumps(curve, indent=1) + "\n")
        partial.replace(self._out / STATE_FILE)

    def _restore(self) -> None:
        path = self._out / STATE_FILE
        if not path.exists():
            return
        data = path.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        if header["run"] != self._identity():
            return
        tensors = parse_tensors(data)
        self.model.load_state_dict(
            {
                name.removeprefix("model."): value
                for name, value in tensors.items()
                if name.startswith("model.")
            }
        )
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, place, name = key.split(".")
                state.setdefault(int(place), {})[name] = value
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": state})
        self._tokens, self._step, self._epoch, self._place = json.loads(header["where"])
        self._seconds = float(header["seconds"])
        self._curve = json.loads((self._out / CURVE_FILE).read_text())["curve"]

    def _identity(self) -> str:
        """Says whether a kept state is of this run."""
        return json.dumps(
            [asdict(self._settings), len(self._learnt), sum(s.notes for s in self._learnt), WIDTH]
        )

    @property
    def curve(self) -> list[dict[str, float]]:
        return self._curve


def padded(sections: Sequence[Section]) -> tuple[Tensor, Tensor]:
    """Tokens [batch, time], `IGNORED` after a section's end, and their conditions [batch, time, WIDTH].

    A token's condition is that of the bar that it lies in.
    """
    longest = max(len(section.tokens) for section in sections)
    tokens = torch.full((len(sections), longest), IGNORED)
    conditions = torch.zeros(len(sections), longest, WIDTH)
    for row, section in enumerate(sections):
        tokens[row, : len(section.tokens)] = torch.from_numpy(section.tokens.astype(np.int64))
        conditions[row, : len(section.tokens)] = torch.from_numpy(section.vectors[section.bar_of])
    return tokens, conditions


def likelihood(model: nn.Module, sections: Sequence[Section], *, batch: int = 32) -> Likelihood:
    """Mean negative log-likelihood of the sections' tokens, and of their notes (bars and all counted to them)."""
    total = tokens = notes = 0.0
    model.eval()
    ordered = sorted(sections, key=lambda section: len(section.tokens))
    with torch.inference_mode():
        for start in range(0, len(ordered), batch):
            chosen = ordered[start : start + batch]
            inputs, conditions = padded(chosen)
            logits, _ = model(inputs[:, :-1].clamp(min=0), conditions[:, :-1], None)
            targets = inputs[:, 1:]
            total += cross_entropy(
                logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
            ).item()
            tokens += int((targets != IGNORED).sum())
            notes += sum(section.notes for section in chosen)
    return Likelihood(total / tokens, total / notes)


def _by_octaves(section: Section, generator: torch.Generator) -> Lesson:
    """What is to be learnt from a section, perhaps an octave higher or lower."""
    conditions = section.vectors[section.bar_of]
    chance = torch.rand(2, generator=generator)
    shift = 12 if chance[1] < 0.5 else -12  # noqa: PLR2004 - a fair coin
    start = STARTS[Kind.PITCH]
    is_pitch = (section.tokens >= start) & (section.tokens < start + SIZES[Kind.PITCH])
    moved = section.tokens[is_pitch] + shift
    on_keyboard = start + _LOWEST <= moved.min() and moved.max() <= start + _HIGHEST
    if chance[0] >= _OCTAVE_SHARE or not on_keyboard:
        return Lesson(section.tokens, conditions)
    tokens = section.tokens.copy()
    tokens[is_pitch] = moved
    conditions[:, _REGISTER] += shift / 12
    return Lesson(tokens, conditions)
