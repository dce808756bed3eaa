"""The product's own network, `scene`: small, trained from scratch, its blocks taught one by one (see `distillation`).

Residual blocks (He et al. 2016) on few pixels: 112x112 in, an embedding of 1,280 numbers out, and how likely each of
1,001 things stands in the picture; 4.4 million parameters. Its convolutions are dense: on a CPU they learn twice as
fast as depthwise ones of more layers did, and in the same time further. Its parts meet at maps of known meaning, so
that each can be taught alone.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenescore_classifier.models.imagenet import CLASSES, UNLIKELY

SIDE = 112
"""Height and width in pixels of what the network sees."""

EMBEDDING = 1280
"""Numbers in a picture's embedding, each in [0, 6]."""

MAPS = ((28, 32), (14, 96), (7, 320))
"""Side and channels of what the first three parts give."""

WIDTHS = (48, 96, 192)
"""Channels within those parts."""

DEPTHS = (2, 3, 3)
"""Residual blocks within those parts."""

STEM = 24

DESCRIPTOR = EMBEDDING + 3 * sum(channels for _, channels in MAPS[1:]) + CLASSES
"""Numbers that describe a picture to a head: 3,529."""


class SceneCNN(nn.Module):
    """Pictures → maps → embedding → names.

    The initial weights come from `generator`, from seed 0 where none is given; torch's global random state is
    left as it was.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        (_, near), (_, middle), (_, far) = MAPS
        seed = int(torch.randint(2**31, (1,), generator=generator or torch.Generator().manual_seed(0)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            stem = nn.Sequential(
                nn.Conv2d(3, STEM, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU()
            )
            self.parts = nn.ModuleList(
                [
                    nn.Sequential(stem, Part(STEM, WIDTHS[0], near, DEPTHS[0])),
                    Part(near, WIDTHS[1], middle, DEPTHS[1]),
                    Part(middle, WIDTHS[2], far, DEPTHS[2]),
                ]
            )
            self.embedding = nn.Conv2d(far, EMBEDDING, 1)
            self.names = nn.Linear(EMBEDDING, CLASSES)

    def describe(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 112, 112) in [0, 1] → descriptors (n, 3529).

        The embedding first, each number in [0, 6]; then of the last two parts' maps the mean, the maximum and the
        standard deviation of each channel: what stands somewhere, and what everywhere, without the errors of the
        layers after it; then the logarithms of what is named.
        """
        x = centred(pictures).contiguous(memory_format=torch.channels_last)
        first, *later = self.parts
        x = first(x)  # (n, 32, 28, 28)
        pooled = []
        for part in later:
            x = part(x)  # (n, 96, 14, 14), (n, 320, 7, 7)
            pooled += [x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), x.std(dim=(2, 3))]
        embedded = self.pool(x)
        named = self.names(embedded).softmax(dim=1).add(UNLIKELY).log()
        return torch.cat([embedded, *pooled, named], dim=1)

    def pool(self, maps: Tensor) -> Tensor:
        """The last part's maps (n, 320, 7, 7) → embeddings (n, 1280)."""
        return functional.relu6(self.embedding(maps)).mean(dim=(2, 3))

    def taught(self, pictures: Tensor, maps: list[Tensor], shown: Tensor) -> Iterator[Tensor]:
        """The maps of each part, the embedding, and the logits of what is named, for teaching.

        Pictures (n, 3, 112, 112); `maps` are the teacher's three. Where `shown`, bool (n,), a part starts from the
        teacher's map, as if the parts before it knew everything; elsewhere from what they gave.
        """
        x = centred(pictures).contiguous(memory_format=torch.channels_last)
        for part, truth in zip(self.parts, maps, strict=True):
            x = part(x)
            yield x
            x = torch.where(shown[:, None, None, None], truth, x)
        embedded = self.pool(x)
        yield embedded
        yield self.names(embedded)


class Part(nn.Sequential):
    """Maps at half the side: (n, before, 2h, 2w) → (n, after, h, w), `width` channels and `depth` blocks within."""

    def __init__(self, before: int, width: int, after: int, depth: int) -> None:
        super().__init__(
            nn.Conv2d(before, width, 2, stride=2, bias=False),
            nn.BatchNorm2d(width),
            *(Block(width) for _ in range(depth)),
            nn.Conv2d(width, after, 1),
        )


class Block(nn.Module):
    """A residual block, (n, width, h, w) → the same: it starts as the identity, as its last scale is zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.second_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.first_norm(self.first(x)))
        result: Tensor = x + self.second_norm(self.second(inner))
        return result


def centred(pictures: Tensor) -> Tensor:
    """Shares of brightness in [0, 1] → [-1, 1]."""
    return pictures * 2 - 1
