"""JPEG files as segments (ITU-T T.81, annex B): takes out everything that is not the picture. Pure."""

import re
import struct

_SOI = b"\xff\xd8"
_MARKER, _EOI, _SOS, _SOF0, _ADOBE, _COMMENT = 0xFF, 0xD9, 0xDA, 0xC0, 0xEE, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_TABLES = frozenset({0xC4, 0xDB, 0xDD})
"""Huffman and quantisation tables, and the restart interval."""

_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
"""Says that the components are Y, Cb and Cr, whatever segment said so before."""

_FRAME_OF_YCBCR = re.compile(rb"\x08.{4}\x03\x01.{2}\x02.{2}\x03.{2}", re.DOTALL)
"""A frame header of 8 bits a sample and the three components that JFIF names 1, 2 and 3."""

_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""A marker that is neither a stuffed byte nor a restart."""


def without_metadata(jpeg: bytes) -> bytes | None:
    """The same compressed picture, bit for bit, without application segments, comments and whatever follows it.

    None for a JPEG that is not of the plain kind: one baseline scan of Y, Cb and Cr.
    """
    try:
        return _stripped(jpeg)
    except (IndexError, struct.error):
        return None


def _stripped(jpeg: bytes) -> bytes | None:
    kept = [_SOI, _JFIF]
    at, scans = len(_SOI), 0
    while True:
        marker, start = _marker(jpeg, at)
        if marker == _EOI:
            kept.append(bytes((_MARKER, _EOI)))
            return b"".join(kept) if scans == 1 else None
        (length,) = struct.unpack_from(">H", jpeg, start)
        content, at = jpeg[start + 2 : start + length], start + length
        if marker == _SOS:
            scans += 1
            end = _END_OF_SCAN.search(jpeg, at)
            if end is None:
                return None
            at = end.start()
        if marker == _SOS or marker in _TABLES or (marker == _SOF0 and _FRAME_OF_YCBCR.fullmatch(content)):
            kept.append(bytes((_MARKER, marker)) + jpeg[start:at])
        elif not _means_nothing(marker, content):
            return None


def _marker(jpeg: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, after any fill bytes, and where its segment starts. Raises IndexError where none is."""
    if jpeg[at] != _MARKER:
        raise IndexError(at)
    while jpeg[at] == _MARKER:
        at += 1
    return jpeg[at], at + 1


def _means_nothing(marker: int, content: bytes) -> bool:
    """Whether the picture looks the same without the segment. Adobe's says, in its last byte, what the components
    are: 1 stands for Y, Cb and Cr.
    """
    if marker == _ADOBE and content.startswith(b"Adobe"):
        return content[-1] == 1
    return marker == _COMMENT or marker in _APPLICATION
