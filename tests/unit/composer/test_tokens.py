"""Tokens and their grammar: exact round trips, and no way to spell an invalid piece."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenescore_composer import tokens
from scenescore_composer.grammar import State, advance, is_legal, legal
from scenescore_composer.score import METRES, Bar, Note, Piece, tidy
from scenescore_composer.tokens import DURATIONS, EOS, TEMPOS, VELOCITIES, VOCABULARY_SIZE, Kind


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    """Pieces on the grid and on the bins, in any metres; pitches that no transposition folds."""
    bars = tuple(
        Bar(*draw(st.sampled_from(METRES)), draw(st.sampled_from(TEMPOS)))
        for _ in range(draw(st.integers(1, 5)))
    )
    end = sum(bar.ticks for bar in bars)
    note = st.builds(
        Note,
        st.integers(0, end - 1),
        st.integers(12, 115),
        st.sampled_from(DURATIONS),
        st.sampled_from(VELOCITIES),
    )
    # a cut note may have a duration off the bins: brought back to them
    return tokens.quantised(Piece(bars, tidy(draw(st.lists(note, max_size=40)), end)))


@given(pieces())
@settings(deadline=None)
def test_what_lies_on_the_bins_survives_exactly(piece: Piece) -> None:
    encoded = tokens.encode(piece)
    assert tokens.decode(encoded.tokens, encoded.transposition) == piece


@given(pieces())
@settings(deadline=None)
def test_every_piece_has_a_legal_spelling(piece: Piece) -> None:
    assert is_legal(tokens.encode(piece).tokens)


@given(st.integers(0, 2**32), st.integers(1, 400))
@settings(deadline=None, max_examples=60)
def test_any_walk_through_the_grammar_is_a_piece_with_that_one_spelling(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    state, walked = State(), list[int]()
    while state.last is not Kind.EOS:
        mask = legal(state)
        may_end = mask[EOS] and len(walked) >= length
        mask[EOS] = may_end
        walked.append(EOS if may_end else int(rng.choice(np.flatnonzero(mask))))
        state = advance(state, walked[-1])
    piece = tokens.decode(walked)
    assert piece.ticks == sum(bar.ticks for bar in piece.bars)
    assert _spelt_without_transposing(piece) == walked


def _spelt_without_transposing(piece: Piece) -> list[int]:
    """The tokens of a piece as it stands, by the rules of `tokens`, written independently of `encode`."""
    spelt, tempo, velocity = [tokens.BOS], -1, -1
    for start, bar in zip(piece.bar_starts, piece.bars, strict=False):
        spelt.append(tokens.token(Kind.METRE, METRES.index((bar.numerator, bar.denominator))))
        if bar.bpm != tempo:
            tempo = bar.bpm
            spelt.append(tokens.token(Kind.TEMPO, TEMPOS.index(tempo)))
        here = [note for note in piece.notes if start <= note.onset < start + bar.ticks]
        for before, note in zip([None, *here], here, strict=False):
            if before is None or before.onset != note.onset:
                spelt.append(tokens.token(Kind.POSITION, note.onset - start))
            if note.velocity != velocity:
                velocity = note.velocity
                spelt.append(tokens.token(Kind.VELOCITY, VELOCITIES.index(velocity)))
            spelt.append(tokens.token(Kind.PITCH, note.pitch))
            spelt.append(tokens.token(Kind.DURATION, DURATIONS.index(note.duration)))
    return [*spelt, EOS]


@given(st.lists(st.integers(-2, VOCABULARY_SIZE + 1), max_size=12))
def test_other_sequences_are_not_legal(sequence: list[int]) -> None:
    assert not is_legal(sequence[:4])


def test_nothing_follows_the_end() -> None:
    assert not legal(State(last=Kind.EOS)).any()


def test_keys_are_brought_to_one_and_back(make_tune: Callable[..., Piece]) -> None:
    tune = tokens.quantised(make_tune(3))
    for semitones in range(12):
        moved = Piece(
            tune.bars, tuple(Note(n.onset, n.pitch + semitones, n.duration, n.velocity) for n in tune.notes)
        )
        encoded = tokens.encode(moved)
        assert encoded.tokens[:8] == tokens.encode(tune).tokens[:8]
        assert tokens.decode(encoded.tokens, encoded.transposition) == moved


def test_an_unknown_metre_is_spelt_in_common_time() -> None:
    piece = Piece((Bar(1, 4, 100),) * 5, (Note(0, 60, 12, 72), Note(48, 60, 12, 72)))
    assert [(bar.numerator, bar.denominator) for bar in tokens.quantised(piece).bars] == [(4, 4), (4, 4)]


@pytest.mark.parametrize("kind", list(Kind))
def test_each_token_knows_its_kind(kind: Kind) -> None:
    last = tokens.token(kind, tokens.SIZES[kind] - 1)
    assert tokens.KINDS[last] is kind
    assert tokens.index_of(last) == tokens.SIZES[kind] - 1
