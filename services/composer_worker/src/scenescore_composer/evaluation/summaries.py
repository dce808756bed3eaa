"""What a listener would say of a piece in a dozen numbers: tempo, loudness, register, mode, articulation. Pure."""

import numpy as np

from scenescore_composer import keys
from scenescore_composer.recordings.recording import Floats, Recording

_DISSONANT = (1, 2, 6, 10, 11)
"""Pitch-class intervals: seconds, tritone, sevenths."""


def summary(music: Recording) -> dict[str, float]:
    """Cues of emotion in performed music, by name (those of P. N. Juslin, "Cue utilization in communication of emotion
    in music performance", 2000, and R. Bresin and A. Friberg, "Emotion rendering in music performance", 2011, and the
    mode). Rates are logarithms, as they are heard.
    """
    times = np.diff(music.strike_onsets)
    key = keys.estimate(music.notes)
    velocities = music.velocities.astype(float)
    lowest = np.array([music.pitches[strike[0]] for strike in music.strikes])
    return {
        "strikes a second": _log(len(music.strikes) / music.seconds),
        "notes a second": _log(len(music.onsets) / music.seconds),
        "shorter times": _log(_quantile(times, 0.25)),
        "median time": _log(_quantile(times, 0.5)),
        "longer times": _log(_quantile(times, 0.9)),
        "unevenness": float(np.std(np.log(np.maximum(times, 1e-3)))) if len(times) else 0.0,
        "loudness": float(velocities.mean()),
        "loudest": float(np.quantile(velocities, 0.9)),
        "softest": float(np.quantile(velocities, 0.1)),
        "pitch": float(np.average(music.pitches, weights=music.durations)),
        "melody": float(music.melody.mean()),
        "bass": float(lowest.mean()),
        "lowest": float(np.quantile(music.pitches, 0.05)),
        "range": float(np.quantile(music.pitches, 0.95) - np.quantile(music.pitches, 0.05)),
        "leaps": float(np.abs(np.diff(music.melody)).mean()) if len(music.strikes) > 1 else 0.0,
        "major": key.clarity,
        "duration": _log(float(np.median(music.durations))),
        "legato": _log(float(music.durations.sum()) / music.seconds),
        "struck together": len(music.onsets) / len(music.strikes),
        "dissonance": _dissonance(music),
        "pitch classes": float(len(np.unique(music.pitches % 12))),
        "accents": _accents(music),
    }


def _dissonance(music: Recording) -> float:
    """Share of the pairs of notes struck together that are dissonant; 0 without a pair."""
    pairs = [
        abs(int(one - other)) % 12
        for strike in music.strikes
        for place, one in enumerate(music.pitches[strike])
        for other in music.pitches[strike[place + 1 :]]
    ]
    return sum(pair in _DISSONANT for pair in pairs) / max(1, len(pairs))


def _accents(music: Recording) -> float:
    """Mean difference in velocity from strike to strike, each strike as loud as its loudest note."""
    loudest = np.array([music.velocities[strike].max() for strike in music.strikes], dtype=float)
    return float(np.abs(np.diff(loudest)).mean()) if len(loudest) > 1 else 0.0


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 1.0


def _log(value: float) -> float:
    return float(np.log2(max(value, 1e-3)))
