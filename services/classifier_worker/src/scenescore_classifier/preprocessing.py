"""Picture bytes → tensor: the one preprocessing, for training and for serving.

The whole scene is squeezed to 150x150 as in the thesis (no crop loses a corner of it), and pixels become
shares of full brightness. The thesis's server prepared pictures differently from its training; here both call
the functions of this file.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image, ImageOps

from scenescore_shared.errors import InvalidPictureError

SIDE = 150
"""Height and width in pixels of what the network sees."""

MAX_BYTES = 64 * 2**20
"""Longest file that is looked at."""

MAX_PIXELS = 50_000_000
"""Largest picture that is unpacked: 200 MB in Pillow's memory, which keeps four bytes for a pixel of RGB."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""Read by decoders that run in this process; Pillow's others (some start programs) are never tried."""

_WEIGHTS = {"WEBP": 2}
"""A WebP counts double: its decoder holds two canvases beside the picture, some 17 bytes a pixel."""


def decode(data: bytes, side: int = SIDE) -> Image.Image:
    """The picture in `data`: RGB, upright as its EXIF says, transparent parts on white, first frame only.

    One much larger than a network with an input of `side` by `side` pixels needs comes back smaller, never below
    twice `side` on either edge. A JPEG is unpacked at a half, a quarter or an eighth of its size (its DCT's lowest
    frequencies): the decoder then skips most of its work.

    Raises InvalidPictureError when `data` is no whole picture of one of `FORMATS`, or is larger than
    `MAX_BYTES` or `MAX_PIXELS` (code `picture_too_large`).
    """
    with opened(data) as image:
        return unpacked(image, side)


def opened(data: bytes) -> Image.Image:
    """The picture in `data` with only its header read: its size is known and checked, nothing is unpacked.

    Raises InvalidPictureError as `decode` does.
    """
    if len(data) > MAX_BYTES:
        raise _too_large(f"The picture has more than {MAX_BYTES // 2**20} MiB")
    with _sentences():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    if weight(image) > MAX_PIXELS:
        image.close()
        raise _too_large(f"The picture has more than {MAX_PIXELS // _weight_of(image):,} pixels")
    return image


def weight(image: Image.Image) -> int:
    """What an opened picture takes of the memory while it is unpacked, in pixels of the usual formats."""
    return image.width * image.height * _weight_of(image)


def unpacked(image: Image.Image, side: int = SIDE) -> Image.Image:
    """The pixels of an `opened` picture, as `decode` promises them. Raises InvalidPictureError."""
    with _sentences():
        image.draft("RGB", (2 * side, 2 * side))
        image.load()
        # small before anything else is made of it: each further step would hold the large one twice
        return _to_rgb(ImageOps.exif_transpose(_shrunk(image, side)))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """RGB picture of any size → float32 (3, 150, 150) in [0, 1]."""
    return to_shares(to_pixels(image))


def to_pixels(image: Image.Image, side: int = SIDE) -> torch.Tensor:
    """RGB picture of any size → uint8 (3, side, side): a data set in memory takes a quarter of the room."""
    # bilinear over the support of the shrunken pixel: no aliasing, unlike the thesis's nearest neighbour
    small = image.resize((side, side), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small, dtype=np.uint8)).permute(2, 0, 1).contiguous()


def to_shares(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 of any shape → float32 in [0, 1], same shape."""
    return pixels.to(torch.float32) / 255


@contextmanager
def _sentences() -> Iterator[None]:
    """Turns whatever Pillow raises into an error that says what to do."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(f"The picture has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # hostile bytes make Pillow's parsers raise anything at all
        raise InvalidPictureError(
            f"The file can't be read as a picture: send a whole {', '.join(FORMATS)} file."
        ) from error


def _weight_of(image: Image.Image) -> int:
    return _WEIGHTS.get(image.format or "", 1)


def _too_large(complaint: str) -> InvalidPictureError:
    return InvalidPictureError(f"{complaint}: send a smaller one.", code="picture_too_large")


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """The mean of each block of whole pixels, so that the shorter edge has 2 to 4 times `side`; a small picture as
    it is.
    """
    factors = max(image.width // (2 * side), 1), max(image.height // (2 * side), 1)
    return image if factors == (1, 1) else _averageable(image).reduce(factors)


def _averageable(image: Image.Image) -> Image.Image:
    """In a mode whose values are brightnesses, not numbers in a palette; transparency, where there is any, as alpha."""
    if image.mode.startswith("I"):
        return _eight_bit(image)
    if image.has_transparency_data:
        return image if image.mode in {"RGBA", "LA"} else image.convert("RGBA")
    return image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _eight_bit(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey: Pillow's own conversion cuts values above 255 to white."""
    return image.point(lambda value: value * (1 / 257)).convert("L")
