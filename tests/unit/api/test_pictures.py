import io
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image
from samples.pictures import encoded, jpeg, scene, with_exif

from scenescore_api import pictures
from scenescore_api.jpegs import without_metadata
from scenescore_api.pictures import PictureLimits, PictureReader, UprightPicture
from scenescore_shared.errors import InvalidPictureError

READER = PictureReader(PictureLimits(max_bytes=1_000_000, max_pixels=1_000_000), pixels_at_once=1_000_000)


def stored(upload: bytes) -> Image.Image:
    return Image.open(io.BytesIO(READER.read(upload).jpeg))


def refusal(upload: bytes) -> InvalidPictureError:
    with pytest.raises(InvalidPictureError) as caught:
        READER.read(upload)
    return caught.value


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_each_format_is_known_by_its_content(format_: str, content_type: str) -> None:
    picture = READER.read(encoded(scene(80, 60), format_))
    assert (picture.content_type, picture.width, picture.height) == (content_type, 80, 60)
    assert Image.open(io.BytesIO(picture.jpeg)).format == "JPEG"


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "LAB"]
)
def test_each_mode_becomes_rgb_of_the_same_look(mode: str) -> None:
    grey = Image.new("L", (32, 32), 200)
    if mode == "I;16":
        image = Image.frombytes("I;16", (32, 32), struct.pack("<H", 200 * 257) * 1024)
    else:
        image = grey.convert("RGB").convert(mode) if mode in {"LAB", "YCbCr", "CMYK"} else grey.convert(mode)
        if mode == "LAB":
            image = Image.new("LAB", (32, 32), (200, 128, 128))
    found = stored(encoded(image, "TIFF"))
    assert found.mode == "RGB"
    if mode not in {"LAB", "I", "F", "1"}:
        assert all(abs(level - 200) <= 6 for level in found.getpixel((16, 16)) or ())  # type: ignore[union-attr]


def test_floating_point_greys_are_stretched() -> None:
    image = Image.new("F", (32, 32), 0.25)
    image.paste(0.75, (16, 0, 32, 32))
    found = stored(encoded(image, "TIFF")).convert("L")
    assert found.getpixel((4, 4)) == pytest.approx(0, abs=3)
    assert found.getpixel((28, 28)) == pytest.approx(255, abs=3)


def test_transparency_lies_on_white() -> None:
    assert stored(encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG")).getpixel((4, 4)) == (255, 255, 255)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    upload = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    red, _, blue = stored(upload).getpixel((8, 8))  # type: ignore[misc]
    assert red > 240 > blue


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_baked_in_and_metadata_is_gone(orientation: int) -> None:
    image = Image.new("RGB", (60, 40), "white")
    image.paste("red", (0, 0, 30, 20))
    picture = READER.read(with_exif(image, orientation=orientation))
    found = Image.open(io.BytesIO(picture.jpeg))
    assert found.size == ((60, 40) if orientation < 5 else (40, 60))
    corner = {1: (2, 2), 2: (57, 2), 3: (57, 37), 4: (2, 37), 5: (2, 2), 6: (37, 2), 7: (37, 57), 8: (2, 57)}
    red, green, _ = found.getpixel(corner[orientation])  # type: ignore[misc]
    assert red > 240
    assert green < 60
    assert len(found.getexif()) == 0
    assert b"Exif" not in picture.jpeg
    assert "icc_profile" not in found.info


def test_broken_exif_hurts_nobody() -> None:
    whole = with_exif(scene(), orientation=6)
    at = whole.index(b"Exif\x00\x00") + 6
    assert READER.read(whole[:at] + b"\xff" * 12 + whole[at + 12 :]).width in {120, 160}


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_picture_that_is_cut_off_is_refused(format_: str, kept: float) -> None:
    whole = encoded(scene(), format_)
    error = refusal(whole[: int(len(whole) * kept)])
    assert error.code in {"picture_undecodable", "picture_type_unsupported"}


@pytest.mark.parametrize(
    "upload", [b"MThd\x00\x00\x00\x06", b"%PDF-1.7", b"<svg/>", b"GIF", b"\x00" * 64, b"\xff\xd8"]
)
def test_what_is_no_picture_is_refused_by_type(upload: bytes) -> None:
    assert refusal(upload).code == "picture_type_unsupported"


def test_too_many_bytes_are_refused_with_the_limit() -> None:
    error = refusal(b"x" * 1_000_001)
    assert error.code == "picture_too_large"
    assert "1 MB" in error.message


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (65_001, 1), (30_000, 30_000), (2**31 - 1, 1)])
def test_too_many_pixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    error = refusal(_png_of_size(width, height))
    assert error.code == "picture_too_many_pixels"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (60_000, 1)])
def test_strange_shapes_within_the_limits_are_taken(size: tuple[int, int]) -> None:
    picture = READER.read(encoded(Image.new("RGB", size), "PNG"))
    assert (picture.width, picture.height) == size


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"keep_rgb": True},
        {"quality": 30, "subsampling": 2},
        {"restart_marker_blocks": 1, "comment": b"Secret"},
    ],
)
def test_a_jpeg_survives_nearly_unchanged(options: dict[str, Any]) -> None:
    upload = encoded(scene(), **options)
    before, after = Image.open(io.BytesIO(upload)), stored(upload)
    assert (after.format, after.mode) == ("JPEG", "RGB")
    difference = [abs(a - b) for a, b in zip(before.tobytes(), after.tobytes(), strict=True)]
    assert sum(difference) / len(difference) < 2


def test_an_upright_jpeg_keeps_its_compressed_pixels_and_nothing_else() -> None:
    plain = with_exif(scene(), orientation=1)
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01"
    comment = b"\xff\xff\xfe\x00\x08Secret"
    upload = plain[:2] + comment + adobe + plain[2:] + b"Secret"
    found = READER.read(upload).jpeg
    assert Image.open(io.BytesIO(found)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()
    assert found[plain_scan(found) :] == plain[plain_scan(plain) :]
    assert not any(word in found for word in (b"Exif", b"Camera", b"Adobe", b"Secret"))
    assert READER.read(found).jpeg == found


def plain_scan(jpeg: bytes) -> int:
    return jpeg.index(b"\xff\xda")


@pytest.mark.parametrize(
    "changes",
    [
        {b"\xff\xd9": b""},
        {b"\xff\xda": b"\xff\xdf"},
        {b"\xff\xc0": b"\xff\xc1"},
        {b"\x03\x01\x11": b"\x03R\x11"},
        {b"\xff\xd9": b"\xff\xda\x00\x02\xff\xd9"},
        {b"\xff\xdb": b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00\xff\xdb"},
        {b"\xff\xdb": b"\xff"},
    ],
)
def test_a_jpeg_of_another_kind_is_not_kept_as_it_came(changes: dict[bytes, bytes]) -> None:
    upload = encoded(scene(), subsampling=0)
    assert without_metadata(upload)
    for old, new in changes.items():
        assert old in upload
        upload = upload.replace(old, new, 1)
    assert without_metadata(upload) is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "F"])
def test_the_memory_of_a_picture_is_bounded_by_its_pixels(mode: str) -> None:
    """Some 9 bytes a pixel, as the setting max_pixels_at_once says; measured in a process of its own."""
    program = (
        "import io, resource, sys\n"
        "from PIL import Image\n"
        "from scenescore_api.pictures import PictureLimits, PictureReader\n"
        "reader = PictureReader(PictureLimits(max_bytes=10**8, max_pixels=10**8), pixels_at_once=10**8)\n"
        "upload = sys.stdin.buffer.read()\n"
        "reader.read(upload)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )

    def peak(side: int) -> int:
        upload = encoded(Image.new(mode, (side, side)), "TIFF" if mode == "F" else "PNG")
        done = subprocess.run([sys.executable, "-c", program], input=upload, capture_output=True, check=True)
        return int(done.stdout) * 1024 - (len(upload) if mode == "F" else 0)

    assert (peak(4000) - peak(100)) / 4000**2 < 13


def test_large_pictures_wait_for_each_other_and_small_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = [0], [0]
    original = pictures._upright

    def counted(image: Image.Image, upload: bytes, content_type: str) -> UprightPicture:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.05)
        at_once[0] -= 1
        return original(image, upload, content_type)

    monkeypatch.setattr(pictures, "_upright", counted)
    reader = PictureReader(READER._limits, pixels_at_once=2 * 160 * 120)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(reader.read, [jpeg(seed) for seed in range(6)]))
    assert most == [2]
    most[0] = 0
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(reader.read, [encoded(scene(400, 400, seed=seed)) for seed in range(3)]))
    assert most == [1]


def _png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes don't have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
