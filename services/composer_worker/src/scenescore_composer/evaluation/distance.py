"""How far sets of pieces lie apart, as Fréchet's distance between Gaussians. Pure.

As in the Fréchet inception distance (M. Heusel et al., 2017), with the histograms of `histograms` in place of a
network's features, standardised over the reference sets. Few pieces make any two sets look far apart, so all sets
are cut to one size, drawn at random, and the mean over several draws counts; covariances are shrunk (O. Ledoit and M.
Wolf, 2004).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.covariance import ledoit_wolf

from scenescore_composer.evaluation.histograms import histograms
from scenescore_composer.recordings.recording import Floats, Recording

LEAST_PIECES = 20
"""Below this many a covariance says nothing."""
DRAWS = 10
_LEAST_SPREAD = 0.05
"""Of a feature to be standardised: what hardly varies in the reference sets would otherwise count without bound."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Two reference sets, and what one is away from the other."""

    names: tuple[str, str]
    sets: Mapping[str, Floats]
    """Name → standardised features [pieces, features]."""
    mean: Floats
    spread: Floats
    seed: int

    def distance(self, one: Floats, other: Floats, *, size: int | None = None) -> float:
        """Fréchet's distance between standardised sets, each cut to `size` pieces (of the smaller one where None)."""
        size = min(len(one), len(other), size or len(one))
        rng = np.random.default_rng(self.seed)
        drawn = [frechet(_some(one, size, rng), _some(other, size, rng)) for _ in range(DRAWS)]
        return float(np.mean(drawn))

    def ratios(self, features: Floats) -> dict[str, float]:
        """For each reference set the distance to it, over the distance between the two at the same number of pieces.

        `features` [pieces, features] as of `feature_table`, at least `LEAST_PIECES` of them.
        """
        standardised = (features - self.mean) / self.spread
        size = min(len(standardised), *(len(reference) for reference in self.sets.values()))
        unit = self.distance(*(self.sets[name] for name in self.names), size=size)
        return {
            name: self.distance(standardised, reference, size=size) / unit
            for name, reference in self.sets.items()
        }

    def floor(self, size: int) -> float:
        """What two halves of the first reference set are away from each other: no distance can be seen below it."""
        first = self.sets[self.names[0]]
        order = np.random.default_rng(self.seed).permutation(len(first))
        halves = first[order[: len(first) // 2]], first[order[len(first) // 2 :]]
        size = min(size, *(len(half) for half in halves))
        unit = self.distance(*(self.sets[name] for name in self.names), size=size)
        return self.distance(*halves, size=size) / unit


def yardstick(first: tuple[str, Floats], second: tuple[str, Floats], *, seed: int = 0) -> Yardstick:
    """Of two named feature tables with at least `LEAST_PIECES` rows each; both weigh equally in standardising."""
    mean = (first[1].mean(axis=0) + second[1].mean(axis=0)) / 2
    variance = (((first[1] - mean) ** 2).mean(axis=0) + ((second[1] - mean) ** 2).mean(axis=0)) / 2
    spread = np.maximum(np.sqrt(variance), _LEAST_SPREAD)
    sets = {name: (table - mean) / spread for name, table in (first, second)}
    return Yardstick((first[0], second[0]), sets, mean, spread, seed)


def feature_table(music: Sequence[Recording]) -> Floats:
    """[recordings, features]: the square roots of all histograms, side by side.

    Between roots of shares the Euclidean distance is Hellinger's: bins that are seldom filled count no more than
    others.
    """
    return np.stack([np.sqrt(np.concatenate(list(histograms(one).values()))) for one in music])


def frechet(one: Floats, other: Floats) -> float:
    """|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½) of the Gaussians fitted to [pieces, features] each, ≥ 0."""
    covariances = [ledoit_wolf(each)[0] for each in (one, other)]
    difference = one.mean(axis=0) - other.mean(axis=0)
    root = _root(covariances[0])
    # the trace of (C1 C2)^½, by way of a symmetric matrix with the same eigenvalues
    crossed = np.linalg.eigvalsh(root @ covariances[1] @ root)
    trace = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.sqrt(np.maximum(crossed, 0)).sum()
    return float(max(0.0, difference @ difference + trace))


def _root(matrix: Floats) -> Floats:
    """The symmetric square root of a covariance matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def _some(rows: Floats, size: int, rng: np.random.Generator) -> Floats:
    chosen: Floats = rows[rng.choice(len(rows), size, replace=False)]
    return chosen
