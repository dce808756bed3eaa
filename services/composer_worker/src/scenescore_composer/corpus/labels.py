"""The emotion of a written piece by rule, for scores that nobody labelled. Pure.

Valence comes from mode and register, arousal from tempo, density and register; their signs name the quadrant of
Russell's circumplex. Major sounds pleasant and minor unpleasant, fast and busy sounds aroused, high a little more
pleasant and aroused than low: the directions in which A. Gabrielsson and E. Lindström, "The role of structure
in the musical expression of emotions" (2010), find the studies agreeing, and T. Eerola, A. Friberg and R.
Bresin, "Emotional expression in music" (2013), measured them together, with mode first for valence and tempo
first for arousal. Zero lies at the median of classical scores; music near it gets no label.
"""

import math
from dataclasses import dataclass

from scenescore_composer.corpus.features import Features

MIDDLE_BPM = 105.0
MIDDLE_ONSETS_PER_SECOND = 3.2
MIDDLE_PITCH = 64.0
CLEAR = 0.35
"""Valence and arousal nearer to 0 than that are no clear case."""
SOFTNESS = 0.25
"""Valence or arousal of that size makes a side 73 % sure."""
MAX_SILENCE = 0.2

_QUADRANTS = {(True, True): "happy", (False, True): "angry", (False, False): "sad", (True, False): "calm"}


@dataclass(frozen=True, slots=True)
class Label:
    emotion: str
    clarity: float
    """The smaller of valence's and arousal's distances from 0, ≥ `CLEAR`."""


def valence(features: Features) -> float:
    """Pleasantness, about -2 to 2: a key's clear mode counts about 1, two octaves of register 1."""
    return 4 * features.major + (features.pitch - MIDDLE_PITCH) / 24


def arousal(features: Features) -> float:
    """Activity, about -2 to 2: twice the tempo counts 0.6, twice the density 0.8, five octaves of register 1.

    `features` are of music with at least one note.
    """
    return (
        0.6 * math.log2(features.tempo_bpm / MIDDLE_BPM)
        + 0.8 * math.log2(features.onsets_per_second / MIDDLE_ONSETS_PER_SECOND)
        + (features.pitch - MIDDLE_PITCH) / 60
    )


def mix(features: Features) -> dict[str, float]:
    """The four quadrants' shares: valence and arousal each through a logistic curve, as if independent."""
    pleasant, active = (
        1 / (1 + math.exp(-value / SOFTNESS)) for value in (valence(features), arousal(features))
    )
    return {
        "happy": pleasant * active,
        "angry": (1 - pleasant) * active,
        "sad": (1 - pleasant) * (1 - active),
        "calm": pleasant * (1 - active),
    }


def label(features: Features) -> Label | None:
    """The emotion of a clear case; None for any other, and for music with much silence in it."""
    if features.silence > MAX_SILENCE or features.onsets_per_second <= 0:
        return None
    pleasant, active = valence(features), arousal(features)
    clarity = min(abs(pleasant), abs(active))
    if clarity < CLEAR:
        return None
    return Label(quadrant(pleasant, active), clarity)


def quadrant(valence: float, arousal: float) -> str:
    """The emotion of a point off the axes of the circumplex."""
    return _QUADRANTS[valence > 0, arousal > 0]
