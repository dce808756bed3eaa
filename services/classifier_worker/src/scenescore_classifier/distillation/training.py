"""Block-wise distillation: each part of the network learns to give the teacher's map at its depth.

FitNets (Romero et al. 2015) hint at inner maps; here every part has one, and for a share of the pictures it also
starts from the teacher's (Wang et al. 2018, "Progressive blockwise knowledge distillation"): so the late parts
learn from the first step on, on good maps, while the early ones are still poor. The share falls to nothing, and
what is left is the whole network against the teacher: its embedding, and what it names (Hinton et al. 2015), while the
maps count less and less.

A network that was taught before can be taught on: its rate rises anew and falls again (Loshchilov and Hutter 2017,
"SGDR"), and as its parts know their work, nothing is shown to them, and the maps count little from the first step on.
"""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.distillation.views import HELD_OUT, Views, ViewsError
from scenescore_classifier.models.scene import MAPS, SceneCNN
from scenescore_classifier.preprocessing import to_shares

STATE_FILE = "distillation.safetensors"
CURVE_FILE = "distillation.json"

SCALE_SAMPLE = 2000
"""Photographs whose maps say what is large in a channel; as many are looked at together."""

SHOWN = 0.8
"""Share of pictures for which a part starts from the teacher's map, at first; it falls to none half way."""

INNER = 0.2
"""What the loss of each map counts at the end: it falls from 1 over the second half."""

UNSEEN = 1e-3
"""Added to how likely each thing is, in 256ths: what was rounded to none is not impossible."""

LEAST_DIVERGENCE = 1e-3
"""In nats: where what is named differs less from the usual, there is nothing to measure a share of."""

LARGEST_GRADIENT = 5.0
EMA = 0.998
"""Share of the averaged weights that each step keeps: what is measured and shipped is the average."""


@dataclass(frozen=True)
class Settings:
    """AdamW (Loshchilov and Hutter 2019), the rate rising over `warm_up` steps, then falling by half a cosine."""

    seed: int = 1
    epochs: int = 12
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: int = 200
    half: bool = False
    """Passes through the network in bfloat16, losses and weights in float32: nearly twice as fast on a CPU with
    AVX-512 BF16."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of a channel over the photographs: maps are compared in these units."""

    mean: Tensor
    """(channels,)"""
    spread: Tensor
    """(channels,)"""

    def apply(self, values: Tensor) -> Tensor:
        """Channels last → mean 0, spread 1."""
        return (values - self.mean) / self.spread

    def to(self, device: torch.device) -> "Scale":
        return Scale(self.mean.to(device), self.spread.to(device))


@dataclass(frozen=True, slots=True)
class Truth:
    """What the teacher makes of n pictures."""

    maps: list[Tensor]
    """(n, channels, side, side) each, in units of their spread."""
    embeddings: Tensor
    """(n, 1280)."""
    named: Tensor
    """(n, 1001): probabilities."""


class Distillation:
    """A run that can be stopped after any step and goes on from `out`, to the same weights on one kind of CPU."""

    def __init__(
        self,
        views: Sequence[Views],
        settings: Settings,
        out: Path,
        device: str = "cpu",
        *,
        taught: SceneCNN | None = None,
    ) -> None:
        """`taught` is a network to teach on; one with weights of its own from `settings.seed` where there is none.

        Raises ViewsError where no photograph is left to measure by.
        """
        self._views, self._settings, self._out = views, settings, out
        self._begun_from = None if taught is None else _fingerprint(taught)
        self._device = torch.device(device)
        seen = np.flatnonzero(np.all([view.seen for view in views], axis=0))
        self._held_out = seen[seen % HELD_OUT == 0]
        if not len(self._held_out):
            raise ViewsError(
                f"None of the photographs that are kept for measuring, one in {HELD_OUT}, can be read: take out what "
                "is no picture."
            )
        self._learnt = np.setdiff1d(seen, self._held_out)
        self._scales = [scale.to(self._device) for scale in _scales(views[0], self._learnt, settings.seed)]
        self._log_usual = _usual(views[0].named[self._learnt]).log().to(self._device)
        generator = torch.Generator().manual_seed(settings.seed)
        self.network = SceneCNN(generator).to(self._device)
        if taught is not None:
            self.network.load_state_dict(taught.state_dict())
        self.average = SceneCNN().to(self._device)
        self.average.load_state_dict(self.network.state_dict())
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=settings.weight_decay,
        )
        self._step = 0
        self._curve: list[dict[str, Any]] = []
        self._seconds = 0.0
        self._restore()

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self._settings.epochs * (len(self._learnt) // self._settings.batch)

    def run(self, *, save_every: int = 150) -> SceneCNN:
        """Go on to the end; the averaged network. Bars on a terminal; the curve grows at each save."""
        began = time.monotonic() - self._seconds
        bar = tqdm(total=self.steps, initial=self._step, desc="distilling", unit="step", disable=None)
        while self._step < self.steps:
            losses = self._learn()
            bar.update()
            if self._step % save_every == 0 or self._step == self.steps:
                self._seconds = time.monotonic() - began
                explained = self.explained()
                self._curve.append(
                    {
                        "step": self._step,
                        "photographs": self._step * self._settings.batch,
                        "minutes": round(self._seconds / 60, 1),
                        "loss": round(sum(losses), 4),
                        "explained": [round(share, 4) for share in explained],
                    }
                )
                self._save()
                bar.set_postfix(embedding=f"{explained[-2]:.3f}", named=f"{explained[-1]:.3f}")
        bar.close()
        return self.average

    def explained(self) -> list[float]:
        """Share of what there is to know of the held-out photographs that the averaged network knows: of the variance
        of each of the three maps, then of the embedding's; last, of the divergence of what is named from what is
        usual (its mean over batches). 1 is perfect, 0 is the mean.
        """
        self.average.eval()
        errors, sizes = [], []
        with torch.inference_mode():
            for start in range(0, len(self._held_out), self._settings.batch):
                pixels, truth = self._batch(0, self._held_out[start : start + self._settings.batch])
                nothing = torch.zeros(len(pixels), dtype=torch.bool, device=self._device)
                errors.append([loss.item() for loss in self._losses(self.average, pixels, truth, nothing)])
                sizes.append(len(pixels))
        return [1 - float(error) for error in np.average(errors, axis=0, weights=sizes)]

    def _learn(self) -> list[float]:
        settings = self._settings
        epoch, place = divmod(self._step, len(self._learnt) // settings.batch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(self._learnt)
        rows = order[place * settings.batch : (place + 1) * settings.batch]
        pixels, truth = self._batch(epoch % len(self._views), rows)
        progress = self._step / self.steps
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self._step)
        chances = torch.rand(len(rows), generator=generator).to(self._device)
        schooled = 1.0 if self._begun_from else progress
        shown = chances < SHOWN * max(0.0, 1 - 2 * schooled)
        for group in self._optimiser.param_groups:
            group["lr"] = settings.learning_rate * min((self._step + 1) / settings.warm_up, _cosine(progress))
        self.network.train()
        losses = torch.stack(list(self._losses(self.network, pixels, truth, shown)))
        of_maps, of_the_rest = losses[: len(MAPS)].sum(), losses[len(MAPS) :].sum()
        self._optimiser.zero_grad()
        torch.autograd.backward(inner_weight(schooled) * of_maps + of_the_rest)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self._optimiser.step()
        self._step += 1
        self._follow()
        return losses.tolist()

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the averaged weights; early on faster, as the first ones are worth nothing."""
        kept = EMA if self._begun_from else min(EMA, self._step / (10 + self._step))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        for average, newest in pairs:
            if average.is_floating_point():
                average.lerp_(newest, 1 - kept)
            else:
                average.copy_(newest)

    def _losses(self, network: SceneCNN, pixels: Tensor, truth: Truth, shown: Tensor) -> Iterator[Tensor]:
        """Each 1 for a network that knows the means alone: of the three maps, the embedding, what is named."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.half):
            *given, embedded, logits = network.taught(to_shares(pixels), truth.maps, shown)
        for value, true in zip(given, truth.maps, strict=True):
            yield functional.mse_loss(value.float(), true)
        scale = self._scales[-1]
        yield functional.mse_loss(scale.apply(embedded.float()), scale.apply(truth.embeddings))
        left, usual = (
            functional.kl_div(log_likely, truth.named, reduction="batchmean")
            for log_likely in (logits.float().log_softmax(dim=1), self._log_usual.expand_as(logits))
        )
        yield left / usual.clamp(min=LEAST_DIVERGENCE)

    def _batch(self, view: int, rows: NDArray[np.int64]) -> tuple[Tensor, Truth]:
        """Pixels (n, 3, 112, 112) and what the teacher makes of them."""
        views, rows = self._views[view], np.sort(rows)

        def placed(kept: NDArray[Any]) -> Tensor:
            return torch.from_numpy(kept[rows]).to(self._device)

        maps = [
            scale.apply(placed(kept).float()).permute(0, 3, 1, 2)
            for kept, scale in zip(views.maps, self._scales, strict=False)
        ]
        truth = Truth(maps, placed(views.embeddings), _likely(placed(views.named)))
        return placed(views.pixels).permute(0, 3, 1, 2), truth

    def _save(self) -> None:
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for place, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{place}.{name}": value for name, value in state.items()}
        data = serialise_tensors(
            {name: value.contiguous() for name, value in tensors.items()},
            metadata={"step": str(self._step), "seconds": str(self._seconds), "run": self._identity()},
        )
        self._out.mkdir(parents=True, exist_ok=True)
        write_atomically(self._out / STATE_FILE, data)
        facts = {"settings": asdict(self._settings), "views": len(self._views), "curve": self._curve}
        write_atomically(self._out / CURVE_FILE, (json.dumps(facts, indent=1) + "\n").encode())

    def _restore(self) -> None:
        path = self._out / STATE_FILE
        if not path.exists():
            return
        data = path.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        if header["run"] != self._identity():
            return
        tensors = parse_tensors(data)
        for name, network in (("network", self.network), ("average", self.average)):
            prefix = f"{name}."
            network.load_state_dict(
                {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            )
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, place, name = key.split(".")
                state.setdefault(int(place), {})[name] = value
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": state})
        self._step, self._seconds = int(header["step"]), float(header["seconds"])
        self._curve = json.loads((self._out / CURVE_FILE).read_text())["curve"]

    def _identity(self) -> str:
        """Says whether a kept state is of this run."""
        weights = sum(value.numel() for value in self.network.parameters())
        views = [[view.seed, view.mixed] for view in self._views]
        return json.dumps([asdict(self._settings), views, len(self._learnt), weights, self._begun_from])


def _fingerprint(network: SceneCNN) -> str:
    """sha256 of its weights."""
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    return hashlib.sha256(serialise_tensors(state)).hexdigest()


def _likely(named: Tensor) -> Tensor:
    """What is named, (n, 1001) in 256ths, rounded → probabilities that add up to 1."""
    shares = named.float() + UNSEEN
    return shares / shares.sum(dim=1, keepdim=True)


def _usual(named: NDArray[np.uint8]) -> Tensor:
    """How likely each thing is on average, (1001,)."""
    chunks = torch.split(torch.from_numpy(named), SCALE_SAMPLE)
    return torch.stack([_likely(chunk).sum(dim=0) for chunk in chunks]).sum(dim=0) / len(named)


def inner_weight(progress: float) -> float:
    """What the loss of each map counts when that share of the run is done: 1 up to half way, INNER at the end."""
    return 1 - (1 - INNER) * max(0.0, 2 * progress - 1)


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _scales(views: Views, rows: NDArray[np.int64], seed: int) -> list[Scale]:
    """One for each map, then one for the embedding, from a sample of the photographs."""
    sample = np.sort(np.random.default_rng(seed).permutation(rows)[:SCALE_SAMPLE])
    arrays: list[NDArray[Any]] = [*views.maps, views.embeddings]
    scales = []
    for kept in arrays:
        values = torch.from_numpy(kept[sample]).float().flatten(0, -2)
        scales.append(Scale(values.mean(dim=0), values.std(dim=0) + 1e-3))
    return scales
