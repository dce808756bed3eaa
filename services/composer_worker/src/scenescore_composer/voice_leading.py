"""Leaning towards melodies by step and chords that do not grate.

A model of few parameters smears pitches: its melodies leap more and its chords grate more than those of the music it
learnt from. Most steps of a melody are small, and small ones mostly lead down (D. Huron, "Sweet Anticipation", 2006,
chapter 5: pitch proximity and step declination).
"""

import numpy as np
import numpy.typing as npt

from scenescore_composer.batch_grammar import CODES, INDEX, KIND_CODE, Masks
from scenescore_composer.score import MAX_PITCH
from scenescore_composer.tokens import Kind

_POSITION, _PITCH = CODES[Kind.POSITION], CODES[Kind.PITCH]
_OCTAVE = 12
_PITCHES = np.arange(MAX_PITCH + 1)
_SECOND = 2
"""Semitones of the major second."""
_NOWHERE = MAX_PITCH + 1
"""In place of a pitch that there is not."""


def _nearness() -> npt.NDArray[np.float32]:
    """[pitch before or `_NOWHERE`, pitches], how much each is leant towards."""
    up = _PITCHES - np.arange(MAX_PITCH + 2)[:, None]
    nearness: npt.NDArray[np.float32] = np.zeros(up.shape, dtype=np.float32)
    nearness[(up >= 0) & (up <= _SECOND)] = 0.5
    nearness[(up < 0) & (up >= -_SECOND)] = 1.0
    nearness[_NOWHERE] = 0
    return nearness


def _grating() -> Masks:
    """[pitch of the strike, pitches], whether they grate."""
    return np.isin((_PITCHES - _PITCHES[:, None]) % _OCTAVE, (1, _OCTAVE - 1))


_NEARNESS, _GRATING = _nearness(), _grating()


class VoiceLeading:
    """What each of many candidates has struck last."""

    def __init__(self, candidates: int, *, stepwise: float, smooth: float) -> None:
        """`stepwise` is the natural logarithm by which a second down from the highest note of the strike before
        becomes likelier than the model has it, half of it for the same note and a second up; `smooth` the one by
        which a minor second or major seventh, in any octave, to a note of the same strike becomes less likely.
        """
        # looked up at every step of sampling
        self._towards = np.float32(stepwise) * _NEARNESS
        self._smooth = np.float32(smooth)
        self._highest = np.full(candidates, _NOWHERE)
        """Of the present strike so far: grammar says a strike's notes from the lowest up."""
        self._before = np.full(candidates, _NOWHERE)
        """The highest of the strike before."""
        self._grates: Masks = np.zeros((candidates, MAX_PITCH + 1), dtype=np.bool_)
        """[candidates, pitches], what grates with the present strike so far."""

    def follow(self, taken: npt.NDArray[np.int64]) -> None:
        """Each candidate by one token."""
        kinds = KIND_CODE[taken]
        struck = np.flatnonzero(kinds == _PITCH)
        pitches = INDEX[taken[struck]]
        self._highest[struck] = pitches
        self._grates[struck] |= _GRATING[pitches]
        moved = kinds == _POSITION
        self._before[moved] = self._highest[moved]
        self._grates[moved] = False

    def leaning(self) -> npt.NDArray[np.float32]:
        """[candidates, pitches], what is added to the model's logits."""
        leaning: npt.NDArray[np.float32] = self._towards[self._before] - self._smooth * self._grates
        return leaning
