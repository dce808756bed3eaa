"""The command from a folder of pictures to a table, on tiny GANs and classifiers."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from scenescore_classifier.data import Dataset, read_folder
from scenescore_classifier.gan import __main__ as command
from scenescore_classifier.gan import table
from scenescore_classifier.gan.__main__ import main
from scenescore_classifier.gan.training import Settings
from scenescore_classifier.models.scene_backbone import Scene
from scenescore_classifier.training.learner import Rows


@pytest.fixture(autouse=True)
def _small_and_one_thread(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Narrow networks; the command fixes its process's threads: give back what they were."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(command, "_settings", lambda options: Settings(form=options.form, batch=4, width=16))
    yield
    torch.set_num_threads(threads)


def test_from_training_to_admitting(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, gans, review = str(labelled_folder), tmp_path / "gans", tmp_path / "review"
    assert main(["train", folder, "--out", str(gans), "--emotions", "happy", "--steps", "1"]) == 0
    assert main(["sample", str(gans / "happy"), "--review", str(review), "--count", "2"]) == 0
    assert len(list(review.glob("happy/*.png"))) == 2
    capsys.readouterr()
    assert main(["quality", folder, str(gans / "happy"), "--count", "4"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["emotion"] == "happy"
    assert figures["real"] == 4
    assert figures["batch"] == 4
    assert figures["minutes"] >= 0
    assert (gans / "happy" / "nearest.png").is_file()
    assert main(["admit", str(review), str(tmp_path / "training"), "*00000.png", "--by", "ann"]) == 0
    assert main(["reject", str(review), "*"]) == 0
    assert not list(review.glob("*/*"))


def test_mistakes_end_with_a_sentence(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert main(["train", str(labelled_folder), "--out", out]) == 1
    assert "give --steps, --minutes or both" in capsys.readouterr().err
    assert main(["train", str(labelled_folder), "--out", out, "--emotions", "calm", "--steps", "1"]) == 1
    assert "no pictures of calm" in capsys.readouterr().err
    assert main(["sample", out, "--review", out]) == 1
    assert "train a GAN there first" in capsys.readouterr().err
    assert main(["table", str(labelled_folder), "--out", out, "--run", "nothing"]) == 1
    assert "no architecture nothing" in capsys.readouterr().err


def test_rows_that_were_not_run_are_pending_with_their_command(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", str(labelled_folder), "--out", str(tmp_path), "--architectures", "scene"]) == 0
    text = capsys.readouterr().out
    assert text.count("pending: `python -m scenescore_classifier.gan table FOLDER --out DIR --run scene") == 2
    assert (tmp_path / "table.md").read_text() == text


def test_a_row_is_run_with_gans_that_saw_only_their_training_folds(
    labelled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on: list[int] = []

    def guess(rows: Rows, seed: int, iterations: int) -> table.Predict:
        trained_on.append(len(rows.prepared))
        assert len(rows.prepared) == len(rows.labels) == len(rows.themes)
        assert iterations == 7
        return lambda pictures: np.full(len(pictures), seed % len(rows.emotions), dtype=np.int64)

    monkeypatch.setattr(table, "ARCHITECTURES", {"guess": lambda: table.Contender(guess, "guess")})
    options = ["--run", "guess", "--architectures", "guess", "--folds", "2", "--iterations", "7"]
    budget = ["--gan-steps", "1", "--gan-pictures", "3"]
    assert main(["table", str(labelled_folder), "--out", str(tmp_path), *options, *budget]) == 0
    assert trained_on == [6] * 6 + [6 + 3 * 3] * 6
    cards = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("gans-64/*/*/gan.json"))]
    dataset = read_folder(labelled_folder)
    assert len(cards) == 2 * 3
    assert sum(card["origin"]["pictures"] for card in cards) == len(dataset.labels)
    said = capsys.readouterr().out
    assert "no difference shown" in said
    assert "| guess | real, 2 folds | 7 |" in said
    assert "| guess | real and 3 of each GAN (wgan, 64x64, 1 steps of 4) | 7 |" in said
    assert main(["table", str(labelled_folder), "--out", str(tmp_path), *options, *budget]) == 0
    assert len(trained_on) == 12  # all was kept
    assert capsys.readouterr().out == said
    monkeypatch.setattr(table, "ARCHITECTURES", {"guess": lambda: table.Contender(guess, "guess better")})
    assert main(["table", str(labelled_folder), "--out", str(tmp_path), *options, *budget]) == 0
    assert len(trained_on) == 24  # another one: nothing kept is its


def test_what_is_kept_of_a_fold_is_of_its_pictures_and_themes(labelled_folder: Path, tmp_path: Path) -> None:
    dataset = read_folder(labelled_folder)
    fold_of = np.arange(12) // 6
    fitted: list[int] = []

    def guess(rows: Rows, *_: int) -> table.Predict:
        fitted.append(len(rows.labels))
        return lambda pictures: np.zeros(len(pictures), dtype=np.int64)

    def run(data: Dataset) -> int:
        before = len(fitted)
        table.run(
            "guess",
            table.Contender(guess, ""),
            data,
            fold_of,
            seeds=[1, 2, 3],
            iterations=1,
            gans=None,
            keep=tmp_path / "kept",
        )
        return len(fitted) - before

    assert run(dataset) == 6
    assert run(dataset) == 0
    pixels = dataset.pixels.clone()
    pixels[0] = 255 - pixels[0]  # of fold 1, which is held out once and learnt from once
    assert run(replace(dataset, pixels=pixels)) == 6
    themes = ("another", *dataset.themes[1:])
    assert run(replace(dataset, themes=themes)) == 3


def test_intervals_are_students() -> None:
    mean, low, high = table.interval([0.5, 0.6, 0.7])
    assert mean == pytest.approx(0.6)
    assert high - mean == pytest.approx(4.303 * 0.1 / 3**0.5)
    assert mean - low == pytest.approx(high - mean)


def rows_of(folder: Path) -> Rows:
    dataset = read_folder(folder)
    return Rows(dataset.pixels, dataset.labels, dataset.themes, dataset.emotions)


def test_the_thesis_classifier_plugs_into_the_table(labelled_folder: Path) -> None:
    rows = rows_of(labelled_folder)
    predict = table.ARCHITECTURES["thesis-relu"]().fit(rows, 1, 1)
    assert set(predict(rows.prepared)) <= {0, 1, 2}


def test_the_product_s_own_model_plugs_into_the_table(
    labelled_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(labelled_folder)
    asked: list[int] = []
    prepare = Scene.prepare

    def count(self: Scene, picture: Image.Image) -> Tensor:
        asked.append(1)
        return prepare(self, picture)

    monkeypatch.setattr(Scene, "prepare", count)
    predict = table.ARCHITECTURES["scene"]().fit(rows, 1, 1)
    answers = predict(rows.prepared)
    assert answers.tolist() == rows.labels.tolist()  # nine pictures, 3,529 numbers of each
    assert len(asked) == 1 + len(rows.labels)  # once to know the backbone; not anew to judge them
