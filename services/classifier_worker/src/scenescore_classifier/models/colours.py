"""`colours`: how much of which colour a picture has, and where. A baseline for those that see more."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from scenescore_classifier.models.architecture import Training
from scenescore_classifier.models.head import LinearHead

NAME = "colours"
SIDE = 96
"""Height and width in pixels of what is counted."""

STEPS = 4
"""Of red, green and blue each, in the histogram."""

CELLS = 3
"""Rows and columns of places with a mean colour."""

SPREADS = 6
"""Means and deviations of hue, saturation and value."""


class Colours:
    """A histogram of colours (M. Swain and D. Ballard, "Color indexing", 1991), the mean colour of nine places, and
    the mean and deviation of hue, saturation and value.
    """

    name = NAME
    training = Training.HEAD
    prepared_shape: tuple[int, ...] = (STEPS**3 + 3 * CELLS**2 + SPREADS,)

    def prepare(self, image: Image.Image) -> Tensor:
        """float32 (97,), each in [0, 1]."""
        small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, dtype=np.int64)
        red, green, blue = np.moveaxis(pixels * STEPS // 256, 2, 0)
        codes = (red * STEPS + green) * STEPS + blue
        histogram = np.bincount(codes.ravel(), minlength=STEPS**3) / codes.size
        cell = SIDE // CELLS
        places = pixels.reshape(CELLS, cell, CELLS, cell, 3).mean(axis=(1, 3)).ravel() / 255
        tones = np.asarray(small.convert("HSV"), dtype=np.float64).reshape(-1, 3) / 255
        numbers = np.concatenate([histogram, places, tones.mean(axis=0), tones.std(axis=0)])
        return torch.from_numpy(numbers.astype(np.float32))

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """The head: nothing else is trained."""
        return LinearHead(self.prepared_shape[0], len(emotions))
