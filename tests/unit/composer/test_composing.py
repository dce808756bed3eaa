"""Learning from a draw and composing, with models of a few units."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from miditoolkit import MidiFile

from scenescore_composer import midi
from scenescore_composer.composing import ComposerBudget, Composition, CompositionRequest, compose, lesson_of
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.ending import with_closing_chord
from scenescore_composer.keys import Key
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.planning import Wishes
from scenescore_composer.score import Bar, Note, Piece
from scenescore_composer.tokens import EOS
from scenescore_composer.training import TrainingPlan, train
from scenescore_shared.errors import EmptyCorpusError, JobCanceledError

BUDGET = ComposerBudget(training_tokens=1_600, candidates=2)


def request_for(seed: int = 1, *, seconds: float = 10, **changes: Any) -> CompositionRequest:
    wishes = Wishes(seconds, tempo_bpm=changes.pop("tempo_bpm", None), key=changes.pop("key", None))
    return CompositionRequest(mix={"happy": 0.5, "sad": 0.5}, seed=seed, wishes=wishes, **changes)


def composed(clips: list[Clip], base: TokenLstm, request: CompositionRequest) -> Composition:
    (composition,) = compose(clips, request, BUDGET, base, _ignore)
    return composition


def _ignore(_progress: float) -> None:
    pass


def _seconds_of(data: bytes) -> float:
    file = MidiFile(file=io.BytesIO(data))
    last = max(note.end for part in file.instruments for note in part.notes)
    return float(file.get_tick_to_time_mapping()[last])


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_and_global_state(
    clips: list[Clip], tiny_base: TokenLstm
) -> None:
    weights = [weight.clone() for weight in tiny_base.parameters()]
    first = composed(clips, tiny_base, request_for(5))
    torch.rand(3)
    before = torch.get_rng_state()
    second = composed(list(reversed(clips)), tiny_base, request_for(5))
    assert first.midi == second.midi
    assert torch.equal(torch.get_rng_state(), before)
    assert composed(clips, tiny_base, request_for(6)).midi != first.midi
    # the base is everybody's: no job may change it
    assert all(torch.equal(a, b) for a, b in zip(weights, tiny_base.parameters(), strict=True))


@pytest.mark.parametrize("seconds", [10, 33.3, 60])
def test_the_music_lasts_as_long_as_asked_for(
    clips: list[Clip], tiny_base: TokenLstm, seconds: float
) -> None:
    composition = composed(clips, tiny_base, request_for(seconds=seconds))
    assert _seconds_of(composition.midi) == pytest.approx(seconds, abs=0.1)
    assert composition.seconds == pytest.approx(seconds, abs=0.1)


def test_tempo_key_and_instrument_are_as_asked(clips: list[Clip], tiny_base: TokenLstm) -> None:
    request = request_for(seconds=12, tempo_bpm=61, key=Key(6, "minor"), program=40)
    composition = composed(clips, tiny_base, request)
    file = MidiFile(file=io.BytesIO(composition.midi))
    assert [round(change.tempo) for change in file.tempo_changes] == [61]
    assert file.key_signature_changes[0].key_name == "F#m"
    assert [part.program for part in file.instruments] == [40]
    assert (composition.tempo_bpm, composition.key) == (61, "F# minor")
    assert _seconds_of(composition.midi) == pytest.approx(12, abs=0.1)
    last = max(note.end for note in composition.piece.notes)
    chord = {note.pitch % 12 for note in composition.piece.notes if note.end == last}
    assert chord <= {6, 9, 1}, "the last chord is the tonic's"


def test_variations_differ_and_keep_key_and_tempo(clips: list[Clip], tiny_base: TokenLstm) -> None:
    pieces = compose(clips, request_for(variations=3), BUDGET, tiny_base, _ignore)
    assert len({piece.midi for piece in pieces}) == 3
    assert len({(piece.key, piece.tempo_bpm) for piece in pieces}) == 1


def test_a_composition_tells_the_truth_about_itself(clips: list[Clip], tiny_base: TokenLstm) -> None:
    composition = composed(clips, tiny_base, request_for(2, seconds=12))
    played = midi.read(composition.midi)
    assert len(played.notes) == composition.notes == len(composition.piece.notes)
    assert {bar.bpm for bar in played.bars} == {composition.tempo_bpm}
    file = MidiFile(file=io.BytesIO(composition.midi))
    mode = "m" if composition.key.endswith("minor") else ""
    assert file.key_signature_changes[0].key_name == composition.key.split()[0] + mode


def test_progress_rises_to_one(clips: list[Clip], tiny_base: TokenLstm) -> None:
    heard: list[float] = []
    compose(clips, request_for(2), BUDGET, tiny_base, heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("stop_at", [0.2, 0.8])
def test_a_canceled_job_stops_between_steps(clips: list[Clip], tiny_base: TokenLstm, stop_at: float) -> None:
    heard: list[float] = []

    def checkpoint(progress: float) -> None:
        heard.append(progress)
        if progress >= stop_at:
            raise JobCanceledError("canceled")

    with pytest.raises(JobCanceledError):
        compose(clips, request_for(2), BUDGET, tiny_base, checkpoint)
    assert heard[-1] < stop_at + 0.35


def test_no_clips_no_music(tiny_base: TokenLstm) -> None:
    with pytest.raises(EmptyCorpusError):
        compose([], request_for(2), BUDGET, tiny_base, _ignore)


def test_a_single_clip_is_enough(clips: list[Clip], tiny_base: TokenLstm) -> None:
    assert composed(clips[:1], tiny_base, request_for()).notes > 0


def test_training_learns_and_repeats_itself(clips: list[Clip]) -> None:
    plan = TrainingPlan(tokens=30_000, batch=8, window=24, learning_rate=2e-2)

    def trained() -> tuple[list[float], TokenLstm]:
        model = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))
        lessons = [lesson_of(clip) for clip in clips]
        return train(model, lessons, plan, torch.Generator().manual_seed(1), _ignore), model

    losses, model = trained()
    again, same = trained()
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), same.parameters(), strict=True))
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    assert len(losses) == plan.steps


def test_training_goes_as_far_from_the_start_as_it_is_told(clips: list[Clip]) -> None:
    lessons = [lesson_of(clip) for clip in clips]

    def trained(share: float) -> dict[str, torch.Tensor]:
        model = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))
        plan = TrainingPlan(tokens=4_000, batch=8, window=24, learning_rate=1e-2, share=share)
        train(model, lessons, plan, torch.Generator().manual_seed(1), _ignore)
        return model.state_dict()

    start, halfway, end = trained(0.0), trained(0.5), trained(1.0)
    untrained = TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0)).state_dict()
    for name, weights in start.items():
        assert torch.equal(weights, untrained[name])
        assert not torch.equal(weights, end[name])
        assert torch.allclose(halfway[name], (weights + end[name]) / 2, atol=1e-6)


def test_a_lesson_has_a_condition_for_every_token(clips: list[Clip]) -> None:
    lesson = lesson_of(clips[0])
    assert len(lesson.tokens) == len(lesson.conditions)
    assert lesson.tokens[-1] == EOS
    shares = lesson.conditions[:, :4]
    assert np.array_equal(shares, np.tile([1, 0, 0, 0], (len(shares), 1))), "the clip's own emotion, happy"


def test_the_close_is_the_tonic_chord_under_the_last_voices() -> None:
    bar = Bar(4, 4, 100)
    notes = (Note(0, 60, 12, 72), Note(36, 43, 12, 72), Note(36, 59, 12, 72), Note(36, 65, 12, 72))
    closed = with_closing_chord(Piece((bar,), notes), Key(0, "major"), 60)
    assert closed.notes[-3:] == (Note(48, 48, 60, 72), Note(48, 60, 60, 72), Note(48, 64, 60, 72))
    assert len(closed.bars) == 3
