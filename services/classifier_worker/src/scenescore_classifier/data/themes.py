"""The theme of a picture from its name: pictures of one theme must not be on both sides of a split. Pure."""

import re
from pathlib import PurePosixPath

_TRAILING_NUMBER = re.compile(r"[\s_.(-]*\d+\)?$")

_ONLY_NUMBERS = re.compile(r"[\d\W_]+")
"""`0001`, `100_1234`, `2019-05-03 12.13.14`."""

_GIVEN_BY_MACHINES = re.compile(
    # cameras and phones: IMG_1234, DSC01234, P1010001, PXL_20230101_120000000, IMG-20190101-WA0003
    r"_?(?:(?:img|imag|dsc[nfp]?|dcp|dji|mvi|pxl|gopr|cimg|pict|fb_img)[\W_]*\d"
    r"|p\d{7}|g[ohpx]\d{6}|(?:sam|kif|ebs|hpim|stp)_?\d{4}"
    # programs: image (3), Screenshot 2020-01-01, WhatsApp Image 2020-01-01, download7
    r"|(?:image|photo|picture|pic|screenshot|scan|download|untitled|whatsapp image|received)[\W_]*(?:\d|$))",
    re.IGNORECASE,
)


def theme_from_name(file: str) -> str:
    """`dogs/beach_12.jpg` → `beach`.

    A name that tells no theme makes the picture a theme of its own, named by its path: `sad/IMG_7.jpg` →
    `sad/IMG_7`.
    """
    if tells_no_theme(file):
        return PurePosixPath(file).with_suffix("").as_posix()
    stem = PurePosixPath(file).stem
    return _TRAILING_NUMBER.sub("", stem) or stem


def tells_no_theme(file: str) -> bool:
    """Whether the name is only a number, or one that a camera or a program gave: `IMG_1234.jpg`, `image (3).png`."""
    stem = PurePosixPath(file).stem
    return bool(_ONLY_NUMBERS.fullmatch(stem) or _GIVEN_BY_MACHINES.match(stem))
