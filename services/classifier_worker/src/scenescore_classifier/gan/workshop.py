"""Where trained GANs, their grids and their curves lie, and how one is begun or resumed there."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from scenescore_classifier.checkpoint import CheckpointError, write_atomically
from scenescore_classifier.data import Dataset, DatasetError
from scenescore_classifier.gan import state
from scenescore_classifier.gan.pictures import draw_curve, grid, png
from scenescore_classifier.gan.sampling import sample
from scenescore_classifier.gan.state import Origin
from scenescore_classifier.gan.training import Settings, Training, fit_side, train

GRID_PICTURES = 36
CURVE_FILE = "curve.json"


def pictures_of(dataset: Dataset, emotion: str, side: int) -> Tensor:
    """The emotion's pictures, uint8 (n, 3, side, side). Raises DatasetError where it has none."""
    if emotion not in dataset.emotions:
        raise DatasetError(
            f"There are no pictures of {emotion} to learn from: choose {', '.join(dataset.emotions)}."
        )
    chosen = torch.from_numpy(dataset.labels == dataset.emotions.index(emotion))
    return fit_side(dataset.pixels[chosen], side)


def train_in(
    folder: Path,
    emotion: str,
    pixels: Tensor,
    settings: Settings,
    *,
    steps: int | None,
    minutes: float | None = None,
    every: int,
    device: str = "cpu",
) -> Training:
    """A GAN of the emotion trained in `folder` up to the budget, going on from what is there.

    Raises CheckpointError when another training is there: other settings or other pictures.
    """
    origin = Origin(emotion, len(pixels), state.fingerprint_of(pixels))
    if (folder / state.CARD_FILE).exists():
        training, before, _ = state.load(folder, device)
        if (before, training.settings) != (origin, settings):
            raise CheckpointError(
                f"{folder} has a GAN of other pictures or settings: name another folder, or ask for the same."
            )
    else:
        training = Training.begin(settings, device)

    def keep(current: Training) -> None:
        state.save(folder, current, origin)
        pictures = sample(current.generator, GRID_PICTURES, settings.seed)
        write_atomically(folder / f"grid-{current.step:07d}.png", png(grid(pictures)))
        points = [asdict(point) for point in current.curve]
        write_atomically(folder / CURVE_FILE, (json.dumps(points) + "\n").encode())
        draw_curve(folder / "curve.png", current.curve)

    train(training, pixels, steps=steps, minutes=minutes, every=every, keep=keep, title=f"GAN of {emotion}")
    return training
