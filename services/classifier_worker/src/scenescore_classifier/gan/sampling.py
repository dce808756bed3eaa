"""Pictures from a trained generator, into the review folder: nothing is trained on them until `admit`."""

import json
from pathlib import Path

import torch
from torch import Tensor

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.gan.networks import NOISE, Generator
from scenescore_classifier.gan.pictures import png
from scenescore_classifier.gan.training import to_pixels

_AT_ONCE = 64


def sample(generator: Generator, count: int, seed: int) -> Tensor:
    """`count` pictures, uint8 (count, 3, side, side), on the CPU.

    Batch norm uses its running statistics, so a picture does not depend on how many are made. The generator
    goes back to the mode it was in.
    """
    noise = torch.randn(count, NOISE, generator=torch.Generator().manual_seed(seed))
    device = generator.start.weight.device
    was_training = generator.training
    generator.eval()
    with torch.inference_mode():
        made = [to_pixels(generator(part.to(device))).cpu() for part in torch.split(noise, _AT_ONCE)]
    generator.train(was_training)
    return torch.cat(made).clone()


def write_for_review(review: Path, emotion: str, pixels: Tensor, *, model: str, seed: int) -> list[Path]:
    """Each picture as `review/emotion/gan-MODEL-SEED-INDEX.png`, with a JSON file of its provenance beside it.

    `model` is the weights' sha256. A file that is there already is the same picture, and is left alone.
    """
    folder = review / emotion
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, picture in enumerate(pixels):
        path = folder / f"gan-{model[:8]}-s{seed}-i{index:05d}.png"
        if not path.exists():
            provenance = {
                "generated": True,
                "emotion": emotion,
                "model_sha256": model,
                "seed": seed,
                "index": index,
            }
            # the provenance first: a picture is never there without it
            write_atomically(path.with_suffix(".json"), (json.dumps(provenance, indent=2) + "\n").encode())
            write_atomically(path, png(picture))
            written.append(path)
    return written
