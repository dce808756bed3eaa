"""Overlapping areas of distances within and between sets of pieces. Pure.

L.-C. Yang and A. Lerch, "On the evaluation of generative models in music" (2020), the toolbox MGEval: for each
feature, the distances between all pieces of a set, and those between it and another set, are each smoothed by a
Gaussian kernel; the area under both densities is 1 where generated pieces lie among real ones just as those lie
among themselves.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.spatial.distance import cdist, pdist
from scipy.stats import gaussian_kde

from scenescore_composer.evaluation import histograms, measures
from scenescore_composer.recordings.recording import Floats, Recording

MOST_PIECES = 100
"""Of each set, drawn at random: the work grows with the square."""
_POINTS = 400
_LEAST_SPREAD = 1e-9

FEATURES: Mapping[str, Callable[[Recording], Floats]] = {
    "pitch classes used": lambda music: np.array([measures.pitch_classes_used(music.notes)], dtype=float),
    "pitch range": lambda music: np.array([measures.pitch_range(music.notes)], dtype=float),
    "notes a second": lambda music: np.array([len(music.onsets) / music.seconds]),
    "mean time between strikes": lambda music: np.array([music.seconds / len(music.strikes)]),
    "mean melodic interval": lambda music: np.array(
        [np.abs(np.diff(music.melody)).mean() if len(music.strikes) > 1 else 0.0]
    ),
    **histograms.HISTOGRAMS,
}


def overlapping_areas(
    generated: Sequence[Recording], real: Sequence[Recording], *, seed: int = 0
) -> dict[str, float]:
    """Feature → area, 0-1, shared by the distances among the real pieces and those from them to the generated ones.

    At least three pieces in each set.
    """
    rng = np.random.default_rng(seed)
    ours, theirs = (_some(music, rng) for music in (generated, real))
    areas = {}
    for name, feature in FEATURES.items():
        rows, others = (np.stack([feature(each) for each in music]) for music in (ours, theirs))
        areas[name] = shared_area(pdist(others), cdist(rows, others).ravel())
    return areas


def shared_area(one: Floats, other: Floats) -> float:
    """The area, 0-1, under both smoothed densities of two samples of distances."""
    if min(np.ptp(one), np.ptp(other)) < _LEAST_SPREAD:
        # no density: all the mass is in one point, shared or not
        return float(
            abs(one.mean() - other.mean()) < _LEAST_SPREAD and np.ptp(one) + np.ptp(other) < _LEAST_SPREAD
        )
    densities = gaussian_kde(one), gaussian_kde(other)
    margin = 3 * max(one.std(), other.std())
    grid = np.linspace(min(one.min(), other.min()) - margin, max(one.max(), other.max()) + margin, _POINTS)
    return float(np.trapezoid(np.minimum(*(density(grid) for density in densities)), grid))


def _some(music: Sequence[Recording], rng: np.random.Generator) -> list[Recording]:
    if len(music) <= MOST_PIECES:
        return list(music)
    return [music[place] for place in sorted(rng.choice(len(music), MOST_PIECES, replace=False))]
