import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from scenescore_composer.rendering.piano_roll import WIDTH, octave_name, piano_roll
from scenescore_composer.score import Bar, Note, Piece

BARS = (Bar(4, 4, 120),) * 4


def drawn(notes: Sequence[Note], bars: Sequence[Bar] = BARS) -> Image.Image:
    return Image.open(io.BytesIO(piano_roll(Piece(tuple(bars), tuple(notes)))))


def dark(image: Image.Image) -> list[tuple[int, int]]:
    """Places (x, y) of the pixels of notes: blue, and not as grey as lines and text. By columns."""
    red, _, blue = np.asarray(image).astype(int).transpose(2, 1, 0)
    return [(int(x), int(y)) for x, y in np.argwhere((blue - red >= 40) & (blue >= 90))]


def test_time_goes_to_the_right_and_pitch_upwards() -> None:
    low_then_high = drawn([Note(0, 60, 48, 100), Note(96, 72, 48, 100)])
    places = dark(low_then_high)
    left = [y for x, y in places if x < WIDTH / 2]
    right = [y for x, y in places if x >= WIDTH / 2]
    assert min(left) > max(right)
    assert len(left) == pytest.approx(len(right), rel=0.05)


def test_louder_is_darker() -> None:
    image = drawn([Note(0, 60, 48, 20), Note(48, 60, 48, 120)])
    brightness = np.asarray(image).astype(int).sum(axis=2)
    shades = [brightness[y, x] for x, y in dark(image)]
    assert shades[0] > shades[-1] + 200


def test_a_note_that_is_repeated_is_seen_twice() -> None:
    one, two = drawn([Note(0, 60, 24, 90)]), drawn([Note(0, 60, 12, 90), Note(12, 60, 12, 90)])
    assert len({x for x, _ in dark(one)}) > len({x for x, _ in dark(two)})


@pytest.mark.parametrize(("bars", "compass"), [(1, (60, 60)), (200, (0, 127)), (40, (21, 108))])
def test_any_length_and_compass_fits(bars: int, compass: tuple[int, int]) -> None:
    low, high = compass
    image = drawn([Note(0, low, 12, 90), Note(12, high, 12, 90)], bars=BARS[:1] * bars)
    assert image.width == WIDTH
    assert 60 < image.height < 1000
    assert image.format == "PNG"


def test_the_same_piece_gives_the_same_bytes() -> None:
    piece = Piece(BARS, (Note(0, 60, 12, 90),))
    assert piano_roll(piece) == piano_roll(piece)


def test_middle_c_is_c4() -> None:
    assert [octave_name(pitch) for pitch in (0, 60, 120)] == ["C-1", "C4", "C9"]
