"""The ablation of the draw: nothing that is asked about was learnt from, and learning shows."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenescore_composer.composing import ComposerBudget
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.evaluation.drawing import NOTHING, likelihoods, main, split_by_song
from scenescore_composer.model import TokenLstm


def test_no_song_is_on_both_sides(clips: list[Clip]) -> None:
    shared = [*clips, replace(clips[0], id="another", emotion="sad")]
    for seed in range(10):
        known, aside = split_by_song(shared, seed)
        assert len(known) + len(aside) == len(shared)
        assert aside
        assert not {clip.song for clip in known} & {clip.song for clip in aside}


def test_what_was_drawn_becomes_likelier(clips: list[Clip], tiny_base: TokenLstm) -> None:
    by_emotion = {
        emotion: [clip for clip in clips if clip.emotion == emotion] for emotion in ("happy", "sad")
    }
    budget = ComposerBudget(training_tokens=60_000)
    found = likelihoods(by_emotion, tiny_base, budget, seed=3)
    assert set(found) == {NOTHING, "happy", "sad"}
    for emotion, untaught in found[NOTHING].items():
        assert found[emotion][emotion] < untaught - 0.05


def test_it_needs_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data-dir", str(tmp_path)]) == 2
    assert "corpus build" in capsys.readouterr().err
