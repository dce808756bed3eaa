"""Picture bytes → tensor: the one preprocessing, for training and for serving.

The whole scene is squeezed to 150x150 as in the thesis (no crop loses a corner of it), and pixels become
shares of full brightness. The thesis's server prepared pictures differently from its training; here both call
the functions of this file.
"""

import io

import numpy as np
import torch
from PIL import Image, ImageOps

from scenescore_shared.errors import InvalidPictureError

SIDE = 150
"""Height and width in pixels of what the network sees."""

MAX_BYTES = 64 * 2**20
"""Longest file that is looked at."""

MAX_PIXELS = 50_000_000
"""Largest picture that is unpacked: 150 MB of RGB in memory."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""Read by decoders that run in this process; Pillow's others (some start programs) are never tried."""


def decode(data: bytes) -> Image.Image:
    """The picture in `data`: RGB, upright as its EXIF says, transparent parts on white, first frame only.

    A JPEG much larger than the network needs comes back at a half, a quarter or an eighth of its size, never
    below twice `SIDE` on either side: the decoder then skips most of its work.

    Raises InvalidPictureError when `data` is no whole picture of one of `FORMATS`, or is larger than
    `MAX_BYTES` or `MAX_PIXELS` (code `picture_too_large`).
    """
    if len(data) > MAX_BYTES:
        raise _too_large(f"The picture has more than {MAX_BYTES // 2**20} MiB")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image)
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            return _to_rgb(ImageOps.exif_transpose(image))
    except InvalidPictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(f"The picture has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # hostile bytes make Pillow's parsers raise anything at all
        raise InvalidPictureError(
            f"The file can't be read as a picture: send a whole {', '.join(FORMATS)} file."
        ) from error


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


def _check_size(image: Image.Image) -> None:
    """Only the header has been read by now: a decompression bomb is refused before it unpacks."""
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"The picture has more than {MAX_PIXELS:,} pixels")


def _too_large(complaint: str) -> InvalidPictureError:
    return InvalidPictureError(f"{complaint}: send a smaller one.", code="picture_too_large")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion cuts values above 255 to white
        return image.point(lambda value: value * (1 / 257)).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")
