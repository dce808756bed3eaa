"""The figures of one set of pieces, as JSON values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from scenescore_composer.evaluation import collapse
from scenescore_composer.evaluation.distance import LEAST_PIECES, Yardstick, feature_table
from scenescore_composer.evaluation.generated import GeneratedPiece, GeneratedSet
from scenescore_composer.evaluation.judges import Judge, verdict
from scenescore_composer.evaluation.measures import muspy_measures
from scenescore_composer.evaluation.overlap import overlapping_areas
from scenescore_composer.evaluation.real import NearSet
from scenescore_composer.novelty import HeardBefore
from scenescore_composer.recordings.recording import Floats, Recording

DECIMALS = 4
_LEAST_FOR_DENSITIES = 3


def verdicts(probabilities: Mapping[str, Floats], meant: Sequence[int]) -> dict[str, Any]:
    """Each judge's balanced accuracy and confusion, and the mean accuracy over the judges."""
    found = {name: verdict(table, meant) for name, table in probabilities.items()}
    return {
        "judges": {
            name: {"balanced_accuracy": round(each.balanced_accuracy, DECIMALS), **asdict(each)}
            for name, each in found.items()
        },
        "mean": round(float(np.mean([each.balanced_accuracy for each in found.values()])), DECIMALS),
    }


def likeness(music: Sequence[Recording], near: Sequence[NearSet], stick: Yardstick | None) -> dict[str, Any]:
    """Distances to the reference sets, overlapping areas with each near set, MusPy's measures, and collapses."""
    measured = stick is not None and len(music) >= LEAST_PIECES
    return {
        "pieces": len(music),
        "distance": _rounded(stick.ratios(feature_table(music))) if stick is not None and measured else None,
        "overlap": {
            each.name: _rounded(overlapping_areas(music, each.music))
            for each in near
            if min(len(music), len(each.music)) >= _LEAST_FOR_DENSITIES
        },
        "muspy": muspy_table(music),
        "collapsed": collapse.counted(music),
    }


def muspy_table(music: Sequence[Recording]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of each measure, over the pieces that have it."""
    rows = [muspy_measures(each.piece) for each in music]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    found = {name: [value for value in column if value is not None] for name, column in columns.items()}
    return {
        name: _rounded({"mean": float(np.mean(values)), "deviation": float(np.std(values))})
        for name, values in found.items()
        if values
    }


def novelty(generated: GeneratedSet) -> dict[str, Any] | None:
    """The longest runs of notes that pieces share with their drawn clips; None where no piece's clips are known."""
    runs = {}
    heard: dict[tuple[str, ...], HeardBefore] = {}
    for piece in generated.everything:
        clips = tuple(clip for clip in piece.drawn or () if clip in generated.clips)
        if not clips:
            continue
        if clips not in heard:
            heard[clips] = HeardBefore(generated.clips[clip].piece for clip in clips)
        runs[piece.name] = heard[clips].likeness(piece.music.piece).notes
    if not runs:
        return None
    longest = max(runs, key=lambda name: runs[name])
    return {
        "pieces": len(runs),
        "unknown": len(generated.everything) - len(runs),
        "longest": runs[longest],
        "longest_in": longest,
        "median": float(np.median(list(runs.values()))),
        "runs": sorted(runs.values()),
    }


def monotonicity(
    generated: GeneratedSet, judges: Mapping[str, Judge], emotions: Sequence[str]
) -> list[dict[str, Any]]:
    """For each pair of emotions that was mixed, each step's judged probability of the first, mean over pieces."""
    return [
        _steps(pair, generated, judges, emotions)
        for pair in pairs_mixed(generated)
        if set(pair) <= set(emotions)
    ]


def pairs_mixed(generated: GeneratedSet) -> dict[tuple[str, str], int]:
    """Pairs of emotions that were mixed, and in how many steps, the emotions alone included."""
    pairs = sorted({(mixture.first, mixture.second) for mixture in generated.mixtures})
    return {pair: sum(1 for pieces in _groups(pair, generated).values() if pieces) for pair in pairs}


def _groups(pair: tuple[str, str], generated: GeneratedSet) -> dict[float, Sequence[GeneratedPiece]]:
    """Share of the first emotion → pieces."""
    return {
        0.0: generated.pieces.get(pair[1], ()),
        1.0: generated.pieces.get(pair[0], ()),
        **{
            mixture.share: pieces
            for mixture, pieces in sorted(generated.mixtures.items(), key=lambda item: item[0].share)
            if (mixture.first, mixture.second) == pair
        },
    }


def _steps(
    pair: tuple[str, str], generated: GeneratedSet, judges: Mapping[str, Judge], emotions: Sequence[str]
) -> dict[str, Any]:
    steps = []
    means = []
    for share, pieces in sorted(_groups(pair, generated).items()):
        if not pieces:
            continue
        music = [piece.music for piece in pieces]
        judged = {
            name: float(judge.probabilities(music)[:, emotions.index(pair[0])].mean())
            for name, judge in judges.items()
        }
        means.append(sum(judged.values()) / len(judged))
        steps.append(
            {
                "share": share,
                "pieces": len(pieces),
                "judged": _rounded(judged),
                "mean": round(means[-1], DECIMALS),
            }
        )
    rises = all(one < other for one, other in pairwise(means))
    return {"first": pair[0], "second": pair[1], "steps": steps, "rises": rises}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, DECIMALS) for name, value in values.items()}
