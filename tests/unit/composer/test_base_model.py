"""The base model's training, on a handful of tunes and a few units."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from scenescore_composer import midi
from scenescore_composer.base_model import __main__ as command
from scenescore_composer.base_model import thesis
from scenescore_composer.base_model.sections import Section, is_held_out, sections_of
from scenescore_composer.base_model.training import BaseTraining, Settings, likelihood
from scenescore_composer.conditioning import WIDTH
from scenescore_composer.model import ModelSize, TokenLstm, load_model
from scenescore_composer.score import Piece
from scenescore_composer.tokens import EOS

TINY = Settings(tokens=12_000, batch=4, window=32, learning_rate=2e-2, size=ModelSize(embedding=8, hidden=16))


@pytest.fixture
def sections(make_tune: Callable[..., Piece]) -> list[Section]:
    return [section for seed in range(6) for section in sections_of(f"tune {seed}", make_tune(seed, bars=40))]


def test_songs_are_cut_into_sections_that_know_where_they_lie(sections: list[Section]) -> None:
    first, last = sections[:2]
    assert (first.bar_of.max(), last.bar_of.max()) == (32, 8)
    assert first.tokens[-1] != EOS
    assert last.tokens[-1] == EOS
    assert first.vectors.shape == (33, WIDTH)
    assert first.vectors[1, -1] == 1, "the song opens"
    assert not first.vectors[:, -4:-1].any(), "it does not close yet"
    assert last.vectors[-1, -4] == 1, "its last bar"
    assert last.vectors[1, -1] == 0


def test_a_held_out_song_is_held_out_for_ever() -> None:
    names = [f"song {number}" for number in range(2000)]
    share = np.mean([is_held_out(name) for name in names])
    assert share == pytest.approx(0.08, abs=0.02)
    assert [is_held_out(name) for name in names] == [is_held_out(name) for name in names]


def untaught() -> TokenLstm:
    return TokenLstm(TINY.size, torch.Generator().manual_seed(TINY.seed))


def test_training_learns_stops_and_goes_on(sections: list[Section], tmp_path: Path) -> None:
    untrained = likelihood(untaught(), sections)
    training = BaseTraining(untaught(), sections, sections[:2], TINY, tmp_path / "a")
    model = training.run(save_every=20)
    learnt = likelihood(model, sections)
    assert learnt.per_token < 0.6 * untrained.per_token
    assert learnt.per_note > learnt.per_token
    steps = [row["step"] for row in training.curve]
    assert steps == sorted(steps)
    assert training.curve[-1]["tokens"] >= TINY.tokens
    again = BaseTraining(untaught(), sections, sections[:2], TINY, tmp_path / "a")
    assert again.curve == training.curve, "what is done stays done"
    resumed = again.run()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), resumed.parameters(), strict=True))
    other = BaseTraining(
        untaught(),
        sections,
        sections[:2],
        Settings(seed=2, tokens=TINY.tokens, size=TINY.size),
        tmp_path / "a",
    )
    assert other.curve == [], "another run does not go on from this one"


def test_the_command_makes_a_model_that_loads(
    make_tune: Callable[..., Piece],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "SIZE", TINY.size)
    held_out = [f"song {n}" for n in range(200) if is_held_out(f"song {n}")][:2]
    learnt = [f"song {n}" for n in range(200) if not is_held_out(f"song {n}")][:4]
    folder = tmp_path / "songs"
    folder.mkdir()
    for seed, name in enumerate((*held_out, *learnt)):
        (folder / f"{name}.mid").write_bytes(midi.write(make_tune(seed, bars=8)))
    (folder / "broken.mid").write_bytes(b"MThd")
    out = tmp_path / "out"
    assert command.main([str(folder), "--out", str(out), "--processes", "1", "--tokens", "3000"]) == 0
    told = capsys.readouterr()
    assert "nats a token" in told.out
    assert "Left out" in told.err
    facts = json.loads((out / command.FACTS_FILE).read_text())
    assert (facts["songs"], facts["held_out_songs"]) == (4, 2)
    assert load_model(out / command.MODEL_FILE).size == TINY.size
    assert command.main([str(tmp_path / "out"), "--out", str(out)]) == 2
    assert "too few songs" in capsys.readouterr().err


def test_the_thesiss_architecture_is_trained_and_measured_alike(
    sections: list[Section],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = thesis.ThesisOnTokens(torch.Generator().manual_seed(0), layers=(8, 12, 8), dense=8)
    untaught_ = likelihood(network, sections)
    tokens = torch.tensor([[1, 50, 200, 3]])
    whole, _ = network(tokens, None, None)
    begun, memory = network(tokens[:, :2], None, None)
    rest, _ = network(tokens[:, 2:], None, memory)
    torch.testing.assert_close(torch.cat([begun, rest], dim=1), whole)
    learnt = BaseTraining(network, sections, sections[:2], TINY, tmp_path / "a").run()
    assert likelihood(learnt, sections).per_token < 0.8 * untaught_.per_token

    monkeypatch.setattr(thesis, "read_songs", lambda *_, **__: (sections, []))
    monkeypatch.setattr(thesis, "is_held_out", lambda song: song == "tune 0")
    monkeypatch.setattr(thesis, "ThesisOnTokens", lambda generator: untaught() if generator else None)
    assert thesis.main([str(tmp_path), "--out", str(tmp_path / "b"), "--tokens", "4000"]) == 0
    assert json.loads((tmp_path / "b" / thesis.FACTS_FILE).read_text())["curve"][-1]["tokens"] >= 4000
    assert "nats a note" in capsys.readouterr().out
