"""The command from a folder of pictures to a table, on tiny GANs and classifiers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from scenescore_classifier.data import read_folder
from scenescore_classifier.gan import __main__ as command
from scenescore_classifier.gan import table
from scenescore_classifier.gan.__main__ import main
from scenescore_classifier.gan.training import Settings
from scenescore_classifier.metrics import Ints


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

    def guess(pixels: Tensor, labels: Ints, outputs: int, seed: int, iterations: int) -> table.Predict:
        trained_on.append(len(pixels))
        assert len(pixels) == len(labels)
        assert iterations == 7
        return lambda pictures: np.full(len(pictures), seed % outputs, dtype=np.int64)

    monkeypatch.setattr(table, "ARCHITECTURES", {"guess": guess})
    options = ["--run", "guess", "--architectures", "guess", "--folds", "2", "--iterations", "7"]
    budget = ["--gan-steps", "1", "--gan-pictures", "3"]
    assert main(["table", str(labelled_folder), "--out", str(tmp_path), *options, *budget]) == 0
    assert trained_on == [6] * 6 + [6 + 3 * 3] * 6
    cards = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("gans/*/*/gan.json"))]
    dataset = read_folder(labelled_folder)
    assert len(cards) == 2 * 3
    assert sum(card["origin"]["pictures"] for card in cards) == len(dataset.labels)
    assert "no difference shown" in capsys.readouterr().out


def test_intervals_are_students() -> None:
    mean, low, high = table.interval([0.5, 0.6, 0.7])
    assert mean == pytest.approx(0.6)
    assert high - mean == pytest.approx(4.303 * 0.1 / 3**0.5)
    assert mean - low == pytest.approx(high - mean)


def test_the_thesis_classifier_plugs_into_the_table(labelled_folder: Path) -> None:
    dataset = read_folder(labelled_folder)
    predict = table.thesis("thesis-relu")(dataset.pixels, dataset.labels, 3, 1, 1)
    assert set(predict(dataset.pixels)) <= {0, 1, 2}
