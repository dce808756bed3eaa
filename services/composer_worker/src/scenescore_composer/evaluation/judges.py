"""Judges of how music feels, fitted to people's labels: two that share neither their features nor their method.

`LINEAR` weighs some twenty summary numbers in a multinomial logistic regression. `FOREST` asks extremely randomised
trees (P. Geurts, D. Ernst and L. Wehenkel, 2006) about histograms of pitch, loudness, times and intervals. Both weigh
emotions equally, however many clips each has, and are deterministic for a seed. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scenescore_composer.evaluation.histograms import histograms
from scenescore_composer.evaluation.summaries import summary
from scenescore_composer.recordings.recording import Floats, Recording

FOLDS = 5
_TREES = 400
_LEAST_LEAF = 2
_INVERSE_PENALTY = 0.1
_PITCH_EDGES = np.arange(36, 97, 12)
_VELOCITY_EDGES = np.arange(32, 113, 16)


@dataclass(frozen=True, slots=True)
class LabelledRecording:
    music: Recording
    emotion: str
    song: str
    """Clips of one song are never on both sides of a split."""


@dataclass(frozen=True, slots=True)
class JudgeKind:
    """A way of judging: what it looks at, and what it learns with."""

    name: str
    features: Callable[[Recording], Floats]
    """A recording → [features]."""
    classifier: Callable[[int], Any]
    """A seed → an untrained scikit-learn classifier."""


class Judge:
    """A judge fitted to labelled clips."""

    def __init__(
        self, kind: JudgeKind, clips: Sequence[LabelledRecording], emotions: Sequence[str], seed: int
    ) -> None:
        """Every clip's emotion is one of `emotions`, and each of those has a clip."""
        self._features = kind.features
        self._classifier = kind.classifier(seed)
        labels = [emotions.index(clip.emotion) for clip in clips]
        self._classifier.fit(_table(kind, [clip.music for clip in clips]), labels)

    def probabilities(self, music: Sequence[Recording]) -> Floats:
        """[recordings, emotions], rows adding up to 1."""
        found: Floats = self._classifier.predict_proba(np.stack([self._features(each) for each in music]))
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often a judge hears the emotion that was meant."""

    confusion: tuple[tuple[int, ...], ...]
    """Pieces meant as (row) and heard as (column), emotions in order."""

    @property
    def balanced_accuracy(self) -> float:
        """Mean over the emotions meant of the share heard as such; emotions without a piece don't count."""
        rows = [(row[place], sum(row)) for place, row in enumerate(self.confusion)]
        shares = [right / total for right, total in rows if total]
        return sum(shares) / len(shares)


def verdict(probabilities: Floats, meant: Sequence[int]) -> Verdict:
    """Of probabilities [pieces, emotions] and the emotions meant, by place. At least one piece."""
    emotions = probabilities.shape[1]
    confusion = np.zeros((emotions, emotions), dtype=int)
    np.add.at(confusion, (np.array(meant), probabilities.argmax(axis=1)), 1)
    return Verdict(tuple(tuple(int(count) for count in row) for row in confusion))


def cross_validated(
    kind: JudgeKind,
    clips: Sequence[LabelledRecording],
    emotions: Sequence[str],
    seed: int,
    *,
    rewritten: Mapping[str, Sequence[Recording]] | None = None,
) -> dict[str, Floats]:
    """What judges say of clips whose songs they have not heard: probabilities [clips, emotions].

    Under "" for the clips as they are, and under its name for each way in which they were `rewritten` (as many
    recordings, in the same order): the judge learns from clips as they are in any case.
    """
    versions = {"": [clip.music for clip in clips], **(rewritten or {})}
    tables = {name: _table(kind, music) for name, music in versions.items()}
    labels = np.array([emotions.index(clip.emotion) for clip in clips])
    found = {name: np.zeros((len(clips), len(emotions))) for name in versions}
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for training, held_out in folds.split(tables[""], labels, [clip.song for clip in clips]):
        classifier = kind.classifier(seed).fit(tables[""][training], labels[training])
        for name, table in tables.items():
            found[name][held_out] = classifier.predict_proba(table[held_out])
    return found


def _table(kind: JudgeKind, music: Sequence[Recording]) -> Floats:
    """[recordings, features]"""
    return np.stack([kind.features(each) for each in music])


def _summary_row(music: Recording) -> Floats:
    return np.array(list(summary(music).values()))


def _histogram_row(music: Recording) -> Floats:
    """Histograms of the notes' shapes, and of how many notes a second fall in each range of pitch and loudness."""
    ranges = np.zeros((len(_PITCH_EDGES) + 1, len(_VELOCITY_EDGES) + 1))
    pitches = np.searchsorted(_PITCH_EDGES, music.pitches, side="right")
    velocities = np.searchsorted(_VELOCITY_EDGES, music.velocities, side="right")
    np.add.at(ranges, (pitches, velocities), 1 / music.seconds)
    return np.concatenate(
        [*histograms(music).values(), ranges.ravel(), ranges.sum(axis=0), ranges.sum(axis=1)]
    )


LINEAR = JudgeKind(
    "linear",
    _summary_row,
    lambda _: make_pipeline(
        StandardScaler(), LogisticRegression(C=_INVERSE_PENALTY, class_weight="balanced", max_iter=2000)
    ),
)
FOREST = JudgeKind(
    "forest",
    _histogram_row,
    lambda seed: ExtraTreesClassifier(
        _TREES, class_weight="balanced", min_samples_leaf=_LEAST_LEAF, random_state=seed
    ),
)
JUDGES: tuple[JudgeKind, ...] = (LINEAR, FOREST)
