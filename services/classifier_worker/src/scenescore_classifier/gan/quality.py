"""How good generated pictures are: a Fréchet distance with its floor, and whether they are copies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scenescore_classifier import checkpoint
from scenescore_classifier.gan.training import fit_side
from scenescore_classifier.inference import SHIPPED_WEIGHTS
from scenescore_classifier.metrics import Floats, Ints
from scenescore_classifier.models.thesis import AS_DESCRIBED, ThesisCNN
from scenescore_classifier.preprocessing import SIDE, to_shares

_AT_ONCE = 64
SPLITS = 20
"""Random halves that distances are averaged over: a single split of some 100 pictures says little."""

Features = Callable[[Tensor], Floats]
"""Pictures uint8 (n, 3, h, w) → features (n, d)."""


@dataclass(frozen=True)
class NamedFeatures:
    """Features and the name of the network that they come from."""

    name: str
    of: Features


def thesis_features() -> NamedFeatures:
    """The 64 values of the hidden layer of the shipped thesis classifier.

    It was trained on few pictures of scenes, some of them perhaps the very ones judged here: distances compare
    GANs with each other and with the floor, and are not the Inception distances of papers.
    """
    trained = checkpoint.load(SHIPPED_WEIGHTS, AS_DESCRIBED)
    model = ThesisCNN(len(trained.emotions))
    checkpoint.load_state(model, trained.weights)

    def features(pixels: Tensor) -> Floats:
        hidden: list[Tensor] = []
        hook = model.hidden.register_forward_hook(lambda _, __, values: hidden.append(values.relu()))
        try:
            with torch.inference_mode():
                for part in torch.split(pixels, _AT_ONCE):
                    model(to_shares(fit_side(part, SIDE)))
        finally:
            hook.remove()
        values: Floats = torch.cat(hidden).double().numpy()
        return values

    return NamedFeatures(f"{AS_DESCRIBED}@{trained.sha256[:8]}, hidden layer (64)", features)


def pixel_features(pixels: Tensor) -> Floats:
    """Pixels in [0, 1], scaled so that Euclidean distance is their root mean square difference."""
    values: Floats = to_shares(pixels).flatten(1).double().numpy()
    values /= np.sqrt(values.shape[1])
    return values


def frechet_distance(first: Floats, second: Floats) -> float:
    """Squared Fréchet distance, ≥ 0, of the normal distributions fitted to rows (n, d) and (m, d).

    |μ₁ - μ₂|² + tr(C₁ + C₂ - 2(C₁C₂)^½) (Heusel et al. 2017, equation 6). The eigenvalues of C₁C₂ are those of the
    symmetric C₁^½ C₂ C₁^½, which stay real and, but for rounding, not negative when there are fewer rows than
    values. Few rows bias it upwards: compare equal numbers.
    """
    first_covariance, second_covariance = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(first_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second_covariance @ root), 0)).sum()
    apart = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    trace = np.trace(first_covariance) + np.trace(second_covariance)
    return float(max(apart + trace - 2 * shared, 0.0))


def frechet_beside_floor(real: Floats, made: Floats, generator: np.random.Generator) -> tuple[float, float]:
    """Mean distances over random halves of the real pictures: (half to as many made, half to the other half).

    All sets have the same number of rows, the smaller of half of `real` and all of `made`: at least 2.
    """
    size = min(len(real) // 2, len(made))
    distances = []
    for _ in range(SPLITS):
        order, drawn = generator.permutation(len(real)), generator.permutation(len(made))[:size]
        half, other = real[order[:size]], real[order[size : 2 * size]]
        distances.append((frechet_distance(half, made[drawn]), frechet_distance(half, other)))
    to_made, floor = np.mean(distances, axis=0)
    return float(to_made), float(floor)


def nearest(queries: Floats, references: Floats, *, without: Ints | None = None) -> tuple[Ints, Floats]:
    """Place in `references` (m, d) nearest to each of `queries` (n, d), and its Euclidean distance: both (n,).

    With `without` (n, k), those k places are passed over for each query: itself, say.
    """
    squares = (queries**2).sum(axis=1)[:, None] + (references**2).sum(axis=1) - 2 * queries @ references.T
    if without is not None:
        np.put_along_axis(squares, without, np.inf, axis=1)
    places = squares.argmin(axis=1)
    found = squares[np.arange(len(queries)), places]
    return places, np.sqrt(np.maximum(found, 0))


def measure(
    real: Tensor, made: Tensor, features: NamedFeatures, *, seed: int
) -> tuple[dict[str, Any], Tensor]:
    """Figures of made pictures beside the real ones, both uint8 (n or m, 3, side, side), and the pairs most alike.

    The pairs, uint8 (2k, 3, side, side) for k up to 16, are each a made picture and the real one nearest to it
    in pixels. Mirrored pictures count as real too: training mirrors.
    """
    mirrored = torch.cat([real, real.flip(3)])
    itself = np.stack([np.arange(len(real)), np.arange(len(real)) + len(real)], axis=1)
    real_features, made_features = features.of(real), features.of(made)
    to_made, floor = frechet_beside_floor(real_features, made_features, np.random.default_rng(seed))
    figures: dict[str, Any] = {
        "features": features.name,
        "real": len(real),
        "made": len(made),
        "seed": seed,
        "frechet": {"made": round(to_made, 4), "floor": round(floor, 4), "splits": SPLITS},
        "nearest": {},
    }
    pairs = made[:0]
    for name, of in (("features", features.of), ("pixels", pixel_features)):
        references = of(mirrored)
        places, distances = nearest(of(made), references)
        _, among_real = nearest(of(real), references, without=itself)
        figures["nearest"][name] = {
            "made_to_real": _spread(distances),
            "real_to_other_real": _spread(among_real),
        }
        closest = torch.from_numpy(np.argsort(distances)[:16])
        pairs = torch.stack([made[closest], mirrored[torch.from_numpy(places)[closest]]], dim=1).flatten(0, 1)
    return figures, pairs


def _spread(distances: Floats) -> dict[str, float]:
    return {"median": round(float(np.median(distances)), 4), "least": round(float(distances.min()), 4)}
