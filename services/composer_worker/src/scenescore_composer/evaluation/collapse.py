"""The ways in which generated music fails, seen from outside the composer. Pure."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from scenescore_composer.evaluation.histograms import sounding_together
from scenescore_composer.recordings.recording import Recording

MAX_SAME_PITCH = 0.4
"""Share of the notes on one pitch."""
MAX_SILENCE = 0.3
"""Share of the time in which nothing sounds."""
MIN_PITCHES = 5
MIN_STRIKES_A_SECOND = 0.25
MAX_LOOPED = 0.6
"""Share of the strikes, 0-1, that the music spends going round in one loop."""
_LONGEST_LOOP = 16


def failings(music: Recording) -> list[str]:
    """How the piece has collapsed, in words; none where it has not."""
    commonest = np.bincount(music.pitches).max() / len(music.pitches)
    tests = {
        "few pitches": len(np.unique(music.pitches)) < MIN_PITCHES,
        "one pitch": commonest > MAX_SAME_PITCH,
        "silence": sounding_together(music)[0] > MAX_SILENCE,
        "nearly empty": len(music.strikes) / music.seconds < MIN_STRIKES_A_SECOND,
        "a loop": looped(music) > MAX_LOOPED,
    }
    return [name for name, failed in tests.items() if failed]


def looped(music: Recording) -> float:
    """Share of the strikes, 0-1, in the longest stretch where the same few strikes (16 at most) come round and round.

    A stretch counts from a loop's third turn on: music often says things twice.
    """
    chords: Sequence[tuple[int, ...]] = [tuple(music.pitches[strike].tolist()) for strike in music.strikes]
    longest = 0
    for period in range(1, min(_LONGEST_LOOP, len(chords)) + 1):
        run = 0
        for now, before in zip(chords[period:], chords, strict=False):
            run = run + 1 if now == before else 0
            if run >= 2 * period:
                longest = max(longest, run + period)
    return longest / len(chords)


def counted(pieces: Sequence[Recording]) -> dict[str, int]:
    """How many pieces fail in each way, and "any"."""
    found = [failings(piece) for piece in pieces]
    return {**Counter(name for names in found for name in names), "any": sum(1 for names in found if names)}
