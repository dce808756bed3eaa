"""One Wasserstein GAN trained on one emotion's pictures, resumable to the same bits.

Everything is in 32 bits and torch's usual memory layout, on a GPU too: weights clipped at .01 and gradients of
gradients are what half precision loses first, and a step there is short anyway.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Self

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from scenescore_classifier.gan.losses import generator_loss, gradient_penalty, wasserstein_estimate
from scenescore_classifier.gan.networks import NOISE, WIDTH, Critic, Generator

Form = Literal["wgan", "wgan-gp"]
FORMS: tuple[Form, ...] = ("wgan", "wgan-gp")


@dataclass(frozen=True)
class Settings:
    """What, with the pictures, the number of steps and torch's threads, decides the weights on a CPU.

    `wgan`: RMSprop at 5e-5 and weights clipped to ±.01 (Arjovsky et al. 2017, algorithm 1; smoothing .99 as in
    the authors' code). `wgan-gp`: Adam(1e-4, 0, .9) and a gradient penalty of 10 (Gulrajani et al. 2017).
    """

    form: Form = "wgan"
    side: int = 64
    seed: int = 0
    batch: int = 64
    critic_steps: int = 5
    width: int = WIDTH
    rmsprop_rate: float = 5e-5
    clip: float = 0.01
    adam_rate: float = 1e-4
    penalty: float = 10.0


@dataclass
class Point:
    """A step of the generator: the generator's loss, and the critic's Wasserstein estimate just before it."""

    step: int
    generator_loss: float
    wasserstein: float


@dataclass
class Training:
    """Networks, optimisers and chance after `step` steps of the generator."""

    settings: Settings
    generator: Generator
    critic: Critic
    generator_optimiser: torch.optim.Optimizer
    critic_optimiser: torch.optim.Optimizer
    chance: torch.Generator
    step: int = 0
    seconds: float = 0.0
    """Spent in steps so far, over all sessions."""
    curve: list[Point] = field(default_factory=list)

    @classmethod
    def begin(cls, settings: Settings, device: str = "cpu") -> Self:
        """Before the first step; all chance comes from one generator on the CPU, seeded `settings.seed`."""
        chance = torch.Generator().manual_seed(settings.seed)
        generator = Generator(settings.side, chance, width=settings.width).to(device)
        critic = Critic(settings.side, chance, penalised=settings.form == "wgan-gp", width=settings.width).to(
            device
        )
        return cls(
            settings,
            generator,
            critic,
            _optimiser(generator, settings),
            _optimiser(critic, settings),
            chance,
        )

    def advance(self, pixels: Tensor) -> Point:
        """One step: five of the critic, one of the generator, on pixels uint8 (n, 3, side, side)."""
        started = time.monotonic()
        estimate = 0.0
        for _ in range(self.settings.critic_steps):
            estimate = self._teach_critic(draw_batch(pixels, self.settings.batch, self.chance))
        # the critic is only read here: its gradients are not needed, and their computation half of the step
        self.critic.requires_grad_(False)
        loss = generator_loss(self.critic(self.generator(self._noise())))
        self.critic.requires_grad_(True)
        _descend(self.generator_optimiser, loss)
        self.step += 1
        self.seconds += time.monotonic() - started
        point = Point(self.step, loss.item(), estimate)
        self.curve.append(point)
        return point

    def _teach_critic(self, real: Tensor) -> float:
        real = real.to(self._device)
        with torch.no_grad():
            made = self.generator(self._noise())
        estimate = wasserstein_estimate(self.critic(real), self.critic(made))
        loss = -estimate
        if self.settings.form == "wgan-gp":
            shares = torch.rand(len(real), 1, 1, 1, generator=self.chance).to(self._device)
            loss = loss + self.settings.penalty * gradient_penalty(self.critic, real, made, shares)
        _descend(self.critic_optimiser, loss)
        if self.settings.form == "wgan":
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-self.settings.clip, self.settings.clip)
        return estimate.item()

    def _noise(self) -> Tensor:
        return torch.randn(self.settings.batch, NOISE, generator=self.chance).to(self._device)

    @property
    def _device(self) -> torch.device:
        return self.generator.start.weight.device


def train(
    training: Training,
    pixels: Tensor,
    *,
    steps: int | None,
    minutes: float | None,
    every: int,
    keep: Callable[[Training], None],
    title: str,
) -> None:
    """Advance until `steps` in all are done or `minutes` of this session have passed, whichever is first.

    `keep` is called every `every` steps and at the end. Ctrl-C may come in the middle of a step: what was done
    since the last `keep` is then lost.
    """
    until = None if minutes is None else time.monotonic() + 60 * minutes
    kept = training.step
    with tqdm(total=steps, initial=training.step, desc=title, unit="step", disable=None) as bar:
        while not _over(training.step, steps, until):
            point = training.advance(pixels)
            bar.set_postfix(wasserstein=f"{point.wasserstein:.4f}", refresh=False)
            bar.update()
            if training.step % every == 0:
                keep(training)
                kept = training.step
    if training.step != kept:
        keep(training)


def fit_side(pixels: Tensor, side: int) -> Tensor:
    """Pixels uint8 (n, 3, h, w) → uint8 (n, 3, side, side), bilinear without aliasing."""
    if pixels.shape[-2:] == (side, side):
        return pixels
    small = functional.interpolate(pixels.float(), (side, side), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8)


def draw_batch(pixels: Tensor, size: int, chance: torch.Generator) -> Tensor:
    """`size` pictures in [-1, 1], each mirrored by a fair coin: float (size, 3, side, side).

    Drawn without replacement, or with it where there are fewer than `size`.
    """
    if len(pixels) < size:
        chosen = torch.randint(len(pixels), (size,), generator=chance)
    else:
        chosen = torch.randperm(len(pixels), generator=chance)[:size]
    mirrored = torch.rand(size, generator=chance) < 0.5  # noqa: PLR2004 - a fair coin
    batch = pixels[chosen].float() / 127.5 - 1
    return torch.where(mirrored[:, None, None, None], batch.flip(3), batch)


def to_pixels(pictures: Tensor) -> Tensor:
    """Pictures in [-1, 1] → uint8 of the same shape."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _over(step: int, steps: int | None, until: float | None) -> bool:
    return (steps is not None and step >= steps) or (until is not None and time.monotonic() >= until)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    optimiser.step()


def _optimiser(network: Generator | Critic, settings: Settings) -> torch.optim.Optimizer:
    if settings.form == "wgan":
        return torch.optim.RMSprop(network.parameters(), lr=settings.rmsprop_rate)
    return torch.optim.Adam(network.parameters(), lr=settings.adam_rate, betas=(0.0, 0.9))
