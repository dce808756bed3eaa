"""The CNN of the thesis (University of Moratuwa, 2019): as its text describes it, and as its code is printed.

The text speaks of ReLU within and softmax at the end; the printed code has softmax after every layer, over the
channels, which squeezes each place's activations into shares of 1. Both are kept for comparison.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from scenescore_classifier.models.architecture import Training
from scenescore_classifier.preprocessing import SIDE, to_pixels

AS_PRINTED, AS_DESCRIBED = "thesis", "thesis-relu"
FILTERS = (32, 32, 32, 32, 64)
HIDDEN = 64
DROPOUT = 0.5

Layer = TypeVar("Layer", bound=nn.Module)


class ThesisCNN(nn.Module):
    """Five blocks of 3x3 convolution and 2x2 max pooling, one dense layer, one logit per emotion.

    No padding and Glorot's uniform initial weights (Glorot and Bengio 2010): what Keras, the thesis's
    library, does unless told otherwise. The initial weights come from `generator`, from seed 0 where none is
    given; torch's global random state is neither read nor moved. With `softmax_within`, softmax over the
    channels takes the place of ReLU.
    """

    def __init__(
        self, outputs: int, generator: torch.Generator | None = None, *, softmax_within: bool = False
    ) -> None:
        super().__init__()
        self._softmax_within = softmax_within
        channels = (3, *FILTERS)
        self.convolutions = nn.ModuleList(
            _bare(nn.Conv2d, before, after, 3) for before, after in zip(channels, FILTERS, strict=False)
        )
        side = SIDE
        for _ in FILTERS:
            side = (side - 2) // 2  # 150 → 74 → 36 → 17 → 7 → 2
        self.hidden = _bare(nn.Linear, FILTERS[-1] * side * side, HIDDEN)
        self.output = _bare(nn.Linear, HIDDEN, outputs)
        self._initialise(generator or torch.Generator().manual_seed(0))

    def forward(self, pictures: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        """Pictures (n, 3, 150, 150) in [0, 1] → logits (n, outputs).

        With a generator `dropout`, half of the hidden values are dropped as it says: for training only.
        """
        x = pictures.contiguous(memory_format=torch.channels_last)  # a third faster on CPUs
        for convolution in self.convolutions:
            x = convolution(x)  # (n, 32, 148, 148), then 72, 34, 15, and (n, 64, 5, 5)
            if self._softmax_within:
                x = functional.max_pool2d(x.softmax(dim=1), 2)
            else:
                # ReLU commutes with the maximum, and afterwards has a quarter of the values to look at
                x = functional.relu(functional.max_pool2d(x, 2))  # (n, 32, 74, 74), …, (n, 64, 2, 2)
        x = self.hidden(x.flatten(1))  # (n, 256) → (n, 64)
        x = x.softmax(dim=1) if self._softmax_within else functional.relu(x)
        if dropout is not None:
            x = drop(x, DROPOUT, dropout)
        logits: Tensor = self.output(x)  # (n, outputs)
        return logits

    def _initialise(self, generator: torch.Generator) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter, generator=generator)
            else:
                nn.init.zeros_(parameter)


@dataclass(frozen=True)
class Thesis:
    """The thesis's architecture, in one of its two readings."""

    name: str = AS_DESCRIBED
    training: Training = Training.SCRATCH
    prepared_shape: tuple[int, ...] = (3, SIDE, SIDE)

    def prepare(self, image: Image.Image) -> Tensor:
        return to_pixels(image)

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """As `Architecture` says; nothing of it is pretrained."""
        return ThesisCNN(len(emotions), generator, softmax_within=self.name == AS_PRINTED)


def drop(values: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Dropout (Srivastava et al. 2014) from a generator, which `nn.Dropout` can't take. Same shape."""
    kept = torch.rand(values.shape, generator=generator) >= share
    return values * kept.to(values) / (1 - share)


def _bare(layer: Callable[..., Layer], *sizes: int) -> Layer:
    """A layer without values yet: filling it now would draw from torch's global generator."""
    bare: Layer = skip_init(layer, *sizes)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    return bare
