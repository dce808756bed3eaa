"""Pictures mixed with others of their batch, and their targets with them.

mixup (H. Zhang et al., "mixup: Beyond empirical risk minimization", 2018) blends two pictures; CutMix (S. Yun et al.,
"CutMix: Regularization strategy to train strong classifiers", 2019) puts a rectangle of one into the other. The
papers draw one share for a batch; here every picture draws its own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scenescore_classifier.augmentation_today import rectangles

MIXUP_ALPHA = 0.2
CUTMIX_ALPHA = 1.0
"""Shares are drawn from Beta(alpha, alpha), with the alphas that the papers use on ImageNet."""

MIXUP_PROBABILITY = 0.25
CUTMIX_PROBABILITY = 0.25
"""Of each picture; half of them stay as they are."""


@dataclass(frozen=True)
class Mixture:
    """Which picture was mixed into each of n, and what is left of the first."""

    partners: Tensor
    """int64 (n,)."""
    shares: Tensor
    """float (n,) in [0, 1]; 1 where nothing was mixed in."""

    def of(self, targets: Tensor) -> Tensor:
        """Targets mixed as the pictures were: float (n, …) → the same shape.

        NaN (an unknown rating) stays where it is, and comes in where a partner with one was mixed in.
        """
        shares = self.shares.to(targets).view(-1, *[1] * (targets.dim() - 1))
        mixed = shares * targets + (1 - shares) * targets[self.partners.to(targets.device)]
        return torch.where(shares == 1, targets, mixed)


def unmixed(pictures: Tensor) -> Mixture:
    """The mixture of pictures that stay as they are."""
    return Mixture(torch.arange(len(pictures)), torch.ones(len(pictures)))


def mix_some(pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Mixture]:
    """Some of pictures, float (n, c, h, w) in [0, 1], mixed with another of the batch; shape and range stay."""
    count, _, rows, columns = pictures.shape
    partners = torch.randperm(count, generator=generator, device=generator.device)
    lot = torch.rand(count, generator=generator, device=generator.device)
    blended = lot < MIXUP_PROBABILITY
    cut = (lot >= MIXUP_PROBABILITY) & (lot < MIXUP_PROBABILITY + CUTMIX_PROBABILITY)
    blend_share, cut_share = _beta(MIXUP_ALPHA, count, generator), _beta(CUTMIX_ALPHA, count, generator)
    inside = _boxes(1 - cut_share, rows, columns, generator)
    # what is left of the own picture at every place
    own = torch.ones((count, 1, rows, columns), device=generator.device)
    own = torch.where(blended.view(-1, 1, 1, 1), blend_share.view(-1, 1, 1, 1), own)
    own = torch.where(cut.view(-1, 1, 1, 1) & inside, torch.zeros_like(own), own)
    # the box may reach over the edge: its real area counts
    shares = torch.where(
        cut, own.mean(dim=(1, 2, 3)), torch.where(blended, blend_share, torch.ones_like(lot))
    )
    weights, others = own.to(pictures), pictures[partners.to(pictures.device)]
    return (others + (pictures - others) * weights).clamp(0, 1), Mixture(partners, shares)


def soft_labels(labels: Tensor, classes: int) -> Tensor:
    """Int (n,) in -1 … classes - 1 → float32 (n, classes): one 1 in each row, none where the label is -1.

    Cross-entropy against a row without a 1 is 0, so pictures without an emotion teach nothing by it.
    """
    rows = functional.one_hot(labels.clamp(min=0), classes).float()
    return rows * (labels >= 0).unsqueeze(1)


def _boxes(areas: Tensor, rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Rectangles of those shares of the picture, cut at its edges: bool (n, 1, rows, columns)."""
    half = areas.sqrt() / 2
    x, y = torch.rand((2, len(areas)), generator=generator, device=generator.device)
    return rectangles(x - half, y - half, x + half, y + half, rows=rows, columns=columns)


def _beta(alpha: float, count: int, generator: torch.Generator) -> Tensor:
    # torch draws from Beta with its global generator only: NumPy does it, seeded from ours
    seed = torch.randint(2**62, (1,), generator=generator, device=generator.device).item()
    drawn = np.random.default_rng(int(seed)).beta(alpha, alpha, count)
    return torch.from_numpy(drawn.astype(np.float32)).to(generator.device)
