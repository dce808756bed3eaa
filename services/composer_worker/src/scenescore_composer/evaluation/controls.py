"""Random notes under a crude rule of tempo, mode and loudness: what a judge can be told with no music at all. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from scenescore_composer.score import TICKS_PER_QUARTER, Bar, Note, Piece, tidy

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True, slots=True)
class Rule:
    scale: tuple[int, ...]
    bpm: int
    notes_a_beat: int
    lowest: int
    highest: int
    velocity: int
    """The mean; each note's lies within 10 of it."""


RULES: Mapping[str, Rule] = {
    "happy": Rule(_MAJOR, 120, 3, 54, 88, 72),
    "angry": Rule(_MINOR, 150, 4, 30, 66, 100),
    "sad": Rule(_MINOR, 66, 3, 42, 76, 50),
    "calm": Rule(_MAJOR, 66, 3, 46, 80, 50),
}


def random_notes(emotion: str, seed: int, *, seconds: float = 30.0) -> Piece:
    """Notes drawn from the rule's scale in a random key, at random semiquavers, for about `seconds`."""
    rule = RULES[emotion]
    rng = random.Random(f"{emotion}/{seed}")
    bar = Bar(4, 4, rule.bpm)
    bars = max(1, round(seconds / bar.seconds))
    tonic = rng.randrange(12)
    pitches = [p for p in range(rule.lowest, rule.highest + 1) if (p - tonic) % 12 in rule.scale]
    semiquaver = TICKS_PER_QUARTER // 4
    notes = [
        Note(
            onset=semiquaver * rng.randrange(bars * bar.ticks // semiquaver),
            pitch=rng.choice(pitches),
            duration=semiquaver * rng.randint(1, 8),
            velocity=rule.velocity + rng.randint(-10, 10),
        )
        for _ in range(bars * bar.numerator * rule.notes_a_beat)
    ]
    return Piece((bar,) * bars, tidy(notes, bars * bar.ticks))
