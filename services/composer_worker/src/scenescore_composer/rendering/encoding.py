"""Samples to sound files, none of which clips when it is decoded."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from scenescore_composer.rendering.loudness import PEAK_DBFS, peak_dbfs
from scenescore_composer.rendering.settings import Format

HIGHEST_DBFS, LOWEST_DBFS = -0.5, -3.0
"""Between these lies the decoded peak."""
_SUBTYPES: dict[Format, str] = {"ogg": "VORBIS", "mp3": "MPEG_LAYER_III", "wav": "PCM_16"}
_FRAMES_AT_ONCE = 65_536
"""libsndfile's Vorbis encoder runs out of stack on long writes (libsndfile 1023, python-soundfile 233)."""
_TRIES = 3

Samples = npt.NDArray[np.float32]
"""[frames, channels], full scale is ±1."""


def encode(samples: Samples, rate: int, kind: Format, path: Path) -> None:
    """Writes the file. A lossy codec moves the peak: where it leaves its bounds the samples are scaled and tried again.

    Raises ValueError when that does not help.
    """
    gain = 1.0
    for _ in range(_TRIES):
        _write(samples * np.float32(gain), rate, kind, path)
        found = _decoded_peak(path)
        if LOWEST_DBFS < found < HIGHEST_DBFS:
            return
        gain *= 10 ** ((PEAK_DBFS - found) / 20)
    raise ValueError(f"the peak of the {kind} file lies at {found:.1f} dBFS")


def _write(samples: Samples, rate: int, kind: Format, path: Path) -> None:
    with soundfile.SoundFile(
        path, "w", samplerate=rate, channels=samples.shape[1], format=kind.upper(), subtype=_SUBTYPES[kind]
    ) as file:
        for start in range(0, len(samples), _FRAMES_AT_ONCE):
            file.write(samples[start : start + _FRAMES_AT_ONCE])


def _decoded_peak(path: Path) -> float:
    with soundfile.SoundFile(path) as file:
        return max(
            (peak_dbfs(block) for block in file.blocks(_FRAMES_AT_ONCE, dtype="float32")),
            default=float("-inf"),
        )
