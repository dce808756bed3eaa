"""Decoding and preprocessing: one way for training and serving, and no bytes that get past it."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from scenescore_classifier import preprocessing
from scenescore_classifier.preprocessing import SIDE, decode, to_pixels, to_shares, to_tensor
from scenescore_shared.errors import InvalidPictureError

Paint = Callable[..., bytes]


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, file_format, **options)
    return data.getvalue()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_every_format_becomes_a_small_float_picture(paint: Paint, file_format: str) -> None:
    tensor = to_tensor(decode(paint(1, file_format=file_format)))
    assert tensor.shape == (3, SIDE, SIDE)
    assert tensor.dtype == torch.float32
    assert 0 <= float(tensor.min()) < float(tensor.max()) <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (150, 150), (1200, 900)])
def test_every_size_is_brought_to_one(paint: Paint, size: tuple[int, int]) -> None:
    assert to_tensor(decode(paint(size=size))).shape == (3, SIDE, SIDE)


def test_colours_and_places_are_kept() -> None:
    image = Image.new("RGB", (300, 300), (255, 0, 0))
    image.paste((0, 0, 255), (0, 150, 300, 300))
    tensor = to_tensor(decode(saved(image, "PNG")))
    assert tensor[:, 10, 75].tolist() == [1, 0, 0]  # top: red
    assert tensor[:, 140, 75].tolist() == [0, 0, 1]  # bottom: blue


def test_training_and_serving_see_the_same(paint: Paint) -> None:
    image = decode(paint(3))
    assert torch.equal(to_shares(to_pixels(image)), to_tensor(image))


def test_exif_orientation_is_baked_in() -> None:
    upright = Image.new("RGB", (200, 200), "black")
    upright.paste((255, 255, 255), (0, 0, 200, 100))  # upper half white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter clockwise
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    tensor = to_tensor(decode(saved(turned, "PNG", exif=exif)))
    assert torch.equal(tensor, to_tensor(upright))


def test_broken_exif_hurts_no_sound_picture(paint: Paint) -> None:
    image = Image.open(io.BytesIO(paint()))
    assert decode(saved(image, "JPEG", exif=b"Exif\x00\x00no TIFF header")).size == (200, 160)


def test_large_jpegs_are_decoded_small_and_look_the_same() -> None:
    gradient = np.linspace(0, 255, 2400).astype(np.uint8)
    image = Image.fromarray(np.stack([np.tile(gradient, (1800, 1))] * 3, axis=2))
    decoded = decode(saved(image, "JPEG", quality=95))
    assert decoded.size == (300, 450)
    assert float((to_tensor(decoded) - to_tensor(image)).abs().max()) < 0.02


def test_transparent_parts_are_white_whatever_colour_hides_there() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert decode(saved(image, "PNG")).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "colour"), [("L", 128), ("CMYK", (0, 0, 0, 127)), ("LA", (128, 255))])
def test_other_colour_modes_become_rgb(mode: str, colour: int | tuple[int, ...]) -> None:
    image = Image.new(mode, (40, 40), colour)
    decoded = decode(saved(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert decoded.mode == "RGB"
    assert np.allclose(np.asarray(decoded), 128, atol=3)


def test_palettes_become_their_colours() -> None:
    image = Image.new("RGB", (40, 40), (10, 200, 30)).quantize(4)
    assert decode(saved(image, "PNG")).getpixel((3, 3)) == (10, 200, 30)


def test_sixteen_bit_grey_is_scaled_not_cut() -> None:
    image = Image.fromarray(np.full((30, 30), 32768, dtype=np.uint16))
    assert np.allclose(np.asarray(decode(saved(image, "PNG"))), 127, atol=1)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"GIF89a", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", bytes(500)]
)
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidPictureError) as caught:
        decode(data)
    assert caught.value.code == "invalid_picture"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_pictures_are_refused(paint: Paint, file_format: str, share: float) -> None:
    data = paint(2, file_format=file_format)
    with pytest.raises(InvalidPictureError):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_damaged_pictures_raise_nothing_else(paint: Paint, file_format: str) -> None:
    generator = np.random.default_rng(0)
    sound = np.frombuffer(paint(4, size=(40, 30), file_format=file_format), dtype=np.uint8)
    for _ in range(60):
        damaged = sound.copy()
        damaged[generator.integers(0, len(sound), 8)] = generator.integers(0, 256, 8)
        try:
            decoded = decode(damaged.tobytes())
        except InvalidPictureError:
            continue
        assert decoded.mode == "RGB"


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises `width` by `height` pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 11_000, 60_000])
def test_decompression_bombs_are_refused_before_they_unpack(side: int) -> None:
    with pytest.raises(InvalidPictureError) as caught:
        decode(png_that_claims(side, side))
    assert caught.value.code == "picture_too_large"


def test_overlong_files_are_refused_unread(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocessing, "MAX_BYTES", 100)
    with pytest.raises(InvalidPictureError) as caught:
        decode(paint())
    assert caught.value.code == "picture_too_large"
