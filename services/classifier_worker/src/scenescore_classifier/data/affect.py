"""Valence and arousal: scales brought to [-1, 1], and the emotion of a quadrant. Pure.

Quadrants of the circumplex of affect (J. A. Russell, "A circumplex model of affect", 1980).
"""

import math
import re
from dataclasses import dataclass

from scenescore_classifier.data.entries import Affect, DatasetError

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_RANGE = re.compile(rf"\s*{_NUMBER}\s*(?:-|\.\.|:|to)\s*{_NUMBER}\s*", re.ASCII)

_QUADRANTS = {(True, True): "happy", (False, True): "angry", (False, False): "sad", (True, False): "calm"}
"""By pleasant and aroused."""


@dataclass(frozen=True)
class Scale:
    """The range that raters could choose from; its middle is neither pleasant nor unpleasant."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise DatasetError(
                f"{self.low:g} to {self.high:g} is no scale: give its lowest and highest value, such as 1-9."
            )

    @classmethod
    def parse(cls, text: str) -> "Scale":
        """`1-9`, `-1-1`, `0..100` or `1:7`. Raises DatasetError on anything else."""
        found = _RANGE.fullmatch(text)
        if found is None:
            raise DatasetError(
                f"{text!r} is no scale: give its lowest and highest value, such as 1-9 or -1-1."
            )
        return cls(float(found[1]), float(found[2]))

    def position(self, text: str) -> float:
        """A rating → its place in [-1, 1]. Raises ValueError, saying why, where it has none."""
        value = _number(text)
        if not self.low <= value <= self.high:
            raise ValueError(f"{text} is outside {self.low:g} to {self.high:g}")
        return 2 * (value - self.low) / (self.high - self.low) - 1

    def spread(self, text: str) -> float:
        """A standard deviation of ratings → that of their places. Raises ValueError where it is none."""
        value = _number(text)
        # ratings within a range of r have a (population) deviation of at most r / 2; a sample's is a little more
        if not 0 <= value <= self.high - self.low:
            raise ValueError(f"{text} is no standard deviation on a scale from {self.low:g} to {self.high:g}")
        return 2 * value / (self.high - self.low)


def emotion_of(affect: Affect, dead_zone: float) -> str | None:
    """The emotion of the quadrant, or None where valence or arousal is unknown or nearer to 0 than `dead_zone`.

    Both must be clear: a very pleasant picture of middling arousal is as well happy as calm.
    """
    if affect.valence is None or affect.arousal is None:
        return None
    clarity = min(abs(affect.valence), abs(affect.arousal))
    if clarity < dead_zone or clarity == 0:
        return None
    return _QUADRANTS[affect.valence > 0, affect.arousal > 0]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value
