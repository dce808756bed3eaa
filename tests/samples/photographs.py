"""Real photographs: crops of the two that scikit-learn installs (china.jpg, flower.jpg; CC BY, see its README)."""

import io
import random

from PIL import Image
from sklearn.datasets import load_sample_images


def photographs(count: int) -> list[bytes]:
    """That many different JPEG files, each a seeded crop of a photograph."""
    originals = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    rng = random.Random(0)
    found = []
    for number in range(count):
        original = originals[number % len(originals)]
        side = rng.randrange(160, 400)
        left, top = rng.randrange(original.width - side), rng.randrange(original.height - side)
        file = io.BytesIO()
        original.crop((left, top, left + side, top + side)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found
