"""Real photographs: crops of the two that scikit-learn installs (china.jpg, flower.jpg; CC BY, see its README)."""

import io
import random

from PIL import Image
from sklearn.datasets import load_sample_images


def photographs(count: int) -> list[bytes]:
    """That many different JPEG files, each a seeded square crop of a photograph."""
    originals = _originals()
    rng = random.Random(0)
    found = []
    for number in range(count):
        original = originals[number % len(originals)]
        side = rng.randrange(160, 400)
        left, top = rng.randrange(original.width - side), rng.randrange(original.height - side)
        found.append(_jpeg(original.crop((left, top, left + side, top + side))))
    return found


def web_photographs(count: int) -> list[bytes]:
    """That many different JPEG files of nearly 640 by 427 pixels, some 80 to 110 kB each, as on a web page."""
    originals = _originals()
    found = []
    for number in range(count):
        original = originals[number % len(originals)]
        found.append(_jpeg(original.crop((number, 0, original.width, original.height))))
    return found


def _originals() -> list[Image.Image]:
    return [Image.fromarray(pixels) for pixels in load_sample_images().images]


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()
