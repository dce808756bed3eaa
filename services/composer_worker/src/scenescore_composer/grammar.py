"""Which token may come next. A pure state machine: sampling under its mask can't spell an invalid piece.

Legal sequences and pieces on the bins correspond one to one (see `tokens`): bars have a time signature,
positions rise within the bar and lie inside it, pitches rise at a position, a pitch doesn't start while it
still sounds, tempo and velocity are said where they change, and a piece ends when every note has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scenescore_composer.score import MAX_PITCH, METRES, TICKS_PER_QUARTER
from scenescore_composer.tokens import (
    DURATIONS,
    KINDS,
    SIZES,
    STARTS,
    VOCABULARY_SIZE,
    Kind,
    index_of,
)

Mask = npt.NDArray[np.bool_]
"""[VOCABULARY_SIZE], true where a token is legal."""


@dataclass(frozen=True, slots=True)
class State:
    """What the tokens so far say about the next one."""

    last: Kind | None = None
    bars: int = 0
    bar_ticks: int = 0
    position: int = -1
    """Ticks into the bar; -1 before its first position."""
    pitch: int = -1
    """The last pitch at this position; -1 before the first."""
    velocity: int = -1
    tempo: int = -1
    """Bins' indices; -1 until one was said."""
    sounding: tuple[tuple[int, int], ...] = ()
    """Pitches that were started, and until which tick of this bar (perhaps beyond it) they sound."""

    def sounding_now(self) -> list[int]:
        """Pitches that sound at the position."""
        return [pitch for pitch, until in self.sounding if until > self.position]


def legal(state: State) -> Mask:
    """The tokens that may come next; none after EOS."""
    mask = np.zeros(VOCABULARY_SIZE, dtype=np.bool_)
    last = state.last
    if last is None:
        _allow(mask, Kind.BOS)
    elif last is Kind.BOS:
        _allow(mask, Kind.METRE)
    elif last is Kind.PITCH:
        _allow(mask, Kind.DURATION)
    elif last is Kind.METRE and state.tempo < 0:
        _allow(mask, Kind.TEMPO)
    elif last in {Kind.POSITION, Kind.VELOCITY}:
        _allow_note(mask, state)
    elif last is not Kind.EOS:
        _allow_onward(mask, state)
    return mask


def advance(state: State, token: int) -> State:
    """The state after a legal token."""
    kind, index = KINDS[token], index_of(token)
    if kind is Kind.METRE:
        return _in_next_bar(state, *METRES[index])
    if kind is Kind.DURATION:
        return _with_note(state, DURATIONS[index])
    if kind is Kind.POSITION:
        return replace(state, last=kind, position=index, pitch=-1)
    return replace(
        state,
        last=kind,
        tempo=index if kind is Kind.TEMPO else state.tempo,
        velocity=index if kind is Kind.VELOCITY else state.velocity,
        pitch=index if kind is Kind.PITCH else state.pitch,
    )


def _in_next_bar(state: State, numerator: int, denominator: int) -> State:
    ended = state.bar_ticks
    return replace(
        state,
        last=Kind.METRE,
        bars=state.bars + 1,
        bar_ticks=numerator * TICKS_PER_QUARTER * 4 // denominator,
        position=-1,
        pitch=-1,
        sounding=tuple((pitch, until - ended) for pitch, until in state.sounding if until > ended),
    )


def _with_note(state: State, duration: int) -> State:
    others = tuple((pitch, until) for pitch, until in state.sounding if pitch != state.pitch)
    started = (state.pitch, state.position + duration)
    return replace(state, last=Kind.DURATION, sounding=(*others, started))


def is_legal(tokens: Sequence[int]) -> bool:
    """Whether the tokens spell a whole piece, from BOS to EOS."""
    state = State()
    for token in tokens:
        if not 0 <= token < VOCABULARY_SIZE or not legal(state)[token]:
            return False
        state = advance(state, token)
    return state.last is Kind.EOS


def _allow(mask: Mask, kind: Kind, first: int = 0, end: int | None = None) -> None:
    start = STARTS[kind]
    mask[start + first : start + (SIZES[kind] if end is None else end)] = True


def _allow_note(mask: Mask, state: State) -> None:
    """A pitch above the last one that doesn't sound; before it, another velocity (the first must be said)."""
    pitches = np.ones(MAX_PITCH + 1, dtype=np.bool_)
    pitches[: state.pitch + 1] = False
    pitches[state.sounding_now()] = False
    if state.velocity >= 0:
        mask[STARTS[Kind.PITCH] : STARTS[Kind.PITCH] + MAX_PITCH + 1] = pitches
    if state.last is not Kind.VELOCITY and pitches.any():
        _allow(mask, Kind.VELOCITY)
        if state.velocity >= 0:
            mask[STARTS[Kind.VELOCITY] + state.velocity] = False


def _allow_onward(mask: Mask, state: State) -> None:
    """After a whole note, or at a bar's beginning: another note, position, bar, tempo, or the end."""
    if state.last is Kind.DURATION:
        _allow_note(mask, state)
    if state.last is Kind.METRE:
        _allow(mask, Kind.TEMPO)
        mask[STARTS[Kind.TEMPO] + state.tempo] = False
    if len(state.sounding) <= MAX_PITCH:  # else perhaps no pitch is left to start
        _allow(mask, Kind.POSITION, state.position + 1, state.bar_ticks)
    _allow(mask, Kind.METRE)
    if all(until <= state.bar_ticks for _, until in state.sounding):
        _allow(mask, Kind.EOS)
