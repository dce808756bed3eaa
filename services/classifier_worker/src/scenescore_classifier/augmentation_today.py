"""Pictures varied at random as today's training recipes do, all on tensors of a batch at once.

Random resized crops (C. Szegedy et al., "Going deeper with convolutions", 2015), flips, colour jitter, grey
pictures and blur (T. Chen et al., "A simple framework for contrastive learning", 2020), milder here: colour and
light carry much of a scene's emotion. Random erasing (Z. Zhong et al., "Random erasing data augmentation", 2020).

Pictures are float (n, 3, h, w) in [0, 1] and stay so; every picture is varied on its own. The generator may
live on another device than the pictures.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

CROP_AREA = (0.5, 1.0)
"""Share of the picture that a crop shows: at least half, so that a scene remains one."""
CROP_ASPECT = (3 / 4, 4 / 3)
"""Width over height of the crop, beside that of the picture."""

BRIGHTNESS = 0.2
CONTRAST = 0.2
SATURATION = 0.2
"""Factors are drawn from [1 - x, 1 + x]."""
HUE = 0.02
"""Largest turn of the hue either way, in turns of the colour circle."""

GREY_PROBABILITY = 0.05

BLUR_PROBABILITY = 0.1
BLUR_SIGMA = (0.1, 1.5)
"""In pixels."""
_BLUR_RADIUS = 4

ERASING_PROBABILITY = 0.25
ERASING_AREA = (0.02, 0.2)
"""Share of the picture that is painted over with noise."""
ERASING_ASPECT = (0.3, 1 / 0.3)

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in what eyes see as brightness (ITU-R BT.601)."""
_RGB_TO_YIQ = (_LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))


def crop_and_flip(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A random part of each picture at the picture's size, half of them mirrored."""
    count = len(pictures)
    width, height = _sides(CROP_AREA, CROP_ASPECT, count, generator)
    shift_x = (1 - width) * _uniform(-1, 1, count, generator)
    shift_y = (1 - height) * _uniform(-1, 1, count, generator)
    mirror = torch.where(_chance(0.5, count, generator), -1.0, 1.0)
    zero = torch.zeros_like(width)
    # places in the new picture → places in the old one, both in [-1, 1]
    maps = torch.stack([mirror * width, zero, shift_x, zero, height, shift_y], dim=1).view(count, 2, 3)
    grid = functional.affine_grid(maps.to(pictures), list(pictures.shape), align_corners=False)
    # the view never leaves the picture by more than half a pixel, and never shrinks: no aliasing
    cropped = functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return cropped.clamp_(0, 1)


def jitter_colours(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness, then contrast about the mean brightness, then saturation and hue, each by its own factor.

    Hue turns in the YIQ plane, which leaves the brightness as it is.
    """
    count, channels, rows, columns = pictures.shape
    brightness, contrast, saturation = (
        _uniform(1 - x, 1 + x, count, generator).to(pictures).view(-1, 1, 1)
        for x in (BRIGHTNESS, CONTRAST, SATURATION)
    )
    angle = (2 * math.pi * _uniform(-HUE, HUE, count, generator)).to(pictures)
    luma = torch.tensor(_LUMA).to(pictures)
    bright = (pictures.reshape(count, channels, rows * columns) * brightness).clamp_(0, 1)
    middle = bright.mean(dim=2) @ luma
    # a grey pixel stays the same under all of it, so the three steps are one matrix and one shift
    colours = contrast * (saturation * _hue_turns(angle) + (1 - saturation) * luma.expand(3, 3))
    shift = (1 - contrast) * middle.view(-1, 1, 1)
    return torch.baddbmm(shift, colours, bright).clamp_(0, 1).view_as(pictures)


def grey_some(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A few pictures lose their colours."""
    chosen = _chance(GREY_PROBABILITY, len(pictures), generator).to(pictures.device)
    return torch.where(chosen.view(-1, 1, 1, 1), to_grey(pictures), pictures)


def blur_some(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A few pictures blurred by a Gaussian of random width; edges repeated."""
    count = len(pictures)
    sigma = _uniform(*BLUR_SIGMA, count, generator).to(pictures)
    chosen = _chance(BLUR_PROBABILITY, count, generator).nonzero()[:, 0].to(pictures.device)
    if not len(chosen):
        return pictures
    steps = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1).to(pictures)
    kernels = functional.softmax(-(steps**2) / (2 * sigma[chosen, None] ** 2), dim=1)
    blurred = pictures.clone()
    blurred[chosen] = _filtered(pictures[chosen], kernels).clamp(0, 1)
    return blurred


def erase_some(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A rectangle of some pictures painted over with noise."""
    count, channels, rows, columns = pictures.shape
    width, height = _sides(ERASING_AREA, ERASING_ASPECT, count, generator)
    left = (1 - width) * _uniform(0, 1, count, generator)
    top = (1 - height) * _uniform(0, 1, count, generator)
    hidden = rectangles(left, top, left + width, top + height, rows=rows, columns=columns)
    hidden &= _chance(ERASING_PROBABILITY, count, generator).view(-1, 1, 1, 1)
    noise = torch.rand((channels, rows, columns), generator=generator, device=generator.device)
    return torch.where(hidden.to(pictures.device), noise.to(pictures), pictures)


def rectangles(
    left: Tensor, top: Tensor, right: Tensor, bottom: Tensor, *, rows: int, columns: int
) -> Tensor:
    """Masks of rectangles with edges (n,) in shares of the picture: bool (n, 1, rows, columns), True inside."""
    x = (torch.arange(columns, device=left.device) + 0.5) / columns
    y = (torch.arange(rows, device=left.device) + 0.5) / rows
    within_x = (x >= left[:, None]) & (x < right[:, None])
    within_y = (y >= top[:, None]) & (y < bottom[:, None])
    return (within_y[:, :, None] & within_x[:, None, :])[:, None]


def to_grey(pictures: Tensor) -> Tensor:
    """Brightness as eyes see it: (n, 3, h, w) → (n, 1, h, w)."""
    weights = torch.tensor(_LUMA).to(pictures).view(1, 3, 1, 1)
    return (pictures * weights).sum(dim=1, keepdim=True)


def _hue_turns(angle: Tensor) -> Tensor:
    """Matrices on RGB that turn the hue by angles (n,), in radians: (n, 3, 3)."""
    to_yiq = torch.tensor(_RGB_TO_YIQ, dtype=torch.float64)
    cosine, sine = angle.double().cos(), angle.double().sin()
    turn = torch.zeros((len(angle), 3, 3), dtype=torch.float64, device=angle.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = cosine
    turn[:, 1, 2], turn[:, 2, 1] = -sine, sine
    to_yiq = to_yiq.to(angle.device)
    matrices: Tensor = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return matrices.to(angle.dtype)


def _filtered(pictures: Tensor, kernels: Tensor) -> Tensor:
    """Each picture filtered by its own kernel (n, 2 radius + 1), along rows and then along columns."""
    count, channels, rows, columns = pictures.shape
    weights = kernels.repeat_interleave(channels, dim=0)
    # every channel of every picture becomes a channel with a filter of its own
    planes = pictures.reshape(1, count * channels, rows, columns)
    padded = functional.pad(planes, [_BLUR_RADIUS] * 4, mode="replicate")
    across = functional.conv2d(padded, weights[:, None, None, :], groups=len(weights))
    return functional.conv2d(across, weights[:, None, :, None], groups=len(weights)).view_as(pictures)


def _sides(
    areas: tuple[float, float], aspects: tuple[float, float], count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Width and height (count,) in shares of the picture; neither more than 1. Aspects are drawn evenly in log."""
    area = _uniform(*areas, count, generator)
    aspect = _uniform(math.log(aspects[0]), math.log(aspects[1]), count, generator).exp()
    return (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)


def _uniform(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator, device=generator.device)


def _chance(probability: float, count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device) < probability
