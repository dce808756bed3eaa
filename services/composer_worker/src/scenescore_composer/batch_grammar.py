"""The state machine of `grammar` for many sequences at once, in arrays: what sampling asks at every step.

`tests/unit/composer/test_batch_grammar.py` holds the two against each other.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from scenescore_composer.score import MAX_PITCH, METRES, TICKS_PER_QUARTER
from scenescore_composer.tokens import DURATIONS, KINDS, SIZES, STARTS, VOCABULARY_SIZE, Kind

Masks = npt.NDArray[np.bool_]
"""[sequences, VOCABULARY_SIZE], true where a token is legal."""
Integers = npt.NDArray[np.int64]

CODES = {kind: code for code, kind in enumerate(Kind)}
"""Kinds as numbers that arrays hold."""
_NONE = -1
KIND_CODE: Integers = np.array([CODES[kind] for kind in KINDS])
INDEX: Integers = np.array([token - STARTS[kind] for token, kind in enumerate(KINDS)])
_DURATION_TICKS: Integers = np.array(DURATIONS)
_BAR_TICKS: Integers = np.array([n * TICKS_PER_QUARTER * 4 // d for n, d in METRES])
_PITCHES: Integers = np.arange(MAX_PITCH + 1)
_POSITIONS: Integers = np.arange(SIZES[Kind.POSITION])


@cache
def _among(kinds: tuple[Kind, ...]) -> Masks:
    """[kinds + 1], whether the kind of a code is one of these; of the code of no kind, -1, it is false."""
    table = np.zeros(len(Kind) + 1, dtype=np.bool_)
    table[[CODES[kind] for kind in kinds]] = True
    return table


def span(kind: Kind) -> slice:
    """Where the tokens of a kind lie."""
    return slice(STARTS[kind], STARTS[kind] + SIZES[kind])


class BatchState:
    """What the tokens so far say about the next one, for each of `sequences` sequences: see `grammar.State`."""

    def __init__(self, sequences: int) -> None:
        self.last: Integers = np.full(sequences, _NONE)
        """Code of the last token's kind."""
        self.bars: Integers = np.zeros(sequences, dtype=np.int64)
        self.bar_ticks: Integers = np.zeros(sequences, dtype=np.int64)
        self.position: Integers = np.full(sequences, _NONE)
        self.pitch: Integers = np.full(sequences, _NONE)
        self.velocity: Integers = np.full(sequences, _NONE)
        self.tempo: Integers = np.full(sequences, _NONE)
        self.until: Integers = np.full((sequences, MAX_PITCH + 1), _NONE)
        """[sequences, pitches], the tick of this bar until which a started pitch sounds; -1 for the others."""

    def is_last(self, *kinds: Kind) -> Masks:
        """[sequences], whether the last token is of one of these kinds."""
        return _among(kinds)[self.last]

    def sounding(self) -> Masks:
        """[sequences, pitches], what sounds at the position."""
        result: Masks = self.until > self.position[:, None]
        return result

    def advance(self, tokens: Sequence[int] | Integers) -> None:
        """Each sequence by one legal token."""
        taken = np.asarray(tokens)
        kinds, index = KIND_CODE[taken], INDEX[taken]
        self.last = kinds
        self._tell(kinds, Kind.POSITION, self.position, index)
        self.pitch[kinds == CODES[Kind.POSITION]] = _NONE
        self._tell(kinds, Kind.TEMPO, self.tempo, index)
        self._tell(kinds, Kind.VELOCITY, self.velocity, index)
        self._tell(kinds, Kind.PITCH, self.pitch, index)
        ended = np.flatnonzero(kinds == CODES[Kind.DURATION])
        self.until[ended, self.pitch[ended]] = self.position[ended] + _DURATION_TICKS[index[ended]]
        self._turn(np.flatnonzero(kinds == CODES[Kind.METRE]), index)

    def legal(self) -> Masks:
        """The tokens that may come next; none after EOS."""
        masks = np.zeros((len(self.last), VOCABULARY_SIZE), dtype=np.bool_)
        masks[self.last == _NONE, span(Kind.BOS)] = True
        masks[self.is_last(Kind.BOS), span(Kind.METRE)] = True
        masks[self.is_last(Kind.PITCH), span(Kind.DURATION)] = True
        opening = self.is_last(Kind.METRE) & (self.tempo < 0)
        masks[opening, span(Kind.TEMPO)] = True
        self._allow_notes(masks, self.is_last(Kind.POSITION, Kind.VELOCITY, Kind.DURATION))
        self._allow_onward(masks, self.is_last(Kind.METRE, Kind.TEMPO, Kind.DURATION) & ~opening)
        return masks

    def _tell(self, kinds: Integers, kind: Kind, values: Integers, index: Integers) -> None:
        np.copyto(values, index, where=kinds == CODES[kind])

    def _turn(self, rows: Integers, index: Integers) -> None:
        """Into the next bar."""
        if not len(rows):
            return
        held = self.until[rows] - self.bar_ticks[rows, None]
        self.until[rows] = np.where(held > 0, held, _NONE)
        self.bars[rows] += 1
        self.bar_ticks[rows] = _BAR_TICKS[index[rows]]
        self.position[rows] = self.pitch[rows] = _NONE

    def _allow_notes(self, masks: Masks, rows: Masks) -> None:
        """A pitch above the last one that doesn't sound; before it, another velocity (the first must be said)."""
        pitches = ~self.sounding() & (self.pitch[:, None] < _PITCHES) & rows[:, None]
        masks[:, span(Kind.PITCH)] |= pitches & (self.velocity >= 0)[:, None]
        louder = pitches.any(axis=1) & ~self.is_last(Kind.VELOCITY)
        masks[louder, span(Kind.VELOCITY)] = True
        said = np.flatnonzero(louder & (self.velocity >= 0))
        masks[said, STARTS[Kind.VELOCITY] + self.velocity[said]] = False

    def _allow_onward(self, masks: Masks, rows: Masks) -> None:
        """After a whole note, or at a bar's beginning: another position, bar, tempo, or the end."""
        within = (
            (self.position[:, None] < _POSITIONS) & (self.bar_ticks[:, None] > _POSITIONS) & rows[:, None]
        )
        within &= ((self.until >= 0).sum(axis=1) <= MAX_PITCH)[
            :, None
        ]  # else perhaps no pitch is left to start
        masks[:, span(Kind.POSITION)] |= within
        masks[rows, span(Kind.METRE)] = True
        slower = np.flatnonzero(rows & self.is_last(Kind.METRE))
        masks[slower, span(Kind.TEMPO)] = True
        masks[slower, STARTS[Kind.TEMPO] + self.tempo[slower]] = False
        masks[rows & (self.until.max(axis=1) <= self.bar_ticks), span(Kind.EOS)] = True
