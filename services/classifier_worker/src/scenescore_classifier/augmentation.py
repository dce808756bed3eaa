"""Pictures varied at random for training, as in the thesis: shear 0.2, zoom 0.2, horizontal flips."""

import torch
from torch import Tensor
from torch.nn import functional

SHEAR = 0.2
"""Largest shear angle, in radians: the unit of Keras when the recipe that the thesis follows was written."""

ZOOM = 0.2
"""Height and width are zoomed separately, each by a factor in [1 - ZOOM, 1 + ZOOM]."""


def augment(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture sheared, zoomed and flipped on its own: float (n, channels, h, w) → the same shape.

    Values stay within the range of their picture: bilinear sampling, edges repeated where the view leaves it.
    """
    maps = random_maps(len(pictures), generator).to(pictures)
    grid = functional.affine_grid(maps, list(pictures.shape), align_corners=False)  # (n, h, w, 2)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def random_maps(count: int, generator: torch.Generator) -> Tensor:
    """Affine maps from places in the new picture to places in the old one, both in [-1, 1]: (count, 2, 3).

    Shear after zoom, in the matrices of Keras's ImageDataGenerator; about the middle, so no shift.
    """
    angle = _between(-SHEAR, SHEAR, count, generator)
    zoom_x = _between(1 - ZOOM, 1 + ZOOM, count, generator)
    zoom_y = _between(1 - ZOOM, 1 + ZOOM, count, generator)
    mirrored = torch.rand(count, generator=generator) < 0.5  # noqa: PLR2004 - a fair coin
    zero = torch.zeros(count)
    row_x = torch.stack([torch.where(mirrored, -zoom_x, zoom_x), -torch.sin(angle) * zoom_y, zero], dim=1)
    row_y = torch.stack([zero, torch.cos(angle) * zoom_y, zero], dim=1)
    return torch.stack([row_x, row_y], dim=1)


def _between(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)
