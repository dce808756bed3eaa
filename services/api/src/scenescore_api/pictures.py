"""Uploaded pictures: checked by content, decoded once, turned upright and stripped of metadata."""

import io
from contextlib import suppress
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from scenescore_api.jpegs import without_metadata
from scenescore_api.picture_parts import has_too_many_parts
from scenescore_shared.errors import InvalidPictureError
from scenescore_shared.turns import Turns

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a phone's JPEG with a second picture behind the first
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
_OPENED_AS = tuple(name for name in CONTENT_TYPES if name != "MPO")
"""Pillow finds an MPO through its JPEG reader."""

STORED_CONTENT_TYPE = "image/jpeg"
MAX_SIDE = 65_000
"""JPEG, as which pictures are stored, ends at 65,535 pixels a side (ITU-T T.81, 16-bit X and Y)."""

_WEIGHTS = {"image/webp": 2}
"""Its decoder keeps two canvases beside the picture: some 17 bytes a pixel, where others take 4 to 13."""
_JPEG_QUALITY = 92
_UPRIGHT = 1
"""The value of EXIF's orientation that says so."""
_UNDECODABLE = "The picture can't be decoded: it is cut off or damaged. Save it again and send the new file."
_TOO_MANY_PARTS = (
    "The picture's file is made of more parts than any program writes. Save it again and send the new file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UprightPicture:
    """`jpeg` without metadata; `width` and `height` in pixels; `content_type` of what was uploaded."""

    jpeg: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    max_bytes: int
    max_pixels: int


class PictureReader:
    """Decodes pictures, of together at most `pixels_at_once` pixels (a larger one alone) at a time: many at once
    can't use up the memory, and small ones need not wait for each other.
    """

    def __init__(self, limits: PictureLimits, *, pixels_at_once: int) -> None:
        self._limits = limits
        self._turns = Turns(pixels_at_once)

    def read(self, upload: bytes) -> UprightPicture:
        """Raises InvalidPictureError, whose code and sentence say which limit the picture broke."""
        if len(upload) > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes)
        if has_too_many_parts(upload):
            raise InvalidPictureError(_TOO_MANY_PARTS, code="picture_undecodable")
        image, content_type = _opened(upload)
        _check_size(image.size, self._limits.max_pixels)
        with self._turns.taking(image.width * image.height * _WEIGHTS.get(content_type, 1)):
            return _upright(image, upload, content_type)


def too_large(max_bytes: int) -> InvalidPictureError:
    return InvalidPictureError(
        f"The picture is larger than {max_bytes / 1_000_000:g} MB. Send a smaller or more compressed one.",
        code="picture_too_large",
    )


def _upright(image: Image.Image, upload: bytes, content_type: str) -> UprightPicture:
    try:
        if _is_plain(image) and (jpeg := without_metadata(upload)):
            width, height = image.size
            # also what is stored as it came is decoded once, for it may be cut off or damaged: an eighth as wide and
            # high, as which every byte is read all the same and half the time is saved
            image.draft("RGB", (1, 1))
            image.load()
            return UprightPicture(jpeg=jpeg, content_type=content_type, width=width, height=height)
        image.load()
        _turn_upright(image)
        rgb = _rgb(image)
        if rgb is not image:
            # its pixels would double the memory while the JPEG is made
            image.close()
        # Pillow would write a JPEG's or a GIF's comment into the new file
        rgb.info.clear()
        stored = io.BytesIO()
        rgb.save(stored, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
        raise InvalidPictureError(_UNDECODABLE, code="picture_undecodable") from error
    return UprightPicture(
        jpeg=stored.getvalue(), content_type=content_type, width=rgb.width, height=rgb.height
    )


def _is_plain(image: Image.Image) -> bool:
    """Whether it is a JPEG that is upright and in sRGB already: to encode it anew would only cost time and detail."""
    if image.format not in {"JPEG", "MPO"} or image.mode != "RGB" or image.info.get("icc_profile"):
        return False
    return _orientation(image) == _UPRIGHT


def _orientation(image: Image.Image) -> int | None:
    """A broken EXIF block says nothing, so the picture stays as it is."""
    with suppress(Exception):
        orientation: int = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
        return orientation
    return _UPRIGHT


def _opened(upload: bytes) -> tuple[Image.Image, str]:
    """The picture with its header read, not yet decoded, and its type by content."""
    try:
        image = Image.open(io.BytesIO(upload), formats=_OPENED_AS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("far too many") from error
    except UnidentifiedImageError as error:
        raise InvalidPictureError(
            "This is no picture that can be read. Send a JPEG, PNG, WebP, GIF, BMP or TIFF file.",
            code="picture_type_unsupported",
        ) from error
    except Exception as error:  # as above
        raise InvalidPictureError(_UNDECODABLE, code="picture_undecodable") from error
    return image, CONTENT_TYPES[image.format or ""]


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise _too_many_pixels(f"{width} by {height} pixels, more than {max_pixels / 1_000_000:g} million")
    if max(size) > MAX_SIDE:
        raise _too_many_pixels(f"{max(size)} pixels on one side, more than {MAX_SIDE}")


def _too_many_pixels(what: str) -> InvalidPictureError:
    return InvalidPictureError(
        f"The picture has {what}. Scale it down and send it again.", code="picture_too_many_pixels"
    )


def _turn_upright(image: Image.Image) -> None:
    """In place, as its camera was held. A broken EXIF block says nothing, so the picture stays as it is."""
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _rgb(image: Image.Image) -> Image.Image:
    """8-bit sRGB without alpha: deep greys scaled down, transparency laid on white, colours managed."""
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image).convert("RGB")
    if image.mode in {"RGB", "CMYK", "L"} and (profile := image.info.get("icc_profile")):
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            managed = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if managed is not None:
                return managed
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit greys by their high byte; wider and floating-point ones stretched from darkest to lightest."""
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    else:
        extrema = image.getextrema()
        low, high = (
            (float(extrema[0]), float(extrema[1])) if not isinstance(extrema[0], tuple) else (0.0, 255.0)
        )
    scale = 255.0 / (high - low) if high > low else 1.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")
