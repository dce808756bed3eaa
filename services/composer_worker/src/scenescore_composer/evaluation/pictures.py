"""Piano rolls as pictures."""

import numpy as np
from PIL import Image, ImageDraw

from scenescore_composer.recordings.recording import Recording

PIXELS_A_SECOND = 24
PIXELS_A_PITCH = 4
_MARGIN = 3
_PAPER, _LINE = (255, 255, 255), (225, 225, 230)
_SOFT, _LOUD = np.array([176, 196, 222]), np.array([140, 20, 40])


def piano_roll(music: Recording) -> Image.Image:
    """Time to the right, pitch up, lines at each C; the redder, the louder."""
    lowest, highest = int(music.pitches.min()) - _MARGIN, int(music.pitches.max()) + _MARGIN
    width = max(1, round(music.seconds * PIXELS_A_SECOND))
    picture = Image.new("RGB", (width, (highest - lowest + 1) * PIXELS_A_PITCH), _PAPER)
    draw = ImageDraw.Draw(picture)
    for pitch in range(lowest + -lowest % 12, highest + 1, 12):
        draw.line([(0, (y := (highest - pitch + 1) * PIXELS_A_PITCH)), (width, y)], fill=_LINE)
    for onset, held, pitch, velocity in zip(
        music.onsets, music.durations, music.pitches, music.velocities, strict=True
    ):
        left, top = onset * PIXELS_A_SECOND, (highest - int(pitch)) * PIXELS_A_PITCH
        right = max(left, (onset + held) * PIXELS_A_SECOND - 1)
        colour = tuple(round(c) for c in _SOFT + (_LOUD - _SOFT) * float(velocity) / 127)
        draw.rectangle([left, top, right, top + PIXELS_A_PITCH - 1], fill=colour)
    return picture
