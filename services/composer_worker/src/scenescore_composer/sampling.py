"""Sampling token sequences from the model under the grammar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scenescore_composer.grammar import Mask, State, advance, legal
from scenescore_composer.model import Memory, TokenLstm
from scenescore_composer.tokens import EOS, KINDS, SIZES, STARTS, VOCABULARY_SIZE, Kind, index_of
from scenescore_composer.training import Checkpoint

_STEP = 4
_MEMORY = 64  # tokens looked back over, enough for two notes of every voice


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    opening: tuple[int, ...]
    """Legal tokens, from BOS to the first bar's TEMPO, that every candidate starts with."""
    bars: int
    vocabulary: Mask
    """[VOCABULARY_SIZE], tokens that may be used at all, beside the opening."""
    registers: tuple[int, ...]
    """The pitch about which each voice moves, from low to high; no more notes sound together than these."""
    candidates: int = 8
    temperature: float = 1.0
    nucleus: float = 0.92
    """Only the likeliest tokens that hold this probability together are drawn from (Holtzman et al., 2020)."""
    leap_cost: float = 0.4
    """Taken from a pitch's logit for each semitone by which it is further than `_STEP` from all near ones."""


def sample(
    model: TokenLstm, plan: SamplingPlan, generator: torch.Generator, checkpoint: Checkpoint
) -> list[tuple[int, ...]]:
    """`plan.candidates` sequences of `plan.bars` bars each, every one legal up to its end, without EOS.

    All candidates advance together; each step draws from `generator` alone.
    """
    sequences = [list(plan.opening) for _ in range(plan.candidates)]
    states = [_state_after(plan.opening)] * plan.candidates
    inputs = torch.tensor([plan.opening] * plan.candidates)
    memory: Memory | None = None
    with torch.inference_mode():
        while any(state.last is not Kind.EOS for state in states):
            checkpoint(min(state.bars for state in states) / (plan.bars + 1))
            logits, memory = model(inputs, memory)
            masks = np.stack([allowed(state, plan) for state in states])
            costs = np.stack([leap_costs(sequence, plan) for sequence in sequences])
            drawn = _draw(logits[:, -1] - torch.from_numpy(costs), torch.from_numpy(masks), plan, generator)
            for i, token in enumerate(drawn):
                if states[i].last is Kind.EOS:
                    continue
                states[i] = advance(states[i], token)
                if token != EOS:
                    sequences[i].append(token)
            inputs = torch.tensor(drawn).unsqueeze(1)
    return [tuple(sequence) for sequence in sequences]


def allowed(state: State, plan: SamplingPlan) -> Mask:
    """The legal tokens that also keep to the plan.

    No bar stays empty; no more notes sound than there are registers; nothing follows the last bar. An ended
    candidate may draw anything: it is not looked at.
    """
    if state.last is Kind.EOS:
        return np.ones(len(KINDS), dtype=np.bool_)
    mask = legal(state)
    kept: Mask = mask & plan.vocabulary
    kept[EOS] = False
    if state.last in {Kind.METRE, Kind.TEMPO}:
        _forbid(kept, Kind.METRE)
    if state.last is Kind.DURATION and (
        len(state.sounding_now()) >= len(plan.registers) or not _some(kept, Kind.PITCH)
    ):
        _forbid(kept, Kind.PITCH)
        _forbid(kept, Kind.VELOCITY)
    if len(state.sounding) >= len(plan.registers):
        # before that tick every voice is still held
        free = sorted((until for _, until in state.sounding), reverse=True)[len(plan.registers) - 1]
        kept[STARTS[Kind.POSITION] :][: min(max(free, 0), SIZES[Kind.POSITION])] = False
    if state.bars >= plan.bars and _some(kept, Kind.METRE):
        _forbid(kept, Kind.METRE)
        kept[EOS] = True
    return kept if kept.any() else _way_on(state, mask, plan)


def _way_on(state: State, mask: Mask, plan: SamplingPlan) -> Mask:
    """Where the plan leaves nothing, since every voice is held past all that is left of the bar: the end after the
    last bar, else a bar in which nothing new begins, else whatever is legal that is neither bar, tempo nor end.
    """
    only: Mask = np.zeros_like(mask)
    between_notes = state.last in {Kind.METRE, Kind.TEMPO, Kind.DURATION}
    if between_notes and state.bars >= plan.bars:
        only[EOS] = True
        return only
    metre = slice(STARTS[Kind.METRE], STARTS[Kind.METRE] + SIZES[Kind.METRE])
    only[metre] = (mask & plan.vocabulary)[metre]
    if only.any():
        return only
    within: Mask = mask.copy()
    for kind in (Kind.METRE, Kind.TEMPO):
        _forbid(within, kind)
    within[EOS] = False
    return within if within.any() else mask


def leap_costs(sequence: Sequence[int], plan: SamplingPlan) -> npt.NDArray[np.float64]:
    """[VOCABULARY_SIZE], what each pitch's logit loses for its distance from what the voices played last.

    A model that learnt for seconds leaps about; voices move by small intervals (D. Huron, "Tone and voice",
    2001: the pitch proximity principle). Two notes a voice are remembered; its own register is never far.
    """
    costs = np.zeros(VOCABULARY_SIZE)
    played = [index_of(token) for token in sequence[-_MEMORY:] if KINDS[token] is Kind.PITCH]
    near = np.array([*plan.registers, *played[-2 * len(plan.registers) :]])
    distance = np.abs(np.arange(SIZES[Kind.PITCH])[:, None] - near).min(axis=1)
    costs[STARTS[Kind.PITCH] :][: SIZES[Kind.PITCH]] = plan.leap_cost * np.maximum(0, distance - _STEP)
    return costs


def _some(mask: Mask, kind: Kind) -> bool:
    return bool(mask[STARTS[kind] : STARTS[kind] + SIZES[kind]].any())


def _forbid(mask: Mask, kind: Kind) -> None:
    mask[STARTS[kind] : STARTS[kind] + SIZES[kind]] = False


def _draw(logits: Tensor, masks: Tensor, plan: SamplingPlan, generator: torch.Generator) -> list[int]:
    """One token for each row of `logits` [candidates, vocabulary] among those that its mask allows."""
    chances = torch.softmax(logits.double().masked_fill(~masks, -torch.inf) / plan.temperature, dim=-1)
    ranked, tokens = chances.sort(dim=-1, descending=True, stable=True)
    before = ranked.cumsum(dim=-1) - ranked
    nucleus = ranked.masked_fill(before >= plan.nucleus, 0.0)
    places = torch.multinomial(nucleus, 1, generator=generator)
    drawn: list[int] = tokens.gather(1, places).squeeze(1).tolist()
    return drawn


def _state_after(tokens: Sequence[int]) -> State:
    state = State()
    for token in tokens:
        state = advance(state, token)
    return state
