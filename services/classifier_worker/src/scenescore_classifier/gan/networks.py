"""Generator and critic of the thesis's Wasserstein GAN: the layers of DCGAN (Radford et al. 2016) in 5x5.

The thesis's library was TensorFlow. Its `SAME` padding at stride 2 and kernel 5 puts one row before and two
after an even side; torch pads both sides alike, so both directions are reproduced by hand here.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

NOISE = 100
"""Values of noise that a picture is made of, each from a standard normal."""

SIDES = (64, 128)
"""Heights and widths in pixels that can be made. At 64 the generator has no stage of 32 channels; the critic keeps
its four and ends at 4x4 instead of 8x8."""

WIDTH = 512
"""Channels where the pictures are smallest: the generator's first, the critic's last."""

_KERNEL, _STRIDE = 5, 2
_SMALLEST = 4  # the side that the generator starts from
_CRITIC_STAGES = 4
_DEVIATION = 0.02
_LEAK = 0.2  # of the leaky ReLU, as in DCGAN: the thesis does not say

Layer = TypeVar("Layer", bound=nn.Module)


class Generator(nn.Module):
    """Noise → linear to 4x4x512 → transposed convolutions 5x5 stride 2 to 256, 128, 64, 32 and 3 channels.

    Batch norm and ReLU between (torch's momentum .1 is TensorFlow's .9; epsilon 1e-5), tanh at the end.
    Weights come from `chance`, a truncated normal of deviation .02.
    """

    def __init__(self, side: int, chance: torch.Generator, *, width: int = WIDTH) -> None:
        super().__init__()
        stages = (side // _SMALLEST).bit_length() - 1  # doublings from 4: 5 to 128, 4 to 64
        channels = [width // 2**stage for stage in range(stages)]  # 512, 256, 128, 64, 32
        self.width = width
        self.start = _bare(nn.Linear, NOISE, width * _SMALLEST**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in channels)
        self.convolutions = nn.ModuleList(
            _bare(nn.ConvTranspose2d, before, after, _KERNEL, _STRIDE, 1)
            for before, after in zip(channels, [*channels[1:], 3], strict=True)
        )
        initialise(self, chance)

    def forward(self, noise: Tensor) -> Tensor:
        """Noise (n, 100) → pictures (n, 3, side, side) in [-1, 1]."""
        x = self.start(noise).view(-1, self.width, _SMALLEST, _SMALLEST)  # (n, 512, 4, 4)
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            # one row and column fewer after than before: TensorFlow's SAME, transposed
            x = convolution(functional.relu(norm(x)))[:, :, :-1, :-1]  # sides double
        return torch.tanh(x)


class Critic(nn.Module):
    """Convolutions 5x5 stride 2 to 64, 128, 256 and 512 channels, leaky ReLU, linear to one value, no sigmoid.

    Batch norm after each convolution but the first, as in DCGAN. With `penalised` (WGAN-GP) layer norm
    instead: the penalty is on the gradient at each picture, which must not depend on the others of its batch
    (Gulrajani et al. 2017, section 4).
    """

    def __init__(
        self, side: int, chance: torch.Generator, *, penalised: bool = False, width: int = WIDTH
    ) -> None:
        super().__init__()
        channels = [3, *(width // 2**stage for stage in reversed(range(_CRITIC_STAGES)))]
        self.convolutions = nn.ModuleList(
            _bare(nn.Conv2d, before, after, _KERNEL, _STRIDE) for before, after in pairwise(channels)
        )
        self.norms = nn.ModuleList(
            # one group is layer norm over channels and places, with a scale per channel
            nn.GroupNorm(1, count) if penalised else nn.BatchNorm2d(count)
            for count in channels[2:]
        )
        self.score = _bare(nn.Linear, width * (side // _STRIDE**_CRITIC_STAGES) ** 2, 1)
        initialise(self, chance)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, side, side) in [-1, 1] → scores (n,), higher for real ones."""
        x = pictures
        norms = [nn.Identity(), *self.norms]
        for norm, convolution in zip(norms, self.convolutions, strict=True):
            x = functional.leaky_relu(norm(convolution(pad_same(x))), _LEAK)  # sides halve
        scores: Tensor = self.score(x.flatten(1)).squeeze(1)
        return scores


def pad_same(x: Tensor) -> Tensor:
    """TensorFlow's `SAME` for kernel 5, stride 2 and even sides: (n, c, h, w) → (n, c, h + 3, w + 3)."""
    return functional.pad(x, (1, 2, 1, 2))


def initialise(network: nn.Module, chance: torch.Generator) -> None:
    """Weights from a normal of deviation .02 cut at two deviations; biases 0; norms start as they are."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.trunc_normal_(
                module.weight, std=_DEVIATION, a=-2 * _DEVIATION, b=2 * _DEVIATION, generator=chance
            )
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _bare(layer: Callable[..., Layer], *sizes: int) -> Layer:
    """A layer without values yet: filling it now would draw from torch's global generator."""
    bare: Layer = skip_init(layer, *sizes)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    return bare
