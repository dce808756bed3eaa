"""Pictures for people: grids and curves."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.gan.training import Point
from scenescore_classifier.models.architecture import ModelError, optional_library


def png(pixels: Tensor) -> bytes:
    """A PNG file of one picture, uint8 (3, h, w)."""
    file = io.BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()).save(file, "PNG")
    return file.getvalue()


def grid(pixels: Tensor, columns: int | None = None) -> Tensor:
    """Pictures uint8 (n, 3, h, w) side by side, row by row: uint8 (3, rows * h, columns * w), black where none is.

    As near to a square as can be where `columns` is None.
    """
    count, channels, height, width = pixels.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = torch.zeros(rows * columns, channels, height, width, dtype=torch.uint8)
    cells[:count] = pixels
    placed = cells.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return placed.reshape(channels, rows * height, columns * width)


def draw_curve(path: Path, curve: Sequence[Point]) -> bool:
    """The Wasserstein estimate and the generator's loss over steps as a PNG; False where matplotlib is missing."""
    try:
        figures = optional_library("matplotlib.figure", extra="report")
    except ModelError:
        return False
    figure = figures.Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [point.step for point in curve]
    axes.plot(steps, [point.wasserstein for point in curve], label="Wasserstein estimate")
    axes.plot(steps, [point.generator_loss for point in curve], label="generator's loss", linewidth=0.7)
    axes.set_xlabel("step of the generator")
    axes.legend()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    write_atomically(path, file.getvalue())
    return True
