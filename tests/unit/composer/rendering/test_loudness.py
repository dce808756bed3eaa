import numpy as np
import numpy.typing as npt
import pytest

from scenescore_composer.rendering.loudness import PEAK_DBFS, TARGET_LUFS, integrated, normalised, peak_dbfs

RATE = 44_100


def sine(dbfs: float, *, seconds: float = 3.0, hz: float = 997.0) -> npt.NDArray[np.float32]:
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_full_sine_in_one_channel_measures_as_the_standard_says(rate: int) -> None:
    """ITU-R BS.1770-4, annex 1: 0 dBFS at 997 Hz in the left channel alone reads -3.01 LUFS."""
    wave = np.sin(2 * np.pi * 997 * np.arange(3 * rate) / rate)
    samples = np.stack([wave, 0 * wave], axis=1).astype(np.float32)
    assert integrated(samples, rate) == pytest.approx(-3.01, abs=0.01)


def test_low_tones_count_less_and_high_ones_more() -> None:
    low, middle, high = (integrated(sine(-20, hz=hz), RATE) for hz in (40, 997, 6000))
    assert low < middle - 2
    assert high > middle + 2


def test_what_is_far_softer_than_the_rest_is_not_counted() -> None:
    loud = sine(-20)
    assert integrated(np.concatenate([loud, loud * 1e-4, loud * 1e-2]), RATE) == pytest.approx(
        integrated(loud, RATE), abs=0.3
    )


def test_silence_and_a_moment_have_no_loudness() -> None:
    assert integrated(np.zeros((RATE, 2), np.float32), RATE) == float("-inf")
    assert integrated(sine(0, seconds=0.3), RATE) == float("-inf")
    assert peak_dbfs(np.zeros((10, 2), np.float32)) == float("-inf")


@pytest.mark.parametrize("dbfs", [-50, -20, 0])
@pytest.mark.parametrize("clicks", [0, 6])
def test_the_peak_lies_where_it_should_however_loud_it_was(dbfs: float, clicks: int) -> None:
    samples = sine(dbfs)
    for place in range(clicks):
        samples[(place + 1) * 15_000 : (place + 1) * 15_000 + 20] *= 8
    result = normalised(samples, RATE)
    assert peak_dbfs(result) == pytest.approx(PEAK_DBFS, abs=0.001)
    assert result.shape == samples.shape


def test_lone_peaks_do_not_keep_the_rest_soft() -> None:
    samples = sine(-32)
    samples[40_000:40_020] *= 10 ** (16 / 20)
    by_peak_alone = samples * 10 ** ((PEAK_DBFS - peak_dbfs(samples)) / 20)
    result = normalised(samples, RATE)
    assert integrated(by_peak_alone, RATE) < TARGET_LUFS - 0.5
    assert integrated(result, RATE) == pytest.approx(TARGET_LUFS, abs=0.5)


def test_the_limiter_leaves_what_is_far_from_a_peak_as_it_was() -> None:
    samples = sine(-32)
    samples[60_000:60_020] *= 10 ** (16 / 20)
    result = normalised(samples, RATE)
    ratio = result[100:40_000, 0].std() / samples[100:40_000, 0].std()
    again = result[90_000:130_000, 0].std() / samples[90_000:130_000, 0].std()
    assert ratio == pytest.approx(again, rel=1e-3)


def test_silence_stays_silence() -> None:
    assert not normalised(np.zeros((RATE, 2), np.float32), RATE).any()
