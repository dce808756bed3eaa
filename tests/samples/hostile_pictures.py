"""Pictures that mean harm, or have come to harm: made here, so that none lies in the repository.

Each says what the API may answer: `TAKEN`, or the code of its refusal.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms

from samples.pictures import encoded, scene

TAKEN = "taken"
UNDECODABLE = "picture_undecodable"
NO_PICTURE = "picture_type_unsupported"
TOO_MANY_PIXELS = "picture_too_many_pixels"

SECRET = b"6.9271N 79.8612E by Nobody"
"""What cameras write beside the pixels, in every place for it that `tattling` knows."""

_REFUSED = frozenset({UNDECODABLE, NO_PICTURE})
_EITHER = _REFUSED | {TAKEN}


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    data: bytes
    answers: frozenset[str]


def good_pictures() -> dict[str, bytes]:
    """One of each kind that is taken: what the others are made from."""
    small = scene(48, 36)
    deep = Image.frombytes("I;16", (48, 36), bytes(range(256)) * 13 + bytes(128))
    return {
        "jpeg": encoded(small),
        "jpeg-progressive": encoded(small, progressive=True),
        "jpeg-grey": encoded(small.convert("L")),
        "jpeg-cmyk": encoded(small.convert("CMYK")),
        "jpeg-ycck": _as_ycck(encoded(small.convert("CMYK"))),
        "jpeg-mpo": encoded(small, "MPO", **_more_frames()),
        "png": encoded(small, "PNG"),
        "png-interlaced": _interlaced_png(7, 5),
        "png-palette": encoded(small.quantize(16), "PNG", transparency=3),
        "png-16": encoded(deep, "PNG"),
        "png-trns": encoded(small, "PNG", transparency=(1, 2, 3)),
        "webp": encoded(small, "WEBP"),
        "webp-lossless": encoded(small.convert("RGBA"), "WEBP", lossless=True),
        "webp-animated": encoded(small, "WEBP", **_more_frames()),
        "gif": encoded(small, "GIF"),
        "gif-animated": encoded(small, "GIF", **_more_frames()),
        "bmp": encoded(small, "BMP"),
        "tiff": encoded(small, "TIFF"),
        "tiff-pages": encoded(small, "TIFF", **_more_frames()),
        "tiff-tiled": _tiled_tiff(),
        "tiff-16": encoded(deep, "TIFF"),
        "tiff-float": encoded(small.convert("F"), "TIFF"),
        "tiff-cmyk": encoded(small.convert("CMYK"), "TIFF"),
        "tiff-lzw": encoded(small, "TIFF", compression="tiff_lzw"),
        "tiff-deflate": encoded(small, "TIFF", compression="tiff_deflate"),
    }


def hostile_pictures() -> Iterator[Hostile]:
    for name, data in good_pictures().items():
        yield Hostile(name, data, frozenset({TAKEN}))
        yield from _cut_off(name, data)
    yield from _bombs()
    yield from _polyglots()
    yield from _no_pictures()
    yield from _strange_shapes()
    yield from _broken_exif()


def heavy_pictures() -> Iterator[Hostile]:
    """Up to 20 MB of parts, and as many pixels as are taken: what costs most time and memory."""
    jpeg, png, gif = encoded(scene(9, 9)), encoded(scene(9, 9), "PNG"), encoded(scene(9, 9), "GIF")
    too_many = frozenset({UNDECODABLE})
    for name, part in {
        "private": png_chunk(b"abCd", b""),
        "text": png_chunk(b"tEXt", b"a\0b"),
        "data": png_chunk(b"IDAT", b""),
    }.items():
        yield Hostile(
            f"png of {name} chunks", png[:33] + part * (19_000_000 // len(part)) + png[33:], too_many
        )
    yield Hostile("jpeg of comments", jpeg[:2] + b"\xff\xfe\0\2" * 4_800_000 + jpeg[2:], too_many)
    yield Hostile("jpeg of fill bytes", jpeg[:2] + b"\xff" * 19_000_000 + jpeg[2:], too_many)
    yield Hostile("jpeg of fill bytes to its end", jpeg[:2] + b"\xff" * 19_000_000, too_many)
    scan = jpeg.index(b"\xff\xda") + 20
    yield Hostile("jpeg of fill bytes in its scan", jpeg[:scan] + b"\xff" * 19_000_000, too_many)
    yield Hostile("jpeg of scans", _with_scans(7000, 1000), too_many)
    yield Hostile("jpeg of Exif", _with_exif_values(9_000_000), too_many)
    yield Hostile("tiff of strips", _tiff({273: 4_700_000, 279: 4_700_000}), too_many)
    yield Hostile("bmp of line ends", _run_length_bmp(b"\0\0" * 9_500_000), too_many)
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    for size, answer in ((1, UNDECODABLE), (255, TAKEN)):
        block = bytes([size]) + b"a" * size
        comment = b"!\xfe" + block * (18_000_000 // len(block)) + b"\0"
        yield Hostile(f"gif with comments of {size}", gif[:at] + comment + gif[at:], frozenset({answer}))
    frame = _chunk_of(good_pictures()["webp-animated"], b"ANMF")
    yield Hostile("webp of frames", _riff(good_pictures()["webp-animated"][12:] + frame * 5_000), _EITHER)
    for name, mode, format_, options in (
        ("png with alpha", "RGBA", "PNG", {}),
        ("png, grey with alpha", "LA", "PNG", {}),
        ("webp", "RGB", "WEBP", {"method": 0}),
        ("gif", "P", "GIF", {"transparency": 0}),
        ("progressive cmyk jpeg", "CMYK", "JPEG", {"progressive": True, "subsampling": 0}),
        ("floating tiff", "F", "TIFF", {"compression": "tiff_deflate"}),
    ):
        whole = encoded(Image.new(mode, (4000, 4000)), format_, **options)
        yield Hostile(f"16 million pixels, {name}", whole, frozenset({TAKEN}))


def tattling() -> dict[str, bytes]:
    """Pictures with `SECRET` in every place that metadata has."""
    image, exif = scene(40, 30), Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    profile = _profile()
    jpeg, png, gif = encoded(image), encoded(image, "PNG"), encoded(image, "GIF", comment=SECRET)
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET) + 5)
    iptc += b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET + b"\0"
    text = b"Comment\0" + SECRET
    return {
        "jpeg exif": encoded(image, exif=exif.tobytes()),
        "jpeg xmp": encoded(image, xmp=xmp),
        "jpeg comment": encoded(image, comment=SECRET),
        "jpeg iptc": jpeg[:2] + _segment(0xED, iptc) + jpeg[2:],
        "jpeg thumbnail": jpeg[:2] + _segment(0xE0, b"JFXX\0\x10" + SECRET) + jpeg[2:],
        "jpeg icc": encoded(image, icc_profile=profile),
        "jpeg behind its end": jpeg + SECRET,
        "mpo": encoded(
            image, "MPO", save_all=True, append_images=[scene(40, 30, seed=5)], exif=exif.tobytes()
        ),
        "png exif": encoded(image, "PNG", exif=exif.tobytes()),
        "png text": png[:33] + png_chunk(b"tEXt", text) + png[33:],
        "png ztxt": png[:33] + png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET)) + png[33:],
        "png itxt": png[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + png[33:],
        "png icc": encoded(image, "PNG", icc_profile=profile),
        "webp exif and xmp": encoded(image, "WEBP", exif=exif.tobytes(), xmp=xmp, icc_profile=profile),
        "gif comment": gif,
        "tiff tags": encoded(image, "TIFF", description=SECRET.decode(), icc_profile=profile),
    }


def _more_frames() -> dict[str, Any]:
    """New ones each time: Pillow notes on a picture how it was saved."""
    return {"save_all": True, "append_images": [scene(48, 36, seed=seed) for seed in (1, 2)]}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def boundaries(data: bytes) -> list[int]:
    """Where a file's markers or chunks begin, as far as they are easily found."""
    if data.startswith(b"\xff\xd8"):
        return [found.start() for found in re.finditer(rb"\xff[\x01-\xfe]", data)]
    if data.startswith(b"\x89PNG"):
        found, at = [], 8
        while at < len(data):
            found.append(at)
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        return found
    return [match.start() for match in re.finditer(rb"VP8[ LX]|ANIM|ANMF|ALPH|,\0\0|!\xf9", data)]


def _cut_off(name: str, data: bytes) -> Iterator[Hostile]:
    places = {1, 2, 3, 4, 8, 12, 16, 24, 30, 54, len(data) // 2, len(data) - 1, *boundaries(data)}
    # the first picture may be whole before the last is, and a table may lie behind the pixels
    whole_early = name in {"jpeg-mpo", "gif-animated", "webp-animated", "tiff-pages"}
    for place in sorted(places - {0}):
        if place < len(data):
            at_the_end = place > len(data) - 32
            answers = _EITHER if whole_early or at_the_end else _REFUSED
            yield Hostile(f"{name} cut off at {place}", data[:place], answers)


def _bombs() -> Iterator[Hostile]:
    png, jpeg = encoded(scene(9, 9), "PNG"), encoded(scene(9, 9))
    pixels = frozenset({TOO_MANY_PIXELS})
    zeros = zlib.compressobj(9)
    rows = b"".join(zeros.compress(bytes(50_001)) for _ in range(2000)) + zeros.flush()
    yield Hostile("png of 50,000 by 50,000 zeros", _png(50_000, 50_000, rows), pixels)
    yield Hostile("png of 2^31 by 2^31", _png(2**31 - 1, 2**31 - 1, b""), pixels | {UNDECODABLE})
    yield Hostile("png without a side", _png(0, 9, b""), _REFUSED)
    gif = bytearray(encoded(scene(9, 9), "GIF"))
    gif[6:10] = b"\xff" * 4
    yield Hostile("gif that claims 65,535 by 65,535", bytes(gif), pixels)
    animated = bytearray(encoded(scene(9, 9), "WEBP", save_all=True, append_images=[scene(9, 9, seed=1)]))
    animated[24:30] = b"\xff\x3f\0" * 2
    yield Hostile("webp that claims 16,384 by 16,384", bytes(animated), pixels)
    yield Hostile(
        "tiff that claims 2^32 by 2^32", _tiff({}, width=2**32 - 1, height=2**32 - 1), pixels | _REFUSED
    )
    yield Hostile("bmp that claims 2^31 by 2^31", _bmp_of(2**31 - 1), pixels | _REFUSED)
    bomb = zlib.compress(bytes(100_000_000), 9)
    for kind, before in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")):
        data = png[:33] + png_chunk(kind, before + bomb) + png[33:]
        yield Hostile(f"png with a bomb in {kind.decode()}", data, frozenset({TAKEN, UNDECODABLE}))
    yield Hostile("png whose pixels never end", _png(9, 9, bomb), frozenset({TAKEN, UNDECODABLE}))
    yield Hostile("tiff whose directory is its own next", _tiff({}, next_directory=8), _EITHER)
    yield Hostile("tiff whose directory lies nowhere", b"II*\0\xff\xff\xff\x7f", _REFUSED)
    yield Hostile("tiff that claims 2^32 strips", _tiff({273: 2**32 - 1}, filled=False), _REFUSED)
    tags = {0x9000 + number: 60_000 for number in range(5000)}
    yield Hostile("tiff whose tags share their bytes", _tiff(tags, filled=False, type_=1), _EITHER)
    profile = bytearray(_profile())
    for place in range(128, len(profile), 7):
        profile[place] = 0xFF
    yield Hostile(
        "jpeg with a broken icc profile", encoded(scene(9, 9), icc_profile=bytes(profile)), frozenset({TAKEN})
    )
    many = b"".join(_segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(65_000)) for _ in range(255))
    yield Hostile("jpeg with an icc profile of 16 MB", jpeg[:2] + many + jpeg[2:], frozenset({TAKEN}))


def _polyglots() -> Iterator[Hostile]:
    gif, jpeg, png = (encoded(scene(9, 9), format_) for format_ in ("GIF", "JPEG", "PNG"))
    taken = frozenset({TAKEN})
    yield Hostile("gif and javascript", gif + b"/*=1;*/alert(1)", taken)
    yield Hostile("jpeg and zip", jpeg + b"PK\3\4" + bytes(100) + b"PK\5\6" + bytes(18), taken)
    yield Hostile("jpeg and html", jpeg[:2] + _segment(0xFE, b"<script>alert(1)</script>") + jpeg[2:], taken)
    yield Hostile("png and php", png + b"<?php phpinfo();", taken)
    yield Hostile("pdf and jpeg", b"%PDF-1.7\n" + jpeg, frozenset({NO_PICTURE}))
    yield Hostile("html with a png's header", b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>", _REFUSED)


def _no_pictures() -> Iterator[Hostile]:
    for name, data in {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "svg of entities": b'<!DOCTYPE s [<!ENTITY a "b">]><svg>&a;</svg>',
        "pdf": b"%PDF-1.7\n1 0 obj<<>>endobj",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file",
        "dos eps": b"\xc5\xd0\xd3\xc6" + bytes(26),
        "mp4": b"\0\0\0\x18ftypmp42" + bytes(16),
        "heic": b"\0\0\0\x18ftypheic" + bytes(16),
        "avif": b"\0\0\0\x18ftypavif" + bytes(16),
        "zip": b"PK\3\4" + bytes(26),
        "text": b"This is no picture.\n",
        "midi": b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0",
        "elf": b"\x7fELF" + bytes(60),
        "ppm": b"P6 9 9 255\n" + bytes(243),
        "psd": b"8BPS\0\1" + bytes(20),
        "ico": b"\0\0\1\0\1\0" + bytes(16),
        "icns": b"icns\0\0\0\x10" + bytes(8),
        "fli": bytes(4) + b"\x11\xaf" + bytes(122),
        "single byte": b"\x89",
        "zeros": bytes(100_000),
    }.items():
        yield Hostile(name, data, frozenset({NO_PICTURE}))


def _strange_shapes() -> Iterator[Hostile]:
    for width, height in ((1, 1), (60_000, 1), (1, 60_000), (65_000, 1)):
        data = encoded(Image.new("L", (width, height)), "PNG")
        yield Hostile(f"{width} by {height}", data, frozenset({TAKEN}))
    too_wide = encoded(Image.new("1", (65_001, 1)), "PNG")
    yield Hostile("65,001 by 1", too_wide, frozenset({TOO_MANY_PIXELS}))
    exactly = encoded(Image.new("1", (10_000, 5001)), "PNG")
    yield Hostile("50,010,000 pixels", exactly, frozenset({TOO_MANY_PIXELS}))


def _broken_exif() -> Iterator[Hostile]:
    header = b"Exif\0\0II*\0\x08\0\0\0"
    orientation = struct.pack("<HHIHH", 0x112, 3, 1, 6, 0)
    for name, exif in {
        "empty": b"",
        "of its name": b"Exif\0\0",
        "of another order": b"Exif\0\0MM*\0\x08\0\0\0",
        "with a huge offset": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "that points at itself": header
        + b"\2\0"
        + orientation
        + struct.pack("<HHII", 0x8769, 4, 1, 8)
        + b"\x08\0\0\0",
        "with 65,535 tags": header + b"\xff\xff" + orientation,
        "cut off": header + b"\1\0" + orientation[:7],
        "turned by 0": header + b"\1\0" + struct.pack("<HHIHH", 0x112, 3, 1, 0, 0) + bytes(4),
        "turned by 9": header + b"\1\0" + struct.pack("<HHIHH", 0x112, 3, 1, 9, 0) + bytes(4),
        "turned by text": header + b"\1\0" + struct.pack("<HHI4s", 0x112, 2, 4, b"six\0") + bytes(4),
        "with shared tags": header
        + struct.pack("<H", 4000)
        + b"".join(struct.pack("<HHII", 0x9000 + number, 1, 60_000, 8) for number in range(4000))
        + bytes(4),
    }.items():
        for format_ in ("JPEG", "PNG", "WEBP"):
            data = encoded(scene(40, 30), format_, exif=exif)
            yield Hostile(f"{format_} with exif {name}", data, frozenset({TAKEN}))


def _segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def _as_ycck(cmyk: bytes) -> bytes:
    """As Photoshop writes it: the Adobe segment's last byte says which colours."""
    at = cmyk.index(b"Adobe") + 11
    return cmyk[:at] + b"\2" + cmyk[at + 1 :]


def _with_scans(side: int, scans: int) -> bytes:
    whole = encoded(Image.new("RGB", (side, side)), progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * scans + b"\xff\xd9"


def _with_exif_values(count: int) -> bytes:
    """An orientation of that many values, in as many segments as it takes."""
    exif = struct.pack("<4sIHHHIII", b"II*\0", 8, 1, 0x112, 3, count, 26, 0) + b"\1\0" * count
    jpeg = encoded(scene(9, 9))
    parts = (exif[at : at + 65_000] for at in range(0, len(exif), 65_000))
    return jpeg[:2] + b"".join(_segment(0xE1, b"Exif\0\0" + part) for part in parts) + jpeg[2:]


def _png(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _interlaced_png(width: int, height: int) -> bytes:
    """Adam7, 8-bit grey: Pillow reads it and can't write it."""
    rows = b""
    for x, y, step_x, step_y in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        across, down = len(range(x, width, step_x)), len(range(y, height, step_y))
        rows += (b"\0" + bytes(range(across))) * down if across else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _tiff(
    counts: dict[int, int],
    *,
    width: int = 1,
    height: int = 1,
    next_directory: int = 0,
    filled: bool = True,
    type_: int = 4,
) -> bytes:
    """A grey TIFF in which the tags `counts` have that many values, all at one place."""
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    tags = sorted({*values, *counts})
    behind = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, type_, counts[tag], behind)
        if tag in counts
        else struct.pack("<HHII", tag, 4, 1, values[tag])
        for tag in tags
    )
    start = struct.pack("<4sIH", b"II*\0", 8, len(tags)) + entries + struct.pack("<I", next_directory)
    return start + b"\x08\0\0\0" * (max(counts.values(), default=0) if filled else 16_000)


def _tiled_tiff() -> bytes:
    """48 by 32 grey in six tiles of 16 by 16."""
    tiles = 6
    behind = 8 + 2 + 12 * 10 + 4
    pixels = behind + 2 * 4 * tiles
    values = (
        *((256, 1, 48), (257, 1, 32), (258, 1, 8), (259, 1, 1), (262, 1, 1), (277, 1, 1)),
        *((322, 1, 16), (323, 1, 16), (324, tiles, behind), (325, tiles, behind + 4 * tiles)),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in values)
    places = struct.pack(f"<{2 * tiles}I", *(pixels + 256 * tile for tile in range(tiles)), *[256] * tiles)
    start = struct.pack("<4sIH", b"II*\0", 8, len(values)) + entries + bytes(4)
    return start + places + bytes(range(256)) * tiles


def _bmp_of(side: int) -> bytes:
    whole = bytearray(encoded(scene(9, 9), "BMP"))
    whole[18:26] = struct.pack("<ii", side, side)
    return bytes(whole)


def _run_length_bmp(runs: bytes) -> bytes:
    start = 14 + 40 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, 7000, 7000, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + bytes(1024) + runs


def _chunk_of(riff: bytes, kind: bytes) -> bytes:
    at = riff.index(kind)
    length = int.from_bytes(riff[at + 4 : at + 8], "little")
    return riff[at : at + 8 + length + length % 2]


def _riff(content: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content


def _profile() -> bytes:
    """An sRGB profile that names `SECRET` as its description's text."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at = plain.index("sRGB built-in".encode("utf-16-be"))
    text = SECRET[:13].decode().encode("utf-16-be")
    return plain[:at] + text + plain[at + len(text) :]
