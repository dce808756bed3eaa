"""Figures: a bar that goes on as the one before, strike by strike, with other pitches.

Accompaniments are made of them (A. Schoenberg, "Fundamentals of Musical Composition", 1967, chapter 9). In the starter
corpus, where a bar's notes start at the same places as those of the bar before, 0.64 of its strikes have as many notes
as there, and in 0.56 the notes are as long; a model that draws every token by itself reached 0.39 and 0.28.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scenescore_composer.batch_grammar import CODES, INDEX, KIND_CODE, BatchState, Masks, span
from scenescore_composer.grammar import Mask
from scenescore_composer.tokens import SIZES, STARTS, Kind

_POSITION, _DURATION = CODES[Kind.POSITION], CODES[Kind.DURATION]
_MOST_NOTES = 8
"""Of a strike; a figure leaves those above them out."""


class Figures:
    """What each of many candidates follows: how many notes each strike has, and how long they sound."""

    def __init__(self, candidates: int) -> None:
        positions = SIZES[Kind.POSITION]
        self._is_followed: Masks = np.zeros(candidates, dtype=np.bool_)
        self._notes = np.zeros((candidates, positions), dtype=np.int64)
        self._durations = np.zeros((candidates, positions, _MOST_NOTES), dtype=np.int64)
        """Indices of DURATION, of the notes from the lowest up."""
        self._struck = np.zeros(candidates, dtype=np.int64)
        """Notes of the present strike so far."""
        self._rows = np.arange(candidates)

    def begin(self, row: int, tokens: Sequence[int], *, is_followed: bool) -> Mask:
        """The bar of these tokens becomes a candidate's figure, to be followed from now on or not.

        Returns [positions], at which of them its notes start.
        """
        self._is_followed[row] = is_followed
        self._notes[row] = 0
        position = 0
        for taken in tokens:
            if KIND_CODE[taken] == _POSITION:
                position = int(INDEX[taken])
            elif KIND_CODE[taken] == _DURATION and self._notes[row, position] < _MOST_NOTES:
                self._durations[row, position, self._notes[row, position]] = INDEX[taken]
                self._notes[row, position] += 1
        starts: Mask = self._notes[row] > 0
        return starts

    def leave(self, row: int) -> None:
        """The candidate follows no figure until the next one begins."""
        self._is_followed[row] = False

    def follow(self, taken: npt.NDArray[np.int64]) -> None:
        """Each candidate by one token."""
        kinds = KIND_CODE[taken]
        self._struck[kinds == _POSITION] = 0
        self._struck[kinds == _DURATION] += 1

    def keep(self, kept: Masks, state: BatchState) -> None:
        """Of the tokens in `kept` [candidates, vocabulary] leave those that go on with the figures.

        A strike for which too few voices are free, or pitches left, stays smaller.
        """
        if not self._is_followed.any():
            return
        position = np.maximum(state.position, 0)
        is_short = self._is_followed & (self._struck < self._notes[self._rows, position])
        within = is_short & state.is_last(Kind.POSITION, Kind.VELOCITY, Kind.DURATION)
        within &= kept[:, span(Kind.PITCH)].any(axis=1)
        kept[within, span(Kind.POSITION)] = kept[within, span(Kind.METRE)] = False
        is_full = self._is_followed & ~is_short & state.is_last(Kind.DURATION)
        kept[is_full, span(Kind.PITCH)] = kept[is_full, span(Kind.VELOCITY)] = False
        told = np.flatnonzero(is_short & state.is_last(Kind.PITCH))
        kept[told, span(Kind.DURATION)] = False
        kept[told, STARTS[Kind.DURATION] + self._durations[told, position[told], self._struck[told]]] = True
