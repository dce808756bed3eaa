"""Which key music is in. Pure.

Krumhansl and Schmuckler's algorithm with the probe-tone profiles of Krumhansl and Kessler (1982), as in
C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), chapter 4: the key whose profile correlates
best with how long each pitch class sounds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scenescore_composer.score import Note

Mode = Literal["major", "minor"]

_PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_TONICS: dict[Mode, tuple[str, ...]] = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAME = re.compile(
    r"(?P<letter>[A-Ga-g])(?P<accidentals>#{0,2}|b{0,2})\s+(?P<mode>major|minor)", re.IGNORECASE
)
_NORMAL_TONIC: dict[Mode, int] = {"major": 0, "minor": 9}


@dataclass(frozen=True, slots=True)
class Key:
    tonic: int
    """Pitch class, 0-11, 0 = C."""
    mode: Mode

    @property
    def name(self) -> str:
        """As "F# minor"."""
        return f"{_TONICS[self.mode][self.tonic]} {self.mode}"

    @property
    def signature(self) -> str:
        """As MIDI files name key signatures: "F#m"."""
        return _TONICS[self.mode][self.tonic] + ("m" if self.mode == "minor" else "")

    @property
    def to_normal(self) -> int:
        """Semitones, -6 to 5, that bring the key to C major or A minor: the nearer way."""
        return (_NORMAL_TONIC[self.mode] - self.tonic + 6) % 12 - 6

    def moved(self, semitones: int) -> "Key":
        return Key((self.tonic + semitones) % 12, self.mode)


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    key: Key
    clarity: float
    """Best correlation of a major key less that of a minor key, in [-2, 2]: how major the music is."""
    fit: float
    """The best key's correlation, in [-1, 1]: how clear the key is."""


def estimate(notes: Iterable[Note]) -> KeyEstimate:
    """The best key of the notes; C major with clarity 0 when there is nothing to tell it by."""
    sounding = _durations(notes)
    if np.ptp(sounding) == 0:
        return KeyEstimate(Key(0, "major"), 0.0, 0.0)
    fits = {mode: _correlations(sounding, profile) for mode, profile in _PROFILES.items()}
    best: Mode = "major" if fits["major"].max() >= fits["minor"].max() else "minor"
    clarity = float(fits["major"].max() - fits["minor"].max())
    return KeyEstimate(Key(int(fits[best].argmax()), best), clarity, float(fits[best].max()))


def parse(name: str) -> Key | None:
    """The key of a name as "F# minor", "Bb major" or "c minor"; None where it names none."""
    match = _NAME.fullmatch(name.strip())
    if match is None:
        return None
    letter, accidentals, mode = match["letter"].upper(), match["accidentals"].lower(), match["mode"].lower()
    tonic = _LETTERS[letter] + accidentals.count("#") - accidentals.count("b")
    return Key(tonic % 12, "major" if mode == "major" else "minor")


def _durations(notes: Iterable[Note]) -> npt.NDArray[np.float64]:
    """[12], ticks for which each pitch class sounds."""
    sounding = np.zeros(12)
    for note in notes:
        sounding[note.pitch % 12] += note.duration
    return sounding


def _correlations(sounding: npt.NDArray[np.float64], profile: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Pearson's r of the durations [12] with the profile on each of the 12 tonics."""
    rotated = np.stack([np.roll(profile, tonic) for tonic in range(12)])
    correlations: npt.NDArray[np.float64] = np.corrcoef(sounding, rotated)[0, 1:]
    return correlations
