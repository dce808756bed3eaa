"""Pictures that show no scene, drawn at random: to see that their answers are even. Nothing learns from them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = (800, 600)
"""Width and height in pixels."""

TEXT = (
    "the of and to in is was for on that with as by at from it an be are this which or had not but have his her they "
    "one all were there been their has more when who will would no if out so said what up about into than them can only"
)
WORDS = TEXT.split()

Draw = Callable[[np.random.Generator], Image.Image]
Colour = tuple[int, int, int]


def draw(kind: str, count: int, seed: int) -> list[Image.Image]:
    """That many different pictures of a kind, one of KINDS: RGB, of SIZE."""
    generator = np.random.default_rng([seed, list(KINDS).index(kind)])
    return [KINDS[kind](generator) for _ in range(count)]


def _text(generator: np.random.Generator) -> Image.Image:
    """A page: dark words on light paper, or light ones in a dark window."""
    paper, ink = _colour(generator, 235, 256), _colour(generator, 0, 70)
    if generator.random() < 0.3:  # noqa: PLR2004 - some prefer it dark
        paper, ink = _colour(generator, 0, 40), _colour(generator, 190, 256)
    image = Image.new("RGB", SIZE, paper)
    size, margin = int(generator.integers(11, 30)), int(generator.integers(10, 120))
    for top in range(margin, SIZE[1] - margin, int(1.4 * size)):
        if generator.random() > 0.1:  # noqa: PLR2004 - the others are gaps between paragraphs
            words = " ".join(generator.choice(WORDS, int(generator.integers(3, 18))))
            ImageDraw.Draw(image).text((margin, top), words, fill=ink, font=ImageFont.load_default(size))
    return image


def _window(generator: np.random.Generator) -> Image.Image:
    """Boxes with words in them under a bar, as programs look."""
    image = Image.new("RGB", SIZE, _colour(generator, 180, 256))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    pen.rectangle((0, 0, SIZE[0], int(generator.integers(20, 70))), fill=_colour(generator, 0, 256))
    for _ in range(int(generator.integers(4, 14))):
        left, top = int(generator.integers(SIZE[0] - 100)), int(generator.integers(SIZE[1] - 60))
        width, height = int(generator.integers(60, 400)), int(generator.integers(20, 250))
        box = (left, top, left + width, top + height)
        pen.rectangle(box, fill=_colour(generator, 120, 256), outline=_colour(generator, 0, 150))
        for line in range(int(generator.integers(5))):
            words = " ".join(generator.choice(WORDS, 3))
            pen.text((left + 8, top + 6 + 18 * line), words, fill=_colour(generator, 0, 100), font=font)
    return image


def _plain(generator: np.random.Generator) -> Image.Image:
    return Image.new("RGB", SIZE, _colour(generator, 0, 256))


def _gradient(generator: np.random.Generator) -> Image.Image:
    """One colour into another, in any direction."""
    x, y = np.meshgrid(np.linspace(-1, 1, SIZE[0]), np.linspace(-1, 1, SIZE[1]))
    angle = generator.uniform(0, 2 * np.pi)
    place = (x * np.cos(angle) + y * np.sin(angle))[..., None] / np.sqrt(8) + 0.5
    first, last = generator.integers(0, 256, (2, 3))
    return _image(first + (last - first) * place)


def _noise(generator: np.random.Generator) -> Image.Image:
    """Grains of 1 to 8 pixels about a colour."""
    grain = int(generator.choice([1, 2, 4, 8]))
    grains = generator.normal(0, generator.uniform(8, 60), (SIZE[1] // grain, SIZE[0] // grain, 3))
    noisy = _image(generator.integers(0, 256, 3) + grains)
    return noisy.resize(SIZE, Image.Resampling.NEAREST)


def _line_chart(generator: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    left, top, right, bottom = 80, 40, SIZE[0] - 30, SIZE[1] - 70
    for number in range(6):
        level = bottom - (bottom - top) * number / 5
        pen.line((left, level, right, level), fill="lightgrey")
        pen.text((30, level - 7), str(10 * number), fill="black", font=ImageFont.load_default(14))
    pen.line((left, top, left, bottom, right, bottom), fill="black", width=2)
    for _ in range(int(generator.integers(1, 5))):
        walk = np.cumsum(generator.normal(size=80))
        heights = bottom - (bottom - top) * (walk - walk.min()) / np.ptp(walk)
        points = list(zip(np.linspace(left, right, 80).tolist(), heights.tolist(), strict=True))
        pen.line(points, fill=_colour(generator, 0, 220), width=3)
    return image


def _bar_chart(generator: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    count = int(generator.integers(3, 20))
    width = (SIZE[0] - 100) / count
    for number in range(count):
        left, height = 60 + number * width, generator.uniform(30, SIZE[1] - 100)
        box = (left, SIZE[1] - 50 - height, left + 0.8 * width, SIZE[1] - 50)
        pen.rectangle(box, fill=_colour(generator, 0, 256))
    pen.line((55, 40, 55, SIZE[1] - 50, SIZE[0] - 40, SIZE[1] - 50), fill="black", width=2)
    return image


def _squares(generator: np.random.Generator) -> Image.Image:
    """Two colours in a grid at random, as barcodes of two dimensions have it."""
    count = int(generator.integers(4, 40))
    cells = generator.integers(0, 256, (2, 3))[generator.integers(0, 2, (count, count))]
    return _image(cells).resize(SIZE, Image.Resampling.NEAREST)


def _colour(generator: np.random.Generator, low: int, high: int) -> Colour:
    red, green, blue = generator.integers(low, high, 3).tolist()
    return red, green, blue


def _image(values: NDArray[np.float64] | NDArray[np.int64]) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


KINDS: Mapping[str, Draw] = {
    "text": _text,
    "window": _window,
    "plain colour": _plain,
    "gradient": _gradient,
    "noise": _noise,
    "line chart": _line_chart,
    "bar chart": _bar_chart,
    "squares": _squares,
}
