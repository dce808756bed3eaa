"""What the language model is told beside the tokens: the mix, the character wanted, and where in the form a bar lies.

The numbers are joined to every token's embedding, which S. Sulun, M. Davies and P. Viana, "Symbolic music generation
conditioned on continuous-valued emotions" (2022), found the best of three ways.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenescore_composer.keys import Key
from scenescore_composer.performance.shaping import PHRASE_BARS
from scenescore_shared.emotions import ALL_EMOTIONS

_FORM = PHRASE_BARS + 4
WIDTH = len(ALL_EMOTIONS) + 4 + _FORM
"""Numbers for each token."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a whole piece."""

    mix: Mapping[str, float]
    """Emotion → share; shares add up to 1."""
    major: bool
    onsets_per_quarter: float
    texture: float
    """Notes that start together, ≥ 1."""
    pitch: float
    """Mean MIDI pitch in C major or A minor."""

    def vectors(self, bars: int, *, opens: bool = True, closes: bool = True) -> Vectors:
        """[bars + 1, WIDTH]: a row for each bar, and one for what stands before the first.

        `opens` and `closes` say whether the piece begins and ends with these bars.
        """
        fixed = [
            *(self.mix.get(emotion, 0.0) for emotion in ALL_EMOTIONS),
            float(self.major),
            math.log2(max(self.onsets_per_quarter, 1 / 16)),
            math.log2(max(self.texture, 1.0)),
            (self.pitch - 60) / 12,
        ]
        rows = np.zeros((bars + 1, WIDTH), dtype=np.float32)
        rows[:, : len(fixed)] = fixed
        form = rows[:, len(fixed) :]
        for bar in range(bars):
            form[bar + 1, bar % PHRASE_BARS] = 1
            left = bars - bar
            if closes and left <= 4:  # noqa: PLR2004 - a last phrase: its last bar, the one before, the two before that
                form[bar + 1, PHRASE_BARS + min(left - 1, 2)] = 1
        form[: min(2, bars + 1), PHRASE_BARS + 3] = float(opens)
        return rows


def condition_of(features: Mapping[str, float], mix: Mapping[str, float]) -> Condition:
    """What would have asked for a piece of these features (by name, see `corpus.features`), in its normal key."""
    major = features["major"] >= 0
    key = Key(int(features["tonic"]), "major" if major else "minor")
    return Condition(
        mix=mix,
        major=major,
        onsets_per_quarter=features["onsets_per_second"] * 60 / features["tempo_bpm"],
        texture=features["notes_per_second"] / max(features["onsets_per_second"], 1e-6),
        pitch=features["pitch"] + key.to_normal,
    )
