"""The form of a piece: phrases, which of them come back, and which of their bars are new. Pure.

A phrase of four bars opens, comes back with another ending, and frames or answers contrasting ones: the period, the
sentence, the small binary, ternary and rondo forms of classical teaching (W. Caplin, "Classical Form", 1998).
"""

import random
from collections.abc import Sequence

from scenescore_composer.performance.shaping import PHRASE_BARS

_SHORT: dict[int, tuple[str, ...]] = {1: ("a",), 2: ("aa",), 3: ("aba", "aab")}
_OPENINGS = ("aaba", "abac", "abca", "aabc")
_MIDDLE = "dede"
"""Between the first four phrases and their return, in longer music."""
_NEW_ENDINGS = ((1,), (2,), (3,), (1, 2, 2))
"""Bars at the end of a phrase that comes back that are new: how many, and how often so many. A piece keeps to one of
these: songs differ in how much of them comes back.
"""
_STEADINESS = (0.5, 1.0)
"""Of the beta distribution of shares: what is steady by itself comes on top."""
_FIGURED = (0.0, 0.8)
"""Range of shares of a piece's bars that keep to the figure of the bar before, where they are steady."""
_IDEA_BARS = 2
"""Bars of a sentence's basic idea, which is said again at once."""


def recalled_bars(bars: int, seed: int) -> list[int | None]:
    """For each of `bars` bars the earlier one that it repeats, or None where it is new. `seed` chooses the form.

    The piece has a bar more, which holds the last chord. So phrases have `PHRASE_BARS` bars, the last one three where
    the chord makes it whole, else what remains beside. What closes the piece is new: two bars, or the one before a
    chord that belongs to a phrase. Music too short for two phrases is a sentence: its idea of two bars is said again
    with another end, then goes on.
    """
    chance = random.Random(f"{seed}/form")
    recalled: list[int | None] = [None] * bars
    phrases = (bars + 1) // PHRASE_BARS
    if phrases < len("aa") and bars > 2 * _IDEA_BARS:
        recalled[_IDEA_BARS] = 0
        return recalled
    sentences, new_endings = chance.random(), chance.choice(_NEW_ENDINGS)
    first: dict[str, int] = {}
    for number, letter in enumerate(_letters(phrases, chance)):
        start = number * PHRASE_BARS
        if letter not in first:
            first[letter] = start
            if chance.random() < sentences:
                recalled[start + _IDEA_BARS] = start
            continue
        for offset in range(PHRASE_BARS - chance.choice(new_endings)):
            source = first[letter] + offset
            again = recalled[source]
            recalled[start + offset] = source if again is None else again
    closing = min(bars, 1 if (bars + 1) % PHRASE_BARS == 0 else 2)
    recalled[bars - closing :] = [None] * closing
    return recalled


def steady_bars(bars: int, seed: int) -> list[bool]:
    """For each of `bars` bars whether its notes start where those of the bar before do: how often, the seed says.

    In the songs of OpenScore Lieder 0.39 of the bars of a song do, with a standard deviation of 0.29 from song to song.
    What closes the piece is free.
    """
    chance = random.Random(f"{seed}/rhythm")
    share = chance.betavariate(*_STEADINESS)
    return [0 < bar < bars - 1 and chance.random() < share for bar in range(bars)]


def figured_bars(bars: int, seed: int) -> list[bool]:
    """For each of `bars` bars whether, where it is steady, its strikes have as many notes, and as long ones, as those
    of the bar before: see `figures`. How often, the seed says.
    """
    chance = random.Random(f"{seed}/figures")
    share = chance.uniform(*_FIGURED)
    return [chance.random() < share for _ in range(bars)]


def _letters(phrases: int, chance: random.Random) -> Sequence[str]:
    if phrases < len(_OPENINGS[0]):
        return chance.choice(_SHORT[phrases]) if phrases else ""
    opening = chance.choice(_OPENINGS)
    groups = [opening if number % 2 == 0 else _MIDDLE for number in range(-(-phrases // 4))]
    return "".join(groups)[:phrases]
