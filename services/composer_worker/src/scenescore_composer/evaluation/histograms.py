"""What people write and play, as histograms of one piece: intervals, rhythm, texture, scale and repetition. Pure.

Loudness is left out: scores have none. Times are in seconds, in steps of half an octave, since clips transcribed from
recordings have no beats. No edge lies at a note value of the 120 crotchets a minute that scores without a tempo have:
milliseconds of touch would otherwise decide on which side a quaver counts.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from scenescore_composer import keys
from scenescore_composer.recordings.recording import Floats, Ints, Recording

_LEAP = 12
_TIME_EDGES = np.geomspace(0.0625, 4.0, 13) * 2**0.25
_RATIO_EDGES = 2.0 ** np.arange(-2.75, 3.0, 0.5)
_MOST_TOGETHER = 6
_MOST_SOUNDING = 8
_RUNS = (2, 3, 4, 6, 8)


def histograms(music: Recording) -> dict[str, Floats]:
    """Every histogram by its name; each adds up to 1, or is all 0 where there is nothing to count.

    `repetition` alone is a vector of shares.
    """
    return {name: histogram(music) for name, histogram in HISTOGRAMS.items()}


def melodic_intervals(music: Recording) -> Floats:
    """[25] semitones from each strike's highest note to the next's, -12 to 12; larger ones count as those."""
    steps = np.clip(np.diff(music.melody), -_LEAP, _LEAP)
    return _shares(np.bincount(steps + _LEAP, minlength=2 * _LEAP + 1))


def vertical_intervals(music: Recording) -> Floats:
    """[12] pitch-class intervals above the lowest note of what is struck together."""
    above = [music.pitches[strike][1:] - music.pitches[strike[0]] for strike in music.strikes]
    return _shares(np.bincount(np.concatenate(above) % 12, minlength=12))


def inter_onset_times(music: Recording) -> Floats:
    """[14] seconds from strike to strike, in twelve equal steps of the logarithm between about 1/13 s and 4.8 s."""
    return _binned(np.diff(music.strike_onsets), _TIME_EDGES)


def durations(music: Recording) -> Floats:
    """[14] seconds that notes sound, in the same steps."""
    return _binned(music.durations, _TIME_EDGES)


def rhythm_ratios(music: Recording) -> Floats:
    """[13] one time from strike to strike over the one before, in half octaves: rhythm without tempo."""
    times = np.diff(music.strike_onsets)
    return _binned(times[1:] / times[:-1], _RATIO_EDGES)


def struck_together(music: Recording) -> Floats:
    """[6] notes in a strike, 1 to 6 or more."""
    sizes = np.array([min(len(strike), _MOST_TOGETHER) for strike in music.strikes])
    return _shares(np.bincount(sizes, minlength=_MOST_TOGETHER + 1)[1:])


def sounding_together(music: Recording) -> Floats:
    """[9] share of the time in which none, 1, … 8 or more notes sound."""
    times = np.concatenate([music.onsets, music.onsets + music.durations])
    changes = np.repeat([1, -1], len(music.onsets))
    order = np.lexsort((changes, times))
    sounding = np.clip(changes[order].cumsum()[:-1], 0, _MOST_SOUNDING)
    return _shares(np.bincount(sounding, weights=np.diff(times[order]), minlength=_MOST_SOUNDING + 1))


def scale_degrees(music: Recording) -> Floats:
    """[12] share of the sounding time of each pitch class, from the tonic of the best key up."""
    tonic = keys.estimate(music.notes).key.tonic
    return _shares(np.bincount((music.pitches - tonic) % 12, weights=music.durations, minlength=12))


def repetition(music: Recording) -> Floats:
    """[10] share of the melody's runs of 2, 3, 4, 6 and 8 steps that were there before.

    First as intervals alone, then together with the times between them in half octaves of a second.
    """
    intervals = np.diff(music.melody)
    times = np.round(2 * np.log2(np.maximum(np.diff(music.strike_onsets), 1e-3))).astype(int)
    tunes: tuple[Sequence[object], ...] = (
        intervals.tolist(),
        list(zip(intervals.tolist(), times.tolist(), strict=True)),
    )
    return np.array([_repeated(tune, length) for tune in tunes for length in _RUNS])


HISTOGRAMS: Mapping[str, Callable[[Recording], Floats]] = {
    "melodic intervals": melodic_intervals,
    "vertical intervals": vertical_intervals,
    "inter-onset times": inter_onset_times,
    "durations": durations,
    "rhythm ratios": rhythm_ratios,
    "notes struck together": struck_together,
    "notes sounding together": sounding_together,
    "scale degrees": scale_degrees,
    "repetition": repetition,
}


def _repeated(tune: Sequence[object], length: int) -> float:
    runs = [tuple(tune[start : start + length]) for start in range(len(tune) - length + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def _binned(values: Floats, edges: Floats) -> Floats:
    """Shares of the values below the first edge, between each two, and from the last one on."""
    return _shares(np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1))


def _shares(counts: Floats | Ints) -> Floats:
    return counts / max(float(counts.sum()), 1e-9)
