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

from scenescore_classifier.data import DatasetError
from scenescore_classifier.inference import Classifier
from scenescore_classifier.metrics import Ints
from scenescore_classifier.models.scene_backbone import Scene
from scenescore_classifier.train import main
from scenescore_classifier.training import told
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.told import (
    LABELLED_WEIGHT,
    PENALTY,
    Photographs,
    ToldLearner,
    fit_told,
    look_at,
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


@pytest.fixture
def photographs(tmp_path: Path, paint: Callable[..., bytes]) -> Path:
    folder = tmp_path / "photographs"
    for part in ("near", "far", "left"):
        (folder / part).mkdir(parents=True)
    for number in range(9):
        (folder / ("near", "far", "left")[number % 3] / f"{number}.jpg").write_bytes(paint(100 + number))
    (folder / "far" / "torn.jpg").write_bytes(paint(1)[:60])
    return folder


def test_files_that_are_no_photographs_to_learn_from_are_named(
    photographs: Path, monkeypatch: pytest.MonkeyPatch, paint: Callable[..., bytes]
) -> None:
    def size(image: Image.Image) -> torch.Tensor:
        return torch.tensor([float(image.width)])

    monkeypatch.setattr(told, "LEAST", 5)
    (photographs / "far" / "again.jpg").write_bytes(paint(100))
    (photographs / "far" / "folder.jpg").mkdir()
    known = hashlib.sha256(paint(101)).hexdigest()  # 1.jpg, a picture of the data set
    found, skipped = look_at(photographs, size, lambda image: -size(image), leave_out=["left"], known=[known])
    reasons = {item.file: item.reason for item in skipped}
    assert reasons.keys() == {"far/1.jpg", "far/folder.jpg", "far/torn.jpg", "near/0.jpg"}
    assert reasons["far/torn.jpg"] == reasons["far/folder.jpg"] == "can't be read as a picture"
    assert reasons["far/1.jpg"] == reasons["near/0.jpg"] == "a picture of the data set, or there before"
    assert found.prepared.tolist() == [[200.0]] * 5
    assert found.of_teller.tolist() == [[-200.0]] * 5
    other, _ = look_at(photographs, size, size)
    assert other.fingerprint != found.fingerprint
    with pytest.raises(DatasetError, match="has 3 photographs to learn from: give a folder with 5 or more"):
        look_at(photographs / "near", size, size)


def test_the_command_lets_another_model_tell(
    rated_folder: Path,
    photographs: Path,
    tmp_path: Path,
    paint: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(told, "LEAST", 6)
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
