"""Pictures painted by the tests, in every format and condition that users send them in."""

import io
import random
from typing import Any

from PIL import Image, ImageDraw


def scene(width: int = 160, height: int = 120, *, seed: int = 0) -> Image.Image:
    """An RGB picture that no two seeds share."""
    rng = random.Random(seed)
    image = Image.new("RGB", (width, height), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.randrange(width), rng.randrange(height)
        draw.ellipse((x, y, x + rng.randrange(1, width), y + rng.randrange(1, height)), fill=_colour(rng))
    return image


def encoded(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def jpeg(seed: int = 0) -> bytes:
    return encoded(scene(seed=seed))


def with_exif(image: Image.Image, *, orientation: int, gps: bool = True) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera"
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
    return encoded(image, exif=exif.tobytes())


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)
