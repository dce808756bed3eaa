"""Learning from a draw and composing, with models of a few units."""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from miditoolkit import MidiFile

from scenescore_composer import midi
from scenescore_composer.composing import ComposerBudget, CompositionRequest, compose
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.features import measure
from scenescore_composer.ending import with_closing_chord
from scenescore_composer.grammar import State, advance, legal
from scenescore_composer.keys import Key
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.planning import frame_of, sampling_plan
from scenescore_composer.sampling import allowed, sample
from scenescore_composer.score import Bar, Note, Piece
from scenescore_composer.selection import best, collapse
from scenescore_composer.tokens import DURATIONS, EOS, KINDS, Kind
from scenescore_composer.tokens import token as token_for
from scenescore_composer.training import TrainingPlan, train
from scenescore_shared.errors import EmptyCorpusError, JobCanceledError

TINY = ModelSize(embedding=8, hidden=16)
BUDGET = ComposerBudget(training_tokens=4_000, candidates=2, model=TINY)


def _ignore(_progress: float) -> None:
    pass


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_and_global_state(clips: list[Clip]) -> None:
    request = CompositionRequest(seed=5, seconds=10)
    first = compose(clips, request, BUDGET, _ignore)
    torch.rand(3)
    before = torch.get_rng_state()
    second = compose(list(reversed(clips)), request, BUDGET, _ignore)
    assert first.midi == second.midi
    assert torch.equal(torch.get_rng_state(), before)
    assert compose(clips, replace(request, seed=6), BUDGET, _ignore).midi != first.midi


@pytest.mark.parametrize("seconds", [10, 30, 60])
def test_the_music_lasts_as_long_as_asked_for(clips: list[Clip], seconds: int) -> None:
    composition = compose(clips, CompositionRequest(seed=1, seconds=seconds), BUDGET, _ignore)
    file = MidiFile(file=io.BytesIO(composition.midi))
    last = max(note.end for part in file.instruments for note in part.notes)
    assert file.get_tick_to_time_mapping()[last] == pytest.approx(seconds, abs=1.5)
    assert composition.seconds == pytest.approx(seconds, abs=1.5)


@pytest.mark.parametrize("seconds", [10, 10.5, 37, 179.5, 180])
@pytest.mark.parametrize("bpm", [10, 20, 30, 45, 63, 104, 200, 244, 400])
def test_the_frame_fits_every_length_at_every_tempo(clips: list[Clip], bpm: int, seconds: float) -> None:
    drawn = [replace(clip, features={**clip.features, "tempo_bpm": float(bpm)}) for clip in clips]
    frame = frame_of(drawn, seconds, seed=0)
    assert frame.bars * frame.bar.seconds == pytest.approx(seconds, abs=1.0)
    assert 30 <= frame.bar.bpm <= 244
    assert 0 < frame.closing_bars < frame.bars


def test_where_every_voice_is_held_over_the_bar_an_empty_one_follows_or_the_end(clips: list[Clip]) -> None:
    plan = replace(
        sampling_plan(clips, frame_of(clips, 30, 0), candidates=1, temperature=1.0), registers=(60,)
    )
    metre, tempo = plan.opening[1:]
    # a note that lasts two bars and a half, so that the second and the third begin with every voice held
    held = [
        token_for(Kind.POSITION, 0),
        token_for(Kind.PITCH, 60),
        token_for(Kind.DURATION, DURATIONS.index(96)),
    ]
    state = State()
    for each in [*plan.opening, *held, metre]:
        state = advance(state, each)
    assert state.sounding
    assert np.flatnonzero(allowed(state, replace(plan, bars=9))).tolist() == [metre]
    assert np.flatnonzero(allowed(state, replace(plan, bars=2))).tolist() == [EOS]
    assert tempo not in np.flatnonzero(allowed(state, plan))


def test_a_composition_tells_the_truth_about_itself(clips: list[Clip]) -> None:
    composition = compose(clips, CompositionRequest(seed=2, seconds=12), BUDGET, _ignore)
    piece = midi.read(composition.midi)
    assert piece == composition.piece
    assert len(piece.notes) == composition.notes
    assert {bar.bpm for bar in piece.bars} == {composition.tempo_bpm}
    assert max(note.end for note in piece.notes) == piece.ticks
    file = MidiFile(file=io.BytesIO(composition.midi))
    mode = "m" if composition.key.endswith("minor") else ""
    assert file.key_signature_changes[0].key_name == composition.key.split()[0] + mode


def test_progress_rises_to_one(clips: list[Clip]) -> None:
    heard: list[float] = []
    compose(clips, CompositionRequest(seed=2, seconds=10), BUDGET, heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("stop_at", [0.2, 0.8])
def test_a_canceled_job_stops_between_steps(clips: list[Clip], stop_at: float) -> None:
    heard: list[float] = []

    def checkpoint(progress: float) -> None:
        heard.append(progress)
        if progress >= stop_at:
            raise JobCanceledError("canceled")

    with pytest.raises(JobCanceledError):
        compose(clips, CompositionRequest(seed=2, seconds=10), BUDGET, checkpoint)
    assert heard[-1] < stop_at + 0.1


def test_no_clips_no_music() -> None:
    with pytest.raises(EmptyCorpusError):
        compose([], CompositionRequest(seed=2), BUDGET, _ignore)


def test_training_learns_and_repeats_itself(clips: list[Clip]) -> None:
    def trained() -> tuple[list[float], TokenLstm]:
        model = TokenLstm(TINY, _generator())
        losses = train(model, [c.tokens for c in clips], TrainingPlan(tokens=8_000), _generator(1), _ignore)
        return losses, model

    losses, model = trained()
    again, same = trained()
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), same.parameters(), strict=True))
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    assert len(losses) == TrainingPlan(tokens=8_000).steps


def test_counted_pairs_tell_what_follows(clips: list[Clip]) -> None:
    model = TokenLstm(TINY, _generator())
    model.learn_pairs([clip.tokens for clip in clips])
    tokens = torch.tensor([clips[0].tokens[:1]])
    logits, _ = model(tokens, None)
    assert KINDS[int(logits[0, -1].argmax())] is Kind.METRE


def test_every_sample_is_legal_and_keeps_to_its_plan(clips: list[Clip]) -> None:
    frame = frame_of(clips, 12, seed=3)
    plan = sampling_plan(clips, frame, candidates=6, temperature=2.0)
    untrained = TokenLstm(TINY, _generator())
    for sequence in sample(untrained, plan, _generator(4), _ignore):
        state = State()
        for token in sequence:
            assert legal(state)[token]
            state = advance(state, token)
            assert len(state.sounding_now()) <= len(plan.registers)
        assert state.bars == plan.bars == frame.bars - frame.closing_bars
        assert KINDS[sequence[-1]] is Kind.DURATION, "no bar is empty"


def test_bars_fill_the_time_asked_for(clips: list[Clip]) -> None:
    for seconds in (10, 33, 180):
        frame = frame_of(clips, seconds, seed=1)
        assert frame.bars * frame.bar.seconds == pytest.approx(seconds, abs=1.5)
        assert frame.bar.bpm == pytest.approx(97, rel=0.15)


def test_a_single_clip_is_enough(clips: list[Clip]) -> None:
    assert compose(clips[:1], CompositionRequest(seed=1, seconds=10), BUDGET, _ignore).notes > 0


def test_the_close_is_the_tonic_chord_under_the_last_voices() -> None:
    bar = Bar(4, 4, 100)
    notes = (Note(0, 60, 12, 72), Note(36, 43, 12, 72), Note(36, 59, 12, 72), Note(36, 65, 12, 72))
    closed = with_closing_chord(Piece((bar,), notes), Key(0, "major"), 2)
    assert closed.notes[-3:] == (Note(48, 48, 96, 72), Note(48, 60, 96, 72), Note(48, 64, 96, 72))
    assert len(closed.bars) == 3


def test_collapsed_candidates_are_dropped(make_tune: Callable[..., Piece]) -> None:
    bars = (Bar(4, 4, 96),) * 4
    one_note = Piece(bars, tuple(Note(i * 12, 60, 12, 72) for i in range(16)))
    repeated = Piece(
        bars, tuple(sorted(Note(i * 48 + k, 60 + k, 6, 72) for i in range(4) for k in range(0, 48, 6)))
    )
    silent = Piece(bars, tuple(Note(k, 60 + k, 1, 72) for k in range(10)))
    good = make_tune(1)
    draw = [measure(make_tune(seed)) for seed in range(3)]
    assert all(collapse(piece).is_collapsed for piece in (one_note, repeated, silent))
    assert best([one_note, repeated, good, silent], draw) is good
    assert best([silent, one_note], draw) in {silent, one_note}


def test_the_likest_candidate_wins(make_tune: Callable[..., Piece]) -> None:
    like, fast = make_tune(1, bpm=96), make_tune(2, bpm=190)
    assert best([fast, like], [measure(make_tune(3, bpm=96))]) is like
