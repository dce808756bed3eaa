"""The thesis's recipe, on a network and a draw that are small enough for a test."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from samples.midi import write_corpus

from scenescore_composer import midi
from scenescore_composer.recipe.__main__ import INTERRUPTED, main
from scenescore_composer.recipe.network import LAYERS, WINDOW, ThesisLstm
from scenescore_composer.recipe.procedure import Budget, Recipe, drawn
from scenescore_composer.recipe.representation import first_part, rewritten, spaced
from scenescore_composer.recordings.recording import TimedNote, recording
from scenescore_composer.score import Bar, Piece
from scenescore_shared.errors import EmptyCorpusError

_SCALE = [60, 62, 64, 65, 67, 69, 71, 72]
_SMALL = Budget(clips=4, epochs=10, batch=4, notes=5, layers=(8, 12, 8))


def _nothing() -> None:
    pass


def test_the_network_is_the_thesiss() -> None:
    network = ThesisLstm(40, torch.Generator().manual_seed(0))

    assert [lstm.hidden_size for lstm in network.lstms.children()] == list(LAYERS) == [256, 512, 256]
    assert network.dense.out_features == 256
    assert network(torch.rand(3, WINDOW)).shape == (3, 40)
    bias = dict(network.named_parameters())["lstms.1.bias_ih_l0"]
    assert bias[512:1024].tolist() == [1.0] * 512
    assert bias.sum() == 512


def test_only_the_pitches_of_the_first_part_stay() -> None:
    notes = [TimedNote(0.0, 60, 2.0, 30, 1), TimedNote(0.0, 72, 0.3, 99, 0), TimedNote(0.0, 64, 1.0, 99, 0)]
    music = recording([*notes, TimedNote(5.0, 70, 0.1, 20, 0)], Piece((Bar(4, 4, 90),), ()))

    plain = rewritten(music)

    assert first_part(music) == [64, 72, 70]
    assert [(n.onset, n.pitch, n.duration) for n in plain.notes] == [(0, 64, 6), (6, 72, 6), (12, 70, 6)]
    assert len({note.velocity for note in plain.notes}) == 1


def test_draws_with_replacement_in_proportion() -> None:
    clips = {"happy": ["h1", "h2"], "sad": ["s1"]}

    found = drawn(clips, {"happy": 0.75, "sad": 0.25}, 100, 5)

    assert Counter(name[0] for name in found) == {"h": 75, "s": 25}
    assert found == drawn(clips, {"happy": 0.75, "sad": 0.25}, 100, 5)
    assert found != drawn(clips, {"happy": 0.75, "sad": 0.25}, 100, 6)
    with pytest.raises(EmptyCorpusError, match="angry"):
        drawn(clips, {"angry": 1.0}, 10, 0)


def test_learns_its_steps_and_says_its_notes_the_same_each_time() -> None:
    pitches = _SCALE * 13 + _SCALE[:4]  # eight windows

    recipes = [Recipe(pitches, _SMALL, 3) for _ in range(2)]
    losses = [recipe.train(_nothing) for recipe in recipes]
    said = [recipe.say(_nothing) for recipe in recipes]

    assert len(losses[0]) == recipes[0].training_steps == 10 * 2
    assert losses[0] == losses[1]
    assert sum(losses[0][-2:]) < sum(losses[0][:2])
    assert said[0] == said[1]
    assert [len(pitches) for pitches in said[0]] == [5]
    assert set(said[0][0]) <= set(_SCALE)


class _GoesUp(torch.nn.Module):
    """Finds the pitch above a window's last one likeliest; above the highest, the lowest."""

    def __init__(self, pitches: int, _: torch.Generator, **__: object) -> None:
        super().__init__()
        self.successors = torch.nn.Parameter(torch.eye(pitches).roll(1, dims=1))

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        last: torch.Tensor = (windows[:, -1] * len(self.successors)).round().int()
        return self.successors[last]


def test_pieces_said_together_are_those_said_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenescore_composer.recipe.procedure.ThesisLstm", _GoesUp)
    recipes = [Recipe(_SCALE * 60, _SMALL, 3) for _ in range(2)]

    together = recipes[0].say(_nothing, pieces=3)

    assert together == [recipes[1].say(_nothing)[0] for _ in range(3)]
    assert len({tuple(pitches) for pitches in together}) > 1
    for pitches in together:
        places = [_SCALE.index(pitch) for pitch in pitches]
        assert places == [(places[0] + step) % len(_SCALE) for step in range(5)]


def test_measures_a_few_steps_and_tells_of_all() -> None:
    cost = Recipe(_SCALE * 60, _SMALL, 0).cost(2, _nothing)

    assert cost.training_steps == 10 * 95  # 380 windows in batches of 4
    assert cost.training_step_seconds > 0
    assert cost.seconds == pytest.approx(950 * cost.training_step_seconds + 5 * cost.note_seconds)


def test_too_few_notes_for_a_window_are_refused() -> None:
    with pytest.raises(EmptyCorpusError, match="100"):
        Recipe(_SCALE, _SMALL, 0)


def test_the_command_writes_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = write_corpus(tmp_path / "clips", per_emotion=2), tmp_path / "out.mid"
    small = ["--clips", "3", "--epochs", "1", "--notes", "9"]
    monkeypatch.setattr(
        "scenescore_composer.recipe.__main__.Budget", lambda **given: Budget(**given, layers=(8, 12, 8))
    )

    assert main([str(folder), "--emotions", "happy=1", "--out", str(out), *small]) == 0

    written = midi.read(out.read_bytes())
    assert [note.onset for note in written.notes] == [6 * place for place in range(9)]
    assert written.notes == spaced([note.pitch for note in written.notes]).notes


def test_the_command_writes_several_pieces_into_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [str(write_corpus(tmp_path / "clips", per_emotion=2)), "--emotions", "happy=1"]
    command += ["--clips", "3", "--epochs", "1", "--notes", "9"]
    one, several = tmp_path / "out.mid", tmp_path / "new" / "several"
    monkeypatch.setattr(
        "scenescore_composer.recipe.__main__.Budget", lambda **given: Budget(**given, layers=(8, 12, 8))
    )

    assert main([*command, "--out", str(one)]) == 0
    assert main([*command, "--out", str(several), "--pieces", "2"]) == 0

    pieces = [midi.read((several / f"{number}.mid").read_bytes()) for number in range(2)]
    assert pieces[0].notes == midi.read(one.read_bytes()).notes
    assert len(pieces[1].notes) == 9


@pytest.mark.parametrize(("out", "pieces"), [("taken.mid", 2), ("folder", 1), ("nowhere/out.mid", 1)])
def test_a_place_that_can_not_be_written_is_told_before_the_training(
    out: str, pieces: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_corpus(tmp_path / "clips", per_emotion=2)
    (tmp_path / "taken.mid").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.delattr(Recipe, "train")

    status = main(
        [str(folder), "--emotions", "happy=1", "--out", str(tmp_path / out), "--pieces", str(pieces)]
    )

    assert status == 1
    assert out in capsys.readouterr().err


def test_the_command_can_only_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_corpus(tmp_path / "clips", per_emotion=2)
    monkeypatch.setattr(
        "scenescore_composer.recipe.__main__.Budget", lambda **given: Budget(**given, layers=(8, 12, 8))
    )

    assert main([str(folder), "--emotions", "sad", "--clips", "20", "--time-only", "1"]) == 0

    cost = json.loads(capsys.readouterr().out)
    assert cost["notes"] == 500
    assert cost["training_steps"] % 20 == 0


def test_the_command_stops_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> list[float]:
        raise KeyboardInterrupt

    folder, out = write_corpus(tmp_path / "clips", per_emotion=2), tmp_path / "out.mid"
    monkeypatch.setattr(Recipe, "train", interrupted)

    assert main([str(folder), "--emotions", "happy=1", "--clips", "5", "--out", str(out)]) == INTERRUPTED
    assert "nothing was written" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--emotions", "happy=1", "--out", str(tmp_path / "x.mid")]) == 1
    assert "no subfolder named after an emotion" in capsys.readouterr().err
    assert main([str(tmp_path), "--emotions", "happy=1"]) == 1
    assert "--out" in capsys.readouterr().err
