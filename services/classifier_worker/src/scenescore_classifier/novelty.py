"""Is a picture one of a scene at all? A blank page, a chart or a screenshot is answered with even probabilities.

Twelve plain statistics of a picture's pixels are compared with those of the photographs that the model learnt from, by
Mahalanobis's distance (as K. Lee et al. do with a network's features: "A simple unified framework for detecting
out-of-distribution samples", 2018). Only photographs are learnt from, so no kind of other picture is known
better than the rest, and every architecture is served alike. The answer keeps its order, and
becomes less sure, until it is even.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.metrics import Floats

Planes = NDArray[np.int16]

SIDE = 96
"""Height and width in pixels of what the statistics are of."""

STATISTICS = (
    "entropy of the colours",
    "share of the commonest colour",
    "share of the four commonest",
    "share of even places",
    "correlation of neighbours",
    "correlation of places four apart",
    "contrast",
    "steepness",
    "peakedness of the steepness",
    "share of upright and level edges",
    "variance of the means of rows and columns",
    "saturation",
)

LEAST_PICTURES = 100
"""With fewer a covariance of twelve statistics says little: then no picture counts as new."""

QUANTILE = 0.99
"""This share of the photographs learnt from is no further away than the limit."""

NEAR, FAR = 0.75, 1.0
"""In limits: nearer pictures are left alone, further ones get even probabilities, those between a mixture."""

_RIDGE = 1e-3
"""Share of each variance that is added to it: no direction is without any."""

_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in what eyes see as brightness (ITU-R BT.601)."""


def statistics(image: Image.Image) -> Floats:
    """RGB picture of any size → float64 (12,), in the order of STATISTICS; shares and spreads as logarithms."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    planes = np.ascontiguousarray(np.moveaxis(np.asarray(small, dtype=np.int16), 2, 0))  # (3, 96, 96)
    luma = np.tensordot(_LUMA, planes, axes=1)
    return np.array([*_of_colours(planes), *_of_brightness(luma), _saturation(planes)])


def _of_colours(planes: Planes) -> tuple[float, ...]:
    red, green, blue = planes >> 4  # 16 steps of each
    codes = (red << 8) | (green << 4) | blue
    shares = np.sort(np.bincount(codes.ravel()))[::-1] / codes.size
    found = shares[shares > 0]
    across, down = (np.abs(np.diff(planes, axis=axis)).max(axis=0) for axis in (2, 1))
    even = (across[:-1] <= 1) & (down[:, :-1] <= 1)
    return (
        -float(np.sum(found * np.log2(found))),
        float(np.log(shares[0] + 0.01)),
        float(np.log(shares[:4].sum() + 0.01)),
        float(even.mean()),
    )


def _of_brightness(luma: Floats) -> tuple[float, ...]:
    """Of float (96, 96) in [0, 255]. What is added below keeps an even picture's figures finite."""
    centred = luma - luma.mean()
    spread = float(centred.std()) + 0.5

    def correlation(lag: int) -> float:
        across, down = centred[:, lag:] * centred[:, :-lag], centred[lag:] * centred[:-lag]
        return float(across.mean() + down.mean()) / (2 * spread**2)

    across, down = np.abs(np.diff(luma, axis=1))[:-1], np.abs(np.diff(luma, axis=0))[:, :-1]
    steep = across + down
    mean = float(steep.mean()) + 0.1
    slanted = 2 * float(np.minimum(across, down).sum()) / (float(steep.sum()) + 0.05 * luma.size)
    stripes = float(centred.mean(axis=1).var() + centred.mean(axis=0).var()) / spread**2
    return (
        correlation(1),
        correlation(4),
        float(np.log(spread)),
        float(np.log(mean)),
        float(np.log(np.mean(steep**2) + 0.01) - 2 * np.log(mean)),
        1 - slanted,
        stripes,
    )


def _saturation(planes: Planes) -> float:
    return float((planes.max(axis=0) - planes.min(axis=0)).mean()) / 255


@dataclass(frozen=True)
class Novelty:
    """What the photographs learnt from are like."""

    mean: Floats
    """(12,)."""
    precision: Floats
    """(12, 12): the inverse of their covariance."""
    limit: float
    """The distance that counts as 1."""

    def distances(self, rows: Floats) -> Floats:
        """Statistics (n, 12) → distances (n,), in limits."""
        away = rows - self.mean
        squares: Floats = np.einsum("nd,de,ne->n", away, self.precision, away)
        return np.sqrt(np.maximum(squares, 0)) / self.limit

    def scene_shares(self, rows: Floats) -> Floats:
        """Statistics (n, 12) → how much of the answer stands, (n,) in [0, 1]; the rest is shared out evenly."""
        return np.clip((FAR - self.distances(rows)) / (FAR - NEAR), 0, 1)

    def as_card(self) -> dict[str, Any]:
        return {
            "statistics": list(STATISTICS),
            "mean": np.round(self.mean, 6).tolist(),
            "precision": [[float(f"{value:.8g}") for value in row] for row in self.precision],
            "limit": round(self.limit, 6),
        }

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> "Novelty | None":
        """What `as_card` put under `novelty`; None where a card has none. Raises CheckpointError on anything else."""
        kept = card.get("novelty")
        if kept is None:
            return None
        try:
            found = cls(
                np.array(kept["mean"], dtype=np.float64),
                np.array(kept["precision"], dtype=np.float64),
                float(kept["limit"]),
            )
            ours = tuple(kept["statistics"]) == STATISTICS
        except (TypeError, KeyError, ValueError) as error:
            raise CheckpointError("The card's novelty can't be read: train the model again.") from error
        count = len(STATISTICS)
        shapes = (found.mean.shape, found.precision.shape) == ((count,), (count, count))
        finite = shapes and np.isfinite([*found.mean, *found.precision.flat, found.limit]).all()
        if not (ours and finite and found.limit > 0):
            raise CheckpointError("The card's novelty is of other statistics: train the model again.")
        return found


def fit(rows: Floats) -> Novelty | None:
    """Of the statistics (n, 12) of photographs; None where there are fewer than LEAST_PICTURES."""
    if len(rows) < LEAST_PICTURES:
        return None
    covariance = np.cov(rows.T)
    ridged = covariance + _RIDGE * np.diag(np.diag(covariance))
    precision = np.linalg.inv(ridged).astype(np.float64)
    bare = Novelty(rows.mean(axis=0), precision, 1.0)
    return Novelty(bare.mean, precision, float(np.quantile(bare.distances(rows), QUANTILE)))


def towards_even(probabilities: Floats, shares: Floats) -> Floats:
    """Probabilities (n, k), of each row only the share (n,) kept and the rest given to all k alike."""
    kept = shares[:, None]
    even: Floats = kept * probabilities + (1 - kept) / probabilities.shape[1]
    return even


class Noting:
    """A `prepare` that also keeps the statistics of every picture that it could prepare, in order."""

    def __init__(self, prepare: Callable[[Image.Image], Tensor]) -> None:
        self._prepare = prepare
        self._rows: list[Floats] = []

    def __call__(self, image: Image.Image) -> Tensor:
        prepared = self._prepare(image)
        self._rows.append(statistics(image))
        return prepared

    @property
    def rows(self) -> Floats:
        """(n, 12)."""
        return np.stack(self._rows) if self._rows else np.zeros((0, len(STATISTICS)))
