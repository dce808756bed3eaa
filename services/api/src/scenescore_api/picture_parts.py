"""The parts that a picture's file is made of, counted before a decoder sees them. Pure.

Pillow walks parts in Python, one by one: a file of 20 MB can hold millions, and would keep a processor busy for
minutes. No camera or program writes nearly as many as are allowed here.
"""

import re
from typing import Literal

MAX_PARTS = 20_000
"""JPEG segments, PNG chunks. 20 MB in libpng's pieces of 8 kB are 2,500."""
MAX_GIF_BLOCKS = 100_000
"""20 MB of comments in blocks of 255 bytes, as programs write them, are 78,000."""
MAX_SCANS = 64
"""Passes of a progressive JPEG, each of which goes over the whole picture. Encoders make about ten."""
MAX_STRIPS = 200_000
"""Values of one TIFF tag that aren't bytes: strips of one row, or tiles of 16 by 16, of 50 million pixels."""
MAX_RUN_LENGTH_BYTES = 1_000_000
"""A run-length encoded BMP, which Pillow decodes in Python."""
MAX_EXIF_BYTES = 1_000_000

# a single byte to begin with is looked for as fast as memory is read
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_SCAN_END = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""Restart markers lie within a scan's data, and their number says nothing."""
_MAX_FILL = 1_000
_FILL = b"\xff" * (_MAX_FILL + 1)
"""Data of a scan has a zero behind each such byte: only fill before a marker has none, and encoders write no fill."""
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_GIF_HEADER, _GIF_IMAGE, _GIF_EXTENSION = 13, 0x2C, 0x21
_BIG_TIFF = 43
_BYTE_TYPES = frozenset({1, 2, 6, 7})
_BMP_RUN_LENGTHS = frozenset({1, 2})


def has_too_many_parts(upload: bytes) -> bool:
    """Whether the file, known by its first bytes, is made of more parts than an honest one can be."""
    if upload.startswith(b"\xff\xd8"):
        return _too_many_jpeg_segments(upload)
    if upload.startswith(b"\x89PNG\r\n\x1a\n"):
        return _too_many_png_chunks(upload)
    if upload.startswith((b"II", b"MM")):
        return _too_many_tiff_values(upload)
    if upload.startswith(b"GIF8"):
        return _too_many_gif_blocks(upload)
    if upload.startswith(b"BM"):
        compression = int.from_bytes(upload[30:34], "little")
        return compression in _BMP_RUN_LENGTHS and len(upload) > MAX_RUN_LENGTH_BYTES
    return False


def _too_many_jpeg_segments(upload: bytes) -> bool:
    at, parts, scans, exif = 2, 0, 0, 0
    while (found := _next_jpeg_marker(upload, at, in_scan=scans > 0)) is not None:
        marker, after = found
        if _has_much_fill(upload, at, after, in_scan=scans > 0):
            return True
        at = after
        if marker == _END_OF_IMAGE:
            return False
        parts += 1
        scans += marker == _START_OF_SCAN
        length = 0 if marker in _STANDALONE else int.from_bytes(upload[at : at + 2], "big")
        exif += length if marker == _APP1 and upload[at + 2 : at + 6] == b"Exif" else 0
        if parts > MAX_PARTS or scans > MAX_SCANS or exif > MAX_EXIF_BYTES:
            return True
        at += length
    return _has_much_fill(upload, at, len(upload), in_scan=scans > 0)


def _has_much_fill(upload: bytes, start: int, end: int, *, in_scan: bool) -> bool:
    """Decoders look at fill byte by byte. Outside of scans all that lies before a marker is fill."""
    return upload.find(_FILL, start, end) >= 0 if in_scan else end - start > _MAX_FILL


def _next_jpeg_marker(upload: bytes, at: int, *, in_scan: bool) -> tuple[int, int] | None:
    """The next marker and where it ends."""
    found = (_SCAN_END if in_scan else _JPEG_MARKER).search(upload, at)
    return (found[1][0], found.end()) if found else None


def _too_many_png_chunks(upload: bytes) -> bool:
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(upload) or upload[at + 4 : at + 8] == b"IEND":
            return False
        at += 12 + int.from_bytes(upload[at : at + 4], "big")
    return True


def _too_many_gif_blocks(upload: bytes) -> bool:
    """Of what lies before the first picture."""
    flags = upload[10] if len(upload) > _GIF_HEADER else 0
    at, blocks = _GIF_HEADER + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0), 0
    while at < len(upload) and upload[at] != _GIF_IMAGE and blocks <= MAX_GIF_BLOCKS:
        if upload[at] == _GIF_EXTENSION:
            at += 2
            while at < len(upload) and upload[at] and blocks <= MAX_GIF_BLOCKS:
                at += upload[at] + 1
                blocks += 1
        at += 1
        blocks += 1
    return blocks > MAX_GIF_BLOCKS


def _too_many_tiff_values(upload: bytes) -> bool:
    """Looks at the first directory, the only one that is read."""
    order: Literal["little", "big"] = "little" if upload.startswith(b"II") else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(upload[start : start + size], order)

    wide = number(2, 2) == _BIG_TIFF
    directory = number(8, 8) if wide else number(4, 4)
    entries, first, size = (
        (number(directory, 8), directory + 8, 20) if wide else (number(directory, 2), directory + 2, 12)
    )
    return any(
        number(at + 2, 2) not in _BYTE_TYPES and number(at + 4, 8 if wide else 4) > MAX_STRIPS
        for at in range(first, min(first + entries * size, len(upload)), size)
    )
