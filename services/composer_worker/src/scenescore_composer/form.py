"""The form of a piece: phrases, which of them come back, and which of their bars are new. Pure.

A phrase of four bars opens, comes back with another ending, and answers a contrasting one: the sentence and the small
ternary form of classical teaching (W. Caplin, "Classical Form", 1998).
"""

from collections.abc import Sequence

from scenescore_composer.performance.shaping import PHRASE_BARS

_SHORT: dict[int, str] = {1: "a", 2: "aa", 3: "aba", 4: "aaba"}
_GROUP = ("aaba", "ccdc", "aaba")
_NEW_ENDING = 1
"""Bars at the end of a phrase that comes back that are new."""


def recalled_bars(bars: int) -> list[int | None]:
    """For each of `bars` bars the earlier one that it repeats, or None where it is new.

    Phrases have `PHRASE_BARS` bars, the last one what remains beside; its last two bars are always new, as they
    close the piece.
    """
    recalled: list[int | None] = [None] * bars
    first: dict[str, int] = {}
    for number, letter in enumerate(_letters(bars // PHRASE_BARS)):
        start = number * PHRASE_BARS
        if letter not in first:
            first[letter] = start
            continue
        for offset in range(PHRASE_BARS - _NEW_ENDING):
            recalled[start + offset] = first[letter] + offset
    for bar in range(max(0, bars - 2), bars):
        recalled[bar] = None
    return recalled


def _letters(phrases: int) -> Sequence[str]:
    if phrases in _SHORT:
        return _SHORT[phrases]
    letters = [letter for number in range(-(-phrases // 4)) for letter in _GROUP[number % len(_GROUP)]]
    return letters[:phrases]
