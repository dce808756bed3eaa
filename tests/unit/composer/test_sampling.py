"""The grammar in arrays is the grammar, and what is sampled keeps to it and to its plan."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from scenescore_composer.batch_grammar import BatchState
from scenescore_composer.composing import lesson_of
from scenescore_composer.conditioning import WIDTH, Condition
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.grammar import State, advance, legal
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.planning import Wishes, plan_of
from scenescore_composer.sampling import SamplingPlan, sample
from scenescore_composer.tokens import EOS, KINDS, Kind, decode, token

BARS = (None, None, 0, 1, None, None)


@pytest.fixture
def plan(clips: list[Clip]) -> SamplingPlan:
    settled = plan_of(clips, {"happy": 1}, Wishes(12), seed=3)
    return SamplingPlan(
        opening=settled.opening,
        recalled=BARS,
        steady=(False,) * len(BARS),
        figured=(False,) * len(BARS),
        vocabulary=settled.vocabulary,
        vectors=(settled.condition.vectors(len(BARS) + 1),) * 5,
        voices=4,
        temperature=2.0,
    )


def _ignore(_progress: float) -> None:
    pass


def _walks(count: int, steps: int) -> Iterator[tuple[list[State], BatchState]]:
    """The two machines after each step of the same random walks, every legal kind as likely as any other."""
    chance = np.random.default_rng(0)
    singles, batch = [State() for _ in range(count)], BatchState(count)
    for _ in range(steps):
        yield singles, batch
        taken = []
        for state in singles:
            allowed = np.flatnonzero(legal(state))
            if len(allowed) > 1:
                allowed = allowed[allowed != EOS]
            kinds = sorted({KINDS[token].value for token in allowed})
            kind = kinds[chance.integers(len(kinds))]
            taken.append(int(chance.choice([token for token in allowed if KINDS[token].value == kind])))
        singles[:] = [advance(state, token) for state, token in zip(singles, taken, strict=True)]
        batch.advance(taken)


def test_the_arrays_say_what_the_state_machine_says() -> None:
    for singles, batch in _walks(count=6, steps=400):
        assert np.array_equal(batch.legal(), np.stack([legal(state) for state in singles]))
        assert batch.bars.tolist() == [state.bars for state in singles]


def test_every_sample_is_legal_and_keeps_to_its_plan(tiny_base: TokenLstm, plan: SamplingPlan) -> None:
    sequences = sample(tiny_base, plan, torch.Generator().manual_seed(4), _ignore)
    assert len(set(sequences)) == len(plan.vectors)
    for sequence in sequences:
        assert sequence[: len(plan.opening)] == plan.opening
        state = State()
        for taken in sequence:
            assert legal(state)[taken]
            state = advance(state, taken)
            assert len(state.sounding_now()) <= plan.voices
        assert state.bars == len(BARS)


def test_recalled_bars_say_the_same_notes_again(tiny_base: TokenLstm, plan: SamplingPlan) -> None:
    repeated = total = 0
    for sequence in sample(tiny_base, plan, torch.Generator().manual_seed(5), _ignore):
        piece = decode(sequence)
        bars = [
            {(note.onset - start, note.pitch) for note in piece.notes if start <= note.onset < end}
            for start, end in zip(piece.bar_starts, piece.bar_starts[1:], strict=False)
        ]
        assert bars[2] <= bars[0]
        assert bars[3] <= bars[1]
        repeated += len(bars[2]) + len(bars[3])
        total += len(bars[0]) + len(bars[1])
    assert repeated > 0.5 * total, "only what would sound over itself may be left out"


def test_notes_of_a_steady_bar_start_where_those_of_the_bar_before_do(
    tiny_base: TokenLstm, plan: SamplingPlan
) -> None:
    steady = replace(
        plan, recalled=(None,) * len(BARS), steady=(False, True, True, False, True, False), voices=30
    )
    others = 0
    for sequence in sample(tiny_base, steady, torch.Generator().manual_seed(7), _ignore):
        piece = decode(sequence)
        bars = [
            {note.onset - start for note in piece.notes if start <= note.onset < end}
            for start, end in pairwise(piece.bar_starts)
        ]
        assert all(bars[bar] == bars[bar - 1] for bar in (1, 2, 4))
        others += bars[3] != bars[2]
    assert others > 0, "other bars have a rhythm of their own"


def test_strikes_of_a_figured_bar_have_the_lengths_of_those_of_the_bar_before(
    tiny_base: TokenLstm, plan: SamplingPlan
) -> None:
    figured = replace(
        plan,
        recalled=(None,) * len(BARS),
        steady=(False, True, True, False, True, False),
        figured=(True, True, False, True, True, True),
        voices=30,
    )
    whole = strikes = others = 0
    for sequence in sample(tiny_base, figured, torch.Generator().manual_seed(7), _ignore):
        bars = _lengths_by_bar(sequence)
        for bar in (1, 4):
            assert bars[bar].keys() == bars[bar - 1].keys()
            for position, lengths in bars[bar].items():
                assert lengths == bars[bar - 1][position][: len(lengths)], (
                    "smaller where no pitch is left above"
                )
                whole += len(lengths) == len(bars[bar - 1][position])
                strikes += 1
        others += bars[2] != bars[1]
    assert whole > 0.6 * strikes
    assert others > 0, "a bar that is steady alone has strikes of its own"


def _lengths_by_bar(sequence: tuple[int, ...]) -> list[dict[int, list[int]]]:
    """For each bar its POSITION tokens, and the DURATION tokens that follow each."""
    bars: list[dict[int, list[int]]] = []
    position = 0
    for taken in sequence:
        match KINDS[taken]:
            case Kind.METRE:
                bars.append({})
            case Kind.POSITION:
                position = taken
            case Kind.DURATION:
                bars[-1].setdefault(position, []).append(taken)
    return bars


@pytest.mark.parametrize(
    ("temperature", "nucleus", "expected"),
    [(1.0, 0.8, [4 / 9, 3 / 9, 2 / 9, 0]), (2.0, 1.0, [0.3254, 0.2818, 0.2301, 0.1627])],
    ids=["within the nucleus", "at the temperature of rhythm"],
)
def test_tokens_are_drawn_as_likely_as_the_model_has_them(
    plan: SamplingPlan, temperature: float, nucleus: float, expected: list[float]
) -> None:
    model = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))
    candidates = 4000
    places = [token(Kind.POSITION, quaver * 6) for quaver in range(4)]
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        chances = torch.tensor([0.4, 0.3, 0.2, 0.1])
        model.head.bias[places] = chances.log() + 20
    many = replace(
        plan,
        recalled=(None,),
        steady=(False,),
        figured=(False,),
        vectors=(plan.vectors[0][:2],) * candidates,
        temperature=1.0,
        rhythmic_nucleus=nucleus,
        rhythmic_temperature=temperature,
    )
    drawn = [
        sequence[len(plan.opening)]
        for sequence in sample(model, many, torch.Generator().manual_seed(1), _ignore)
    ]
    shares = [drawn.count(place) / candidates for place in places]
    # a nucleus ends with the token that reaches it, a temperature of 2 takes roots; three deviations are at most 0.024
    assert shares == pytest.approx(expected, abs=0.024)


def test_rare_times_and_lengths_are_left_out_while_rare_pitches_are_not(plan: SamplingPlan) -> None:
    model = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))
    narrow = replace(plan, temperature=1.0, nucleus=1.0, rhythmic_nucleus=0.02)
    kinds: dict[Kind, set[int]] = {kind: set() for kind in Kind}
    for sequence in sample(model, narrow, torch.Generator().manual_seed(1), _ignore):
        for taken in sequence[len(plan.opening) :]:
            kinds[KINDS[taken]].add(taken)
    assert len(kinds[Kind.PITCH]) > 20
    assert len(kinds[Kind.DURATION]) < 10


def test_where_every_voice_is_held_the_sampling_goes_on(tiny_base: TokenLstm, plan: SamplingPlan) -> None:
    # long notes only, and one voice: bars begin and end with it held
    longest = np.ones(len(KINDS), dtype=np.bool_)
    longest[[i for i, kind in enumerate(KINDS) if kind is Kind.DURATION]] = False
    longest[[i for i, kind in enumerate(KINDS) if kind is Kind.DURATION][-3:]] = True
    held = replace(plan, vocabulary=plan.vocabulary & longest, voices=1)
    for sequence in sample(tiny_base, held, torch.Generator().manual_seed(6), _ignore):
        assert sum(KINDS[taken] is Kind.METRE for taken in sequence) == len(BARS)
        assert decode(sequence).notes


def test_a_condition_tells_where_in_the_form_a_bar_lies() -> None:
    condition = Condition({"sad": 0.25, "calm": 0.75}, major=False, onsets_per_quarter=2, texture=4, pitch=72)
    rows = condition.vectors(6)
    assert rows.shape == (7, WIDTH)
    assert rows[3, :8].tolist() == [0, 0, 0.25, 0.75, 0, 1, 2, 1]
    assert rows[1:, 8:12].argmax(axis=1).tolist() == [0, 1, 2, 3, 0, 1], "the place in the phrase"
    assert rows[1:, 12:15].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert rows[:, 15].tolist() == [1, 1, 0, 0, 0, 0, 0], "the opening"
    inside = condition.vectors(6, opens=False, closes=False)
    assert not inside[:, 12:].any()


def test_clips_of_another_emotion_are_another_lesson(clips: list[Clip]) -> None:
    assert not np.array_equal(
        lesson_of(clips[0]).conditions[0], lesson_of(replace(clips[0], emotion="sad")).conditions[0]
    )


def test_the_last_bar_ends_where_the_model_wants_to_go_on(plan: SamplingPlan) -> None:
    model = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.head.bias[plan.opening[1]] = 40.0
    for tokens in sample(model, plan, torch.Generator().manual_seed(1), _ignore):
        notes_of = np.bincount(
            np.cumsum([KINDS[each] is Kind.METRE for each in tokens])[
                [KINDS[each] is Kind.PITCH for each in tokens]
            ]
        )
        assert notes_of[1:].tolist() == [1] * len(BARS), "a note a bar, in the last one too"
