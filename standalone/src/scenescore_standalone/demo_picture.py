"""`python -m scenescore_standalone.demo_picture OUT.png`: paints the demo's scene, an evening by the sea."""

import math
import random
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_WIDTH, _HEIGHT = 960, 640
_HORIZON = 400
_SKY = ((38, 54, 112), (250, 158, 84))
_SEA = ((214, 128, 90), (22, 40, 82))
_SUN = (620, 330, 62)
_TEXTURES = ((12, 24, 0.22), (48, 96, 0.2), (160, 160, 0.16), (480, 320, 0.14))
"""Columns and rows of random levels, and how strongly they show."""


def paint() -> Image.Image:
    """RGB, 960 by 640 pixels; the same on every machine."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT))
    draw = ImageDraw.Draw(image)
    for y in range(_HEIGHT):
        (top, bottom), share = (
            (_SKY, y / _HORIZON) if y < _HORIZON else (_SEA, (y - _HORIZON) / (_HEIGHT - _HORIZON))
        )
        draw.line([(0, y), (_WIDTH, y)], fill=_between(top, bottom, share))
    x, y, radius = _SUN
    glow = Image.new("RGB", image.size)
    ImageDraw.Draw(glow).ellipse((x - 150, y - 150, x + 150, y + 150), fill=(120, 70, 30))
    sky = Image.composite(
        Image.blend(image, Image.new("RGB", image.size, (255, 214, 140)), 0.45),
        image,
        glow.filter(ImageFilter.GaussianBlur(60)).convert("L").point(lambda level: min(255, level * 3)),
    )
    draw = ImageDraw.Draw(sky)
    draw.pieslice((x - radius, y - radius + 70, x + radius, y + radius + 70), 180, 360, fill=(255, 236, 178))
    for row in range(_HORIZON + 6, _HEIGHT, 9):
        reach = 18 + (row - _HORIZON) * 0.55
        shift = 14 * math.sin(row * 0.7)
        draw.line([(x + shift - reach, row), (x + shift + reach, row)], fill=(255, 205, 140), width=3)
    hills = [(0, _HORIZON), (0, 330), (120, 290), (250, 352), (360, 318), (470, _HORIZON)]
    draw.polygon(hills, fill=(44, 38, 66))
    return _textured(sky)


def _textured(image: Image.Image) -> Image.Image:
    """With clouds, waves and grain: a picture of even areas would not pass for a photograph."""
    chance = random.Random(1)
    for columns, rows, strength in _TEXTURES:
        noise = Image.frombytes("L", (columns, rows), chance.randbytes(columns * rows))
        spread = noise.resize(image.size, Image.Resampling.BICUBIC).point(
            lambda level, strength=strength: round(128 + (level - 128) * strength)
        )
        image = ImageChops.add(image, Image.merge("RGB", (spread,) * 3), offset=-128)
    return image


def _between(top: tuple[int, ...], bottom: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))


if __name__ == "__main__":
    paint().save(Path(sys.argv[1]))
