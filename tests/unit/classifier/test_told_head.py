"""A head that a stronger model tells: ridge regression's optimum, better than labels alone, and honest about folds."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from samples.embeddings import GivenEmbeddings
from sklearn.linear_model import Ridge

from scenescore_classifier.inference import Classifier
from scenescore_classifier.metrics import Ints
from scenescore_classifier.models.scene_backbone import Scene
from scenescore_classifier.train import main
from scenescore_classifier.training import photographs as training_photographs
from scenescore_classifier.training import told
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.told import (
    LABELLED_WEIGHT,
    PENALTY,
    Photographs,
    ToldLearner,
    fit_told,
)

EMOTIONS = ("happy", "angry", "sad")
WEAK, STRONG = 60, 3


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pictures(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, Ints]:
    """What a weak model and a strong one see of pictures, and their emotions: the strong one sees the emotion, the
    weak one a faint trace of it among much that varies more.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    strong = np.eye(3)[labels] * 4 + generator.normal(size=(count, STRONG))
    mixing = np.random.default_rng(0).normal(size=(STRONG, WEAK))
    weak = strong @ mixing + 12 * generator.normal(size=(count, WEAK))
    weak[:, -1] = 7  # constant
    return torch.from_numpy(weak).float(), torch.from_numpy(strong).float(), labels.astype(np.int64)


def rows_of(count: int, seed: int) -> Rows:
    weak, strong, labels = pictures(count, seed)
    return Rows(weak, labels, [f"theme {number % 12}" for number in range(count)], EMOTIONS, None, strong)


def photographs_of(count: int, seed: int) -> Photographs:
    weak, strong, _ = pictures(count, seed)
    return Photographs(weak, strong, "painted")


def test_the_optimum_is_scikit_learn_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "CHUNK", 70)  # in three parts, the last one shorter
    photographs, rows = photographs_of(200, 1), rows_of(30, 2)
    generator = np.random.default_rng(3)
    said, wanted = generator.normal(size=(200, 3)), 2 + generator.normal(size=(30, 3))
    fitted = fit_told(photographs, said, rows.prepared.double().numpy(), wanted, PENALTY)
    everything = torch.cat([photographs.prepared, rows.prepared]).double().numpy()
    reference = Ridge(PENALTY).fit(
        photographs.standardised(everything),
        np.concatenate([said, wanted]),
        sample_weight=np.repeat([1.0, LABELLED_WEIGHT], [200, 30]),
    )
    np.testing.assert_allclose(
        fitted.logits(everything),
        reference.predict(photographs.standardised(everything)),
        atol=1e-8,
    )


def test_photographs_teach_what_few_labels_could_not() -> None:
    weak, strong = GivenEmbeddings(WEAK, "weak"), GivenEmbeddings(STRONG, "strong")
    rows, (asked, _, truth) = rows_of(30, 4), pictures(600, 5)
    learner = ToldLearner(weak, strong, "painted", photographs_of(3000, 6))
    by_labels = LogisticLearner(weak).fit(rows, 0, title="labels")
    by_telling = learner.fit(rows, 0, title="told")
    found, told_found = (
        float(np.mean(predictor.logits(asked).argmax(axis=1) == truth))
        for predictor in (by_labels, by_telling)
    )
    assert told_found > found + 0.05
    assert by_telling.chosen["teller"]["strength"] > 0
    again = learner.fit(rows, 0, title="again")
    assert np.array_equal(again.logits(asked), by_telling.logits(asked))
    assert learner.description["photographs"] == 3000


def test_rows_without_a_teller_s_view_are_a_mistake_of_the_caller() -> None:
    learner = ToldLearner(
        GivenEmbeddings(WEAK, "weak"), GivenEmbeddings(STRONG, "strong"), "painted", photographs_of(20, 1)
    )
    with pytest.raises(ValueError, match="nothing of the teller"):
        learner.fit(replace(rows_of(12, 1), of_teller=None), 0, title="test")


def test_parts_of_rows_keep_what_the_teller_sees() -> None:
    rows = rows_of(12, 1)
    part = rows.part(np.array([3, 1]))
    assert rows.of_teller is not None
    assert part.of_teller is not None
    assert torch.equal(part.of_teller, rows.of_teller[[3, 1]])


@pytest.fixture
def rated_folder(tmp_path: Path, paint: Callable[..., bytes]) -> Path:
    """Forty rated pictures, thirty of them with an emotion."""
    folder = tmp_path / "rated"
    folder.mkdir()
    lines = ["file,emotion,valence,valence_sd,arousal,arousal_sd,theme"]
    for number in range(40):
        (folder / f"{number}.jpg").write_bytes(paint(number))
        emotion = ("happy", "angry", "sad", "")[number % 4]
        lines.append(f"{number}.jpg,{emotion},{1 + number % 7},1,{1 + number % 5},1.5,theme {number // 2}")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_the_command_lets_another_model_tell(
    rated_folder: Path,
    photographs: Path,
    tmp_path: Path,
    paint: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(training_photographs, "LEAST", 6)
    arguments = [str(rated_folder), "--out", str(tmp_path / "out"), "--folds", "2", "--leave-out", "left"]
    asked = [*arguments, "--scale", "1..7", "--model", "colours", "--teller", "scene"]
    assert main([*asked, "--photographs", str(photographs)]) == 0
    assert "of the photographs, skipped 1: can't be read as a picture" in capsys.readouterr().err
    card = json.loads((tmp_path / "out" / "colours.json").read_text())
    assert "--photographs PHOTOGRAPHS --teller scene --leave-out left" in card["training"]["command"]
    assert card["training"]["teller"]["model"] == "scene"
    assert card["training"]["photographs"] == 6
    assert len(card["training"]["teller"]["prepared_as"]) == 8
    assert len(card["metrics"]["affect"]["valence"]["told"][0]) == 2
    chosen = card["metrics"]["chosen_in_folds"]
    assert all(fold["teller"]["strength"] > 0 for run in chosen for fold in run)
    (answer,) = Classifier.load(tmp_path / "out", name="colours").classify([paint(1)])
    assert isinstance(answer, dict)
    assert sum(answer.values()) == pytest.approx(1)


def rate(folder: Path, table: Path, *, happy: set[int]) -> None:
    """A table of what the photographs feel like: those at the places `happy` so, the others sad."""
    lines = ["sha256,happy,angry,sad,calm"]
    for place, file in enumerate(sorted(folder.rglob("[0-9].jpg"))):
        shares = "1,0,0,0" if place in happy else "0,0,1,0"
        lines.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()},{shares}")
    table.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("teller", ["colours", "scene"])
def test_the_command_learns_from_rated_photographs(
    teller: str,
    rated_folder: Path,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a head of its own, and through a teller: another rating gives another head."""
    monkeypatch.setattr(training_photographs, "LEAST", 6)
    cards, answers = [], []
    for happy in ({0, 1, 2, 3}, {0, 3, 5, 8}):
        table, out = tmp_path / "rated.csv", tmp_path / f"out {happy}"
        rate(photographs, table, happy=happy)
        asked = [
            str(rated_folder),
            "--out",
            str(out),
            "--folds",
            "2",
            "--scale",
            "1..7",
            "--model",
            "colours",
        ]
        asked += ["--photographs", str(photographs), "--leave-out", "left", "--rated", str(table)]
        assert main([*asked, "--teller", teller]) == 0
        cards.append(json.loads((out / "colours.json").read_text()))
        answers.append(
            Classifier.load(out, name="colours").classify([(photographs / "left" / "2.jpg").read_bytes()])
        )
    assert answers[0] != answers[1]
    assert (
        cards[0]["metrics"]["affect"]["valence"]["value"] != cards[1]["metrics"]["affect"]["valence"]["value"]
    )
    training = cards[0]["training"]
    assert (
        f"--photographs PHOTOGRAPHS --rated RATINGS --teller {teller} --leave-out left" in training["command"]
    )
    (known, other) = (
        (card["training"] if teller == "colours" else card["training"]["teller"])["cheap_directions"]
        for card in cards
    )
    assert known["rated_photographs"] == 6
    assert known["rated_photographs_fingerprint"] != other["rated_photographs_fingerprint"]
    assert ("named_feelings_sha256" in known) == (teller == "scene")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ["--model", "thesis-relu", "--teller", "thesis-relu", "--photographs", "."],
            "thesis-relu can't learn from",
        ),
        (["--model", "scene"], "--rated says what photographs feel like: name --photographs, too"),
        (
            ["--model", "scene", "--teller", "scene", "--photographs", "."],
            "can't be read as a table of ratings",
        ),
    ],
)
def test_ratings_that_can_teach_nothing_are_said_before_anything_is_read(
    tmp_path: Path, asked: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        str(tmp_path / "no data"),
        "--out",
        str(tmp_path / "out"),
        "--rated",
        str(tmp_path / "nowhere"),
    ]
    assert main([*arguments, *asked]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ["--model", "thesis-relu", "--teller", "colours"],
            "colours can't tell thesis-relu what photographs",
        ),
        (["--model", "colours", "--teller", "nobody"], "no model named 'nobody'"),
        (["--model", "colours", "--photographs", "nowhere"], "nowhere is no folder"),
        (["--model", "colours", "--models-dir", "nowhere"], "mobilenet needs"),
        (
            ["--model", "scene", "--teller", "scene"],
            "scene can't tell itself anything: name another --teller, or --rated",
        ),
    ],
)
def test_what_can_not_be_told_is_said_before_anything_is_read(
    photographs: Path, tmp_path: Path, asked: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "no data"), "--out", str(tmp_path / "out"), "--photographs", str(photographs)]
    assert main([*arguments, *asked]) == 1
    assert said in capsys.readouterr().err


def test_folders_of_photographs_are_left_out_of_photographs_only(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(labelled_folder), "--out", str(tmp_path / "out"), "--leave-out", "left"]) == 1
    assert "name --photographs, too" in capsys.readouterr().err


def test_pictures_that_change_between_the_two_readings_are_noticed(
    labelled_folder: Path,
    photographs: Path,
    tmp_path: Path,
    paint: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare, seeds = Scene.prepare, iter(range(70, 100))

    def meddle(self: Scene, picture: Image.Image) -> torch.Tensor:
        (labelled_folder / "11.jpg").write_bytes(paint(next(seeds)))
        return prepare(self, picture)

    monkeypatch.setattr(Scene, "prepare", meddle)
    arguments = [str(labelled_folder), "--out", str(tmp_path / "out"), "--photographs", str(photographs)]
    assert main([*arguments, "--model", "colours", "--teller", "scene"]) == 1
    assert "has changed meanwhile" in capsys.readouterr().err
