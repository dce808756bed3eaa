"""Makes every piece about as loud as every other, and none too loud. Pure.

Loudness is the integrated loudness of ITU-R BS.1770-4, in LUFS.
"""

import numpy as np
import numpy.typing as npt

TARGET_LUFS = -16.0
"""What music streamed on its own is brought to (AES TD1004)."""
PEAK_DBFS = -1.5
"""The highest sample of the result, always: room for what a lossy codec adds."""
MAX_LIMITING_DB = 9.0
"""Peaks that stand out further than this are not pushed down more: the piece stays softer instead."""

_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""BS.1770-4, annex 1, tables 1 and 2: numerator and denominator, at 48 kHz."""
_TABLES_RATE = 48_000
_HOPS_A_BLOCK = 4  # blocks of 400 ms overlap by three quarters
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_LIMITER_HOP_SECONDS = 0.005
_LIMITER_REACH = 4
"""Hops that the limiter looks ahead and back: 20 ms, so that it is heard as little as possible."""

Samples = npt.NDArray[np.float32]
"""[frames, channels], full scale is ±1."""


def integrated(samples: Samples, rate: int) -> float:
    """The loudness in LUFS; -inf for silence and for less than 400 ms."""
    hop = rate // 10
    hops = len(samples) // hop
    if hops < _HOPS_A_BLOCK:
        return float("-inf")
    energy = np.zeros(hops)
    for channel in samples[: hops * hop].T:
        energy += np.square(_weighted(channel, rate)).reshape(hops, hop).mean(axis=1)
    blocks = np.convolve(energy, np.full(_HOPS_A_BLOCK, 1 / _HOPS_A_BLOCK), mode="valid")
    for threshold in (_ABSOLUTE_GATE, None):
        gate = threshold if threshold is not None else _lufs(float(blocks.mean())) + _RELATIVE_GATE
        blocks = blocks[blocks > 10 ** ((gate + 0.691) / 10)]
        if not blocks.size:
            return float("-inf")
    return _lufs(float(blocks.mean()))


def peak_dbfs(samples: Samples) -> float:
    """The highest sample, in dB of full scale; -inf for silence."""
    highest = float(np.abs(samples).max(initial=0))
    return 20 * float(np.log10(highest)) if highest else float("-inf")


def normalised(samples: Samples, rate: int) -> Samples:
    """The samples at `TARGET_LUFS`, lone peaks limited, the highest at `PEAK_DBFS` exactly. Silence stays silence.

    Music whose peaks hardly stand out gets louder than the target, and music whose peaks stand out very far stays
    softer: the peak is kept in any case.
    """
    loudness = integrated(samples, rate)
    if loudness == float("-inf"):
        return _at_peak(samples)
    over = (TARGET_LUFS - loudness) + peak_dbfs(samples) - PEAK_DBFS
    if over <= 0:
        return _at_peak(samples)
    return _at_peak(_limited(samples, rate, by_db=min(over, MAX_LIMITING_DB)))


def _at_peak(samples: Samples) -> Samples:
    highest = np.abs(samples).max(initial=0)
    if not highest:
        return samples
    scaled: Samples = samples * np.float32(10 ** (PEAK_DBFS / 20) / highest)
    return scaled


def _limited(samples: Samples, rate: int, *, by_db: float) -> Samples:
    """Nothing higher than the highest sample less `by_db`: the gain goes down before a peak and comes back after it."""
    hop = round(rate * _LIMITER_HOP_SECONDS)
    hops = -(-len(samples) // hop)
    heights = np.zeros(hops * hop, dtype=np.float32)
    heights[: len(samples)] = np.abs(samples).max(axis=1)
    ceiling = heights.max() * 10 ** (-by_db / 20)
    highest = heights.reshape(hops, hop).max(axis=1)
    wanted = np.minimum(1.0, ceiling / np.maximum(highest, ceiling))
    # the mean of minima, each of which reaches one hop further than the mean does, is nowhere above what is wanted,
    # and neither is a straight line between two of them
    minima = _windows(wanted, _LIMITER_REACH + 1).min(axis=1)
    gains = _windows(minima, _LIMITER_REACH).mean(axis=1)
    centres = (np.arange(hops) + 0.5) * hop
    curve = np.interp(np.arange(len(samples)), centres, gains).astype(np.float32)
    limited: Samples = samples * curve[:, None]
    return limited


def _windows(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """[n, 2 reach + 1]: each value amid its neighbours; beyond the ends stand the end's own."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)


def _weighted(channel: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """K-weighted: filtered through the response of the standard's two filters, whatever the rate."""
    spectrum = np.fft.rfft(channel)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(len(channel), 1 / rate) / _TABLES_RATE)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        spectrum *= (np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)).astype(
            np.complex64
        )
    weighted: npt.NDArray[np.float32] = np.fft.irfft(spectrum, len(channel)).astype(np.float32)
    return weighted


def _lufs(energy: float) -> float:
    return -0.691 + 10 * float(np.log10(energy))
