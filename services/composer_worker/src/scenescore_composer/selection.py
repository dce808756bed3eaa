"""Choosing among sampled candidates: by fit to the emotions, by musicality, and by novelty. Pure.

Every threshold is set by hand from what the measures mean; none is fitted to labelled clips.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from scenescore_composer import keys
from scenescore_composer.corpus.features import Features, evenness, measure
from scenescore_composer.keys import Key
from scenescore_composer.novelty import HeardBefore
from scenescore_composer.planning import Plan
from scenescore_composer.score import TICKS_PER_QUARTER, Piece

LONGEST_SHARED_RUN = 16
"""Notes in a row that a piece may share with a clip of its draw, in any key: two bars of quavers."""

MAX_SAME_PITCH = 0.4
MAX_REPEATED_BARS = 0.75
"""The form brings back up to three bars of four."""
MAX_SILENCE = 0.2
MIN_PITCHES = 5

_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
_MODE_STEP = 0.1
_DENSITY_STEP, _TEXTURE_STEP = math.log(1.25), math.log(1.3)
_REGISTER_STEP = 4.0
_SECONDS = (1, 2)
"""In semitones: minor and major."""
_FIT_WEIGHT = 0.25
"""The model was told the character already: music that flows counts for more than the last step towards it."""
_FLAWS = {"collapsed": 100.0, "copied": 50.0}


@dataclass(frozen=True, slots=True)
class Collapse:
    """How far a piece has fallen into the ways in which sampled music fails: shares of 0-1."""

    same_pitch: float
    """Notes on the commonest pitch."""
    repeated_bars: float
    """Bars that say just what an earlier bar said."""
    silence: float
    """Time at which nothing sounds."""
    pitches: int
    """Different pitches."""

    @property
    def is_collapsed(self) -> bool:
        return (
            self.same_pitch > MAX_SAME_PITCH
            or self.repeated_bars > MAX_REPEATED_BARS
            or self.silence > MAX_SILENCE
            or self.pitches < MIN_PITCHES
        )


def collapse(piece: Piece, features: Features) -> Collapse:
    """Measures of a piece with at least one bar, and with these features."""
    pitches = Counter(note.pitch for note in piece.notes)
    bars = Counter(piece.part(i, i + 1).notes for i in range(len(piece.bars)))
    return Collapse(
        same_pitch=max(pitches.values(), default=0) / max(1, len(piece.notes)),
        repeated_bars=1 - len(bars) / len(piece.bars),
        silence=features.silence,
        pitches=len(pitches),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one candidate; the lower the cost, the better."""

    fit: float
    """Steps, each one that listeners notice, from the character asked for."""
    musicality: float
    """Steps from clear, metrical, shapely music."""
    shared_run: int
    """Notes, see `novelty`."""
    collapsed: bool

    @property
    def cost(self) -> float:
        flaws = _FLAWS["collapsed"] * self.collapsed + _FLAWS["copied"] * (
            self.shared_run > LONGEST_SHARED_RUN
        )
        return _FIT_WEIGHT * self.fit + self.musicality + flaws


def best(candidates: Sequence[Piece], plan: Plan, heard: HeardBefore) -> int:
    """The place of the candidate of the lowest cost; of equals, the first. The candidates are in their normal key."""
    costs = [judge(piece, plan, heard).cost for piece in candidates]
    return min(range(len(costs)), key=costs.__getitem__)


def judge(piece: Piece, plan: Plan, heard: HeardBefore) -> Verdict:
    """A candidate of `plan`, in C major or A minor."""
    if not piece.notes:
        return Verdict(math.inf, math.inf, 0, collapsed=True)
    features = measure(piece)
    fallen = collapse(piece, features)
    normal = plan.key.moved(plan.key.to_normal)
    return Verdict(
        fit=_fit(features, plan),
        musicality=_musicality(piece, features, fallen.repeated_bars, normal, plan),
        shared_run=heard.likeness(piece).notes,
        collapsed=fallen.is_collapsed,
    )


def _fit(features: Features, plan: Plan) -> float:
    condition = plan.condition
    onsets = condition.onsets_per_quarter * plan.frame.bar.bpm / 60
    texture = features.notes_per_second / max(features.onsets_per_second, 1e-6)
    wanted_mode = 1 if condition.major else -1
    return (
        abs(math.log(max(features.onsets_per_second, 0.05) / onsets)) / _DENSITY_STEP
        + abs(features.pitch - condition.pitch) / _REGISTER_STEP
        + abs(math.log(max(texture, 1.0) / condition.texture)) / _TEXTURE_STEP
        + max(0.0, 1.5 * _MODE_STEP - wanted_mode * features.major) / _MODE_STEP
    )


def _musicality(piece: Piece, features: Features, repeated: float, key: Key, plan: Plan) -> float:
    """What is missing of the planned rhythm and tonality, a metre, some repetition, a range, a chord to end on."""
    return (
        24 * abs(in_scale(piece, key) - plan.in_scale)
        + 24 * abs(evenness(piece) - plan.evenness)
        + 20 * max(0.0, 0.25 - stepwise(piece))
        + 3 * max(0.0, 0.65 - keys.estimate(piece.notes).fit)
        + 4 * max(0.0, 0.45 - on_beat(piece))
        + 10 * max(0.0, harshness(piece) - 0.02)
        + 2 * max(0.0, repeated - 0.6)
        + 0.1 * max(0.0, 19 - features.pitch_range)
        + 4 * max(0.0, features.silence - 0.05)
        + cadence(piece, key)
    )


def in_scale(piece: Piece, key: Key) -> float:
    """Share of the sounding time on degrees of the key's scale; of minor, the natural and the harmonic one."""
    degrees = {(key.tonic + step) % 12 for step in _SCALES[key.mode]}
    held = sum(note.duration for note in piece.notes)
    return sum(note.duration for note in piece.notes if note.pitch % 12 in degrees) / held


def on_beat(piece: Piece) -> float:
    """Share of the beats (quarters; in compound metres dotted ones) on which a note starts."""
    bar = piece.bars[0]
    compound = bar.denominator == 8 and bar.numerator % 3 == 0  # noqa: PLR2004 - quavers in threes
    beat = TICKS_PER_QUARTER * 3 // 2 if compound else TICKS_PER_QUARTER
    beats = np.arange(0, piece.ticks, beat)
    return float(np.isin(beats, [note.onset for note in piece.notes]).mean())


def stepwise(piece: Piece) -> float:
    """Share of the steps between the highest notes of neighbouring onsets that are seconds: what makes notes a
    melody (D. Huron, "Sweet Anticipation", 2006, chapter 5).
    """
    highest = {note.onset: note.pitch for note in sorted(piece.notes, key=lambda note: note.pitch)}
    line = [pitch for _, pitch in sorted(highest.items())]
    steps = np.abs(np.diff(line))
    return float(np.isin(steps, _SECONDS).mean()) if len(steps) else 0.0


def harshness(piece: Piece) -> float:
    """Share of the pairs of notes struck together that lie a minor second or a major seventh apart, in any octave: the
    sharpest of the dissonances (P. Hindemith, "The Craft of Musical Composition", 1937). CC0 songs have about 0.02.
    """
    struck: defaultdict[int, list[int]] = defaultdict(list)
    for note in piece.notes:
        struck[note.onset].append(note.pitch)
    pairs = [(one - other) % 12 for chord in struck.values() for one, other in combinations(chord, 2)]
    return sum(pair in {1, 11} for pair in pairs) / max(1, len(pairs))


def cadence(piece: Piece, key: Key) -> float:
    """0 where the last bass note is the dominant's or the leading note's, which the last chord resolves; else 1."""
    last_onset = max(note.onset for note in piece.notes)
    beat_before = [note for note in piece.notes if note.end > last_onset]
    bass = min(beat_before, key=lambda note: note.pitch)
    return float((bass.pitch - key.tonic) % 12 not in {7, 11, 2})
