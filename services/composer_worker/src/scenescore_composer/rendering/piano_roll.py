"""A picture of a piece: time to the right, pitch upwards, loudness as shade. Pure."""

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

from scenescore_composer.score import Note, Piece

WIDTH = 1200
"""Pixels, whatever the piece's length."""
_ROW = 7
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 10, 26
_MARGIN_SEMITONES = 2
_LEAST_BAR_NUMBERS_APART = 40
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})

_Colour = tuple[int, int, int]
_PAPER: _Colour = (255, 255, 255)
_BLACK_KEY_ROW: _Colour = (244, 245, 248)
_LINE: _Colour = (222, 225, 232)
_OCTAVE_LINE: _Colour = (190, 195, 208)
_TEXT: _Colour = (70, 76, 92)
_SOFTEST: _Colour = (170, 190, 232)
_LOUDEST: _Colour = (18, 38, 112)


def piano_roll(piece: Piece) -> bytes:
    """A PNG, `WIDTH` wide and as high as the music's compass needs. The same piece gives the same bytes."""
    lowest = max(0, min(note.pitch for note in piece.notes) - _MARGIN_SEMITONES)
    highest = min(127, max(note.pitch for note in piece.notes) + _MARGIN_SEMITONES)
    rows = highest - lowest + 1
    image = Image.new("RGB", (WIDTH, _TOP + rows * _ROW + _BOTTOM), _PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=12)
    bottom = _TOP + rows * _ROW

    def y_of(pitch: int) -> int:
        return _TOP + (highest - pitch) * _ROW

    def x_of(tick: int) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * tick / piece.ticks

    for pitch in range(lowest, highest + 1):
        y = y_of(pitch)
        if pitch % 12 in _BLACK_KEYS:
            draw.rectangle((_LEFT, y, WIDTH - _RIGHT, y + _ROW - 1), fill=_BLACK_KEY_ROW)
        if pitch % 12 == 0:
            draw.line((_LEFT, y + _ROW - 1, WIDTH - _RIGHT, y + _ROW - 1), fill=_OCTAVE_LINE)
            draw.text((_LEFT - 6, y + _ROW // 2), octave_name(pitch), fill=_TEXT, font=font, anchor="rm")
    for start in piece.bar_starts:
        draw.line((x_of(start), _TOP, x_of(start), bottom), fill=_LINE)
    for number, start in _numbered_bars(piece):
        draw.text((x_of(start), bottom + 5), str(number), fill=_TEXT, font=font)
    # softer ones first, so that a louder note is never hidden
    for note in sorted(piece.notes, key=lambda note: note.velocity):
        left, right, y = x_of(note.onset), x_of(note.end), y_of(note.pitch)
        # a gap of a pixel, so that repeated notes are seen as several
        draw.rectangle((left, y, max(left + 1, right - 2), y + _ROW - 2), fill=_shade(note))
    written = io.BytesIO()
    image.save(written, format="PNG", optimize=True)
    return written.getvalue()


def octave_name(pitch: int) -> str:
    """As "C4", which is middle C (MIDI 60)."""
    return f"C{pitch // 12 - 1}"


def _numbered_bars(piece: Piece) -> Iterator[tuple[int, int]]:
    """Number, from 1, and first tick of the bars whose numbers have room."""
    bars = len(piece.bars)
    room = (WIDTH - _LEFT - _RIGHT) / bars
    each = -(-_LEAST_BAR_NUMBERS_APART // max(1, int(room)))
    for index in range(0, bars, each):
        yield index + 1, piece.bar_starts[index]


def _shade(note: Note) -> _Colour:
    share = (note.velocity - 1) / 126
    red, green, blue = (
        round(soft + (loud - soft) * share) for soft, loud in zip(_SOFTEST, _LOUDEST, strict=True)
    )
    return red, green, blue
