"""Valence and arousal from the embeddings of a frozen backbone: ridge regression, judged by theme.

Where there are photographs and a teller, it learns the ratings first and tells them (see `told`): that brings valence
nearer, where embeddings are weak. What they clearly show better by themselves is not told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenescore_classifier.data import split_by_theme
from scenescore_classifier.metrics import Floats, Ints, bootstrap_interval, correlation, within_chance
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.regression import divisor, leant
from scenescore_classifier.training.told import Photographs, fit_told

NAMES = ("valence", "arousal")

PENALTIES = (300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0)
"""Tried; for standardised embeddings and pictures that weigh 1 on average."""

TOLD_PENALTY = 10_000.0
"""Where a teller tells: on top of thousands of photographs."""

INNER_FOLDS = 5
DECIMALS = 4

LEAST_PICTURES = 20
"""With fewer there is no regression."""


@dataclass(frozen=True)
class Way:
    """How ratings are learnt."""

    penalty: float
    """Of the regression on ratings: the teller's where it tells."""
    told: bool


@dataclass(frozen=True)
class Seen:
    """n pictures, as a model sees them."""

    embeddings: Floats
    """(n, d)."""
    directions: Directions | None = None
    """In which slopes are cheap."""


@dataclass(frozen=True)
class Rated:
    """n pictures and what raters said of one side of their affect."""

    embeddings: Floats
    """(n, d)."""
    ratings: Floats
    """(n,)."""
    weights: Floats
    """(n,): larger where the raters agreed, 1 on average."""
    themes: Sequence[str]
    directions: Directions | None = None
    """In which slopes are cheap."""
    of_teller: "Rated | None" = None
    """The same pictures, as a teller sees them."""

    def part(self, chosen: Ints) -> "Rated":
        themes = [self.themes[int(row)] for row in chosen]
        return replace(
            self,
            embeddings=self.embeddings[chosen],
            ratings=self.ratings[chosen],
            weights=self.weights[chosen],
            themes=themes,
            of_teller=None if self.of_teller is None else self.of_teller.part(chosen),
        )

    def as_teller_sees(self) -> "Rated":
        if self.of_teller is None:
            raise ValueError("no teller has seen the pictures")
        return self.of_teller


def weights_of(deviations: Floats) -> Floats:
    """Standard deviations over raters (n,), NaN where unknown → weights (n,), inverse to the variance, 1 on average.

    The weight of least variance among linear estimates (Aitken 1936). An unknown or vanishing deviation counts as
    the median one.
    """
    known = np.isfinite(deviations) & (deviations > 0)
    usual = float(np.median(deviations[known])) if known.any() else 1.0
    weights = 1 / np.where(known, deviations, usual) ** 2
    normed: Floats = weights / weights.mean()
    return normed


def held_out(
    rated: Rated, fold_of: Ints, seed: int, photographs: Photographs | None = None
) -> tuple[Floats, list[Way]]:
    """Predicted ratings (n,), each from the other folds' pictures; and the way that each fold chose.

    It is chosen by folds of themes inside the training pictures, so a fold's own pictures serve nothing in it. Where
    there are `photographs`, being told is one.
    """
    predicted, chosen = np.zeros(len(rated.ratings)), []
    for fold in np.unique(fold_of):
        learnt = rated.part(np.flatnonzero(fold_of != fold))
        way = _choose(learnt, seed + 1 + int(fold), photographs)
        here = fold_of == fold
        if way.told and photographs is not None:
            predicted[here] = _told(learnt, rated.embeddings[here], photographs, way.penalty)
        else:
            (predicted[here],) = fit_ridge(learnt, rated.embeddings[here], [way.penalty])
        chosen.append(way)
    return predicted, chosen


def _told(learnt: Rated, asked: Floats, photographs: Photographs, penalty: float) -> Floats:
    """Ratings predicted for embeddings asked (m, d), as a teller told them: (m,)."""
    teller = learnt.as_teller_sees()
    (of_photographs,), (of_pictures,) = (
        fit_ridge(teller, seen, [penalty])
        for seen in (photographs.of_teller.double().numpy(), teller.embeddings)
    )
    fitted = fit_told(
        photographs, of_photographs[:, None], learnt.embeddings, of_pictures[:, None], TOLD_PENALTY
    )
    predicted: Floats = fitted.logits(asked)[:, 0]
    return predicted


def fit_ridge(learnt: Rated, asked: Floats, penalties: Sequence[float]) -> Floats:
    """Ratings predicted for embeddings asked (m, d), by each penalty: (penalties, m).

    Minimises Σ wᵢ (ratingᵢ - b - xᵢ·β)² + penalty βᵀ S⁻¹ β over standardised embeddings (Hoerl and Kennard 1970), S the
    prior covariance of `leant`, in the dual: n numbers are sought instead of d.
    """
    weights = learnt.weights / learnt.weights.sum()
    mean = weights @ learnt.embeddings
    scale = divisor(np.sqrt(weights @ (learnt.embeddings - mean) ** 2))
    roots = np.sqrt(learnt.weights)
    standardised = (learnt.embeddings - mean) / scale
    inputs = standardised * roots[:, None]  # (n, d)
    cheap = None if learnt.directions is None else learnt.directions.values
    weighable = leant(standardised, scale, cheap) * roots[:, None]
    level = float(weights @ learnt.ratings)
    squares, vectors = np.linalg.eigh(inputs @ weighable.T)
    turned = vectors.T @ ((learnt.ratings - level) * roots)
    shares = turned[:, None] / (squares[:, None] + np.asarray(penalties))  # (n, penalties)
    slopes = weighable.T @ (vectors @ shares) / scale[:, None]  # (d, penalties)
    predicted: Floats = (level - mean @ slopes + asked @ slopes).T
    return predicted


def affect_figures(
    seen: Seen,
    ratings: tuple[Floats, Floats],
    themes: Sequence[str],
    splits: Sequence[tuple[int, Ints]],
    *,
    seed: int,
    telling: tuple[Photographs, Seen] | None = None,
) -> dict[str, Any] | None:
    """The card's correlations of predicted and human ratings, means over the splits, with their spread and a 95 %
    interval by bootstrap over themes.

    `ratings` are values and their deviations over raters, each (n, 2), NaN where unknown; a split is its seed and
    the fold of each picture; `telling` is photographs, and what their teller sees of the pictures. None where too few
    pictures have ratings.
    """
    values, deviations = ratings
    used = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(used) < LEAST_PICTURES:
        return None
    own = [themes[int(row)] for row in used]
    found: dict[str, Any] = {"pictures": len(used), "penalties_tried": list(PENALTIES)}
    photographs, teller_sees = telling or (None, None)
    if photographs is not None:
        found["told_with_penalty"] = TOLD_PENALTY
    for column, name in enumerate(NAMES):
        weights = weights_of(deviations[used, column])
        rated = Rated(seen.embeddings[used], values[used, column], weights, own, seen.directions)
        if teller_sees is not None:
            of_teller = replace(
                rated, embeddings=teller_sees.embeddings[used], directions=teller_sees.directions
            )
            rated = replace(rated, of_teller=of_teller)
        runs = [held_out(rated, fold_of[used], start, photographs) for start, fold_of in splits]
        found[name] = _figure([run for run, _ in runs], rated.ratings, own, seed)
        found[name]["penalty_chosen"] = [[way.penalty for way in chosen] for _, chosen in runs]
        if photographs is not None:
            found[name]["told"] = [[way.told for way in chosen] for _, chosen in runs]
    return found


def _figure(runs: Sequence[Floats], truth: Floats, themes: Sequence[str], seed: int) -> dict[str, Any]:
    def mean(rows: Ints) -> float:
        return float(np.mean([correlation(run[rows], truth[rows]) for run in runs]))

    values = [correlation(run, truth) for run in runs]
    interval = bootstrap_interval(mean, themes, np.random.default_rng(seed))
    return {
        "value": round(float(np.mean(values)), DECIMALS),
        "spread": round(float(np.std(values, ddof=1)), DECIMALS) if len(runs) > 1 else None,
        "interval_95": [round(bound, DECIMALS) for bound in interval],
    }


def _choose(learnt: Rated, seed: int, photographs: Photographs | None) -> Way:
    """The penalty with the least weighted squared error on held-out themes, the teller's own where it tells: it does,
    unless its error is the larger by more than chance gives.
    """
    nobody = np.full(len(learnt.ratings), -1, dtype=np.int64)
    folds = min(INNER_FOLDS, len(set(learnt.themes)))
    if folds < 2:  # noqa: PLR2004 - one theme leaves nothing to choose by
        return Way(PENALTIES[-1], told=False)
    fold_of = split_by_theme(nobody, learnt.themes, folds, np.random.default_rng(seed))
    alone = _errors(learnt, fold_of, lambda part, asked: fit_ridge(part, asked.embeddings, PENALTIES))
    best = int(np.argmin(alone.mean(axis=1)))
    if photographs is None:
        return Way(PENALTIES[best], told=False)
    of_teller = _errors(
        learnt.as_teller_sees(), fold_of, lambda part, asked: fit_ridge(part, asked.embeddings, PENALTIES)
    )
    penalty = PENALTIES[int(np.argmin(of_teller.mean(axis=1)))]
    (told,) = _errors(
        learnt, fold_of, lambda part, asked: _told(part, asked.embeddings, photographs, penalty)[np.newaxis]
    )
    if within_chance(told - alone[best], learnt.themes):
        return Way(penalty, told=True)
    return Way(PENALTIES[best], told=False)


def _errors(learnt: Rated, fold_of: Ints, predict: Callable[[Rated, Rated], Floats]) -> Floats:
    """Weighted squared errors of the c predictions that `predict` makes of each fold from the others: (c, n)."""
    places = [np.flatnonzero(fold_of == fold) for fold in np.unique(fold_of)]
    predicted = [
        predict(learnt.part(np.flatnonzero(fold_of != fold_of[here[0]])), learnt.part(here))
        for here in places
    ]  # (c, m) each
    together = np.hstack(predicted)[:, np.argsort(np.concatenate(places))]
    errors: Floats = (together - learnt.ratings) ** 2 * learnt.weights
    return errors
