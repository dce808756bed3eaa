"""Training and its command: repeatable to the bit, honest about its folds, stopped and resumed cleanly."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from scenescore_classifier import evaluation
from scenescore_classifier.checkpoint import CARD_FILE
from scenescore_classifier.data import read_folder
from scenescore_classifier.evaluation import calibrated, cross_validate, figures
from scenescore_classifier.inference import Classifier
from scenescore_classifier.model import ThesisCNN
from scenescore_classifier.train import INTERRUPTED, main
from scenescore_classifier.training import Settings, class_weights, fit, predict

BRIEF = Settings(seed=3, epochs=1, batch=8)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    """The command fixes the number of threads for its process: give back what it was."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def fitted_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replaces training in the cross-validation by untrained models; lists how many pictures each was given."""
    calls: list[int] = []

    def fit_nothing(
        pixels: torch.Tensor, _: object, outputs: int, settings: Settings, **__: object
    ) -> ThesisCNN:
        calls.append(len(pixels))
        return ThesisCNN(outputs, torch.Generator().manual_seed(settings.seed))

    monkeypatch.setattr(evaluation, "fit", fit_nothing)
    return calls


def weights_of(model: ThesisCNN) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_the_seed_decides_the_weights(labelled_folder: Path) -> None:
    dataset = read_folder(labelled_folder)
    first, again, other = (
        weights_of(fit(dataset.pixels, dataset.labels, 3, Settings(seed=seed, epochs=1, batch=8)))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_training_learns_what_is_easy() -> None:
    bright = torch.tensor([0, 1] * 8, dtype=torch.uint8)
    pixels = (bright * 200).view(-1, 1, 1, 1).expand(16, 3, 150, 150)
    labels = bright.numpy().astype(np.int64)
    model = fit(pixels, labels, 2, Settings(epochs=12))
    assert predict(model, pixels).argmax(axis=1).tolist() == labels.tolist()


def test_emotions_count_alike_in_the_loss() -> None:
    weights = class_weights(np.array([0, 0, 0, 1]), 3)
    assert weights.tolist() == [pytest.approx(2 / 3), pytest.approx(2), 0]


def test_pictures_are_judged_by_models_that_did_not_see_them(
    labelled_folder: Path, tmp_path: Path, fitted_on: list[int]
) -> None:
    dataset = read_folder(labelled_folder)
    fold_of = np.array([0, 1, 1] * 4)
    logits = cross_validate(dataset, fold_of, BRIEF, keep=tmp_path / "keep")
    assert fitted_on == [8, 4]
    for fold in (0, 1):
        model = ThesisCNN(3, torch.Generator().manual_seed(BRIEF.seed + 1 + fold))
        expected = predict(model, dataset.pixels[fold_of == fold])
        np.testing.assert_array_equal(logits[fold_of == fold], expected)


def test_finished_folds_are_read_back(labelled_folder: Path, tmp_path: Path, fitted_on: list[int]) -> None:
    dataset, fold_of = read_folder(labelled_folder), np.array([0, 1, 2] * 4)
    first = cross_validate(dataset, fold_of, BRIEF, keep=tmp_path)
    (tmp_path / "fold-2.safetensors").write_bytes(b"damaged")
    again = cross_validate(dataset, fold_of, BRIEF, keep=tmp_path)
    assert len(fitted_on) == 3 + 1
    np.testing.assert_array_equal(first, again)


def test_a_fold_s_own_labels_do_not_touch_its_temperature() -> None:
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(60, 3)), generator.integers(0, 3, 60)
    fold_of = np.arange(60) % 3
    before = calibrated(logits, labels, fold_of)
    labels[fold_of == 0] = (labels[fold_of == 0] + 1) % 3
    after = calibrated(logits, labels, fold_of)
    np.testing.assert_array_equal(before[fold_of == 0], after[fold_of == 0])
    assert not np.array_equal(before[fold_of == 1], after[fold_of == 1])


def test_figures_over_some_emotions_are_renormalised(labelled_folder: Path) -> None:
    dataset = read_folder(labelled_folder)
    probabilities = np.tile([0.5, 0.2, 0.3], (12, 1))
    part = figures(probabilities, dataset, ["happy", "sad"], seed=0)
    assert part["pictures"] == 8
    assert part["accuracy"]["value"] == 0.5
    assert part["confusion"] == [[4, 0], [4, 0]]
    assert part["brier_score"]["value"] == pytest.approx((2 * 0.375**2 + 2 * 0.625**2) / 2, abs=1e-4)
    assert part["guessing"] == {
        "accuracy": 0.5,
        "balanced_accuracy": 0.5,
        "brier_score": 0.5,
        "log_loss": pytest.approx(np.log(2), abs=1e-4),
    }


def test_the_command_makes_weights_that_serve(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], paint: Callable[..., bytes]
) -> None:
    out = tmp_path / "out"
    with (labelled_folder / "labels.csv").open("a", encoding="utf-8") as labels:
        labels.write("gone.jpg,sad,x\n")
    arguments = [
        str(labelled_folder),
        "--out",
        str(out),
        "--epochs",
        "1",
        "--folds",
        "2",
        "--data-name",
        "Tiles",
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "balanced_accuracy" in printed.out
    assert "skipped 1: can't be opened" in printed.err
    card = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    assert card["data"]["name"] == "Tiles"
    assert card["data"]["pictures"] == {"happy": 4, "angry": 4, "sad": 4}
    assert str(tmp_path) not in json.dumps(card)  # the card travels: no path of this machine in it
    with (out / "skipped.csv").open(encoding="utf-8") as skipped:
        assert list(csv.reader(skipped)) == [["file", "reason"], ["gone.jpg", "can't be opened"]]
    assert sorted(path.name for path in out.iterdir()) == [
        "skipped.csv",
        "thesis-relu.json",
        "thesis-relu.safetensors",
    ]
    (mix,) = Classifier.load(out).classify([paint(1)])
    assert isinstance(mix, dict)
    assert set(mix) == {"happy", "angry", "sad"}


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(
    labelled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(labelled_folder), "--out", str(tmp_path / "out"), "--epochs", "1", "--folds", "2"]
    titles: list[str] = []

    def fit_until_ctrl_c(*args: Any, title: str, **kwargs: Any) -> ThesisCNN:
        titles.append(title)
        if titles == ["fold 1 of 2", "fold 2 of 2"]:
            raise KeyboardInterrupt
        return fit(*args, title=title, **kwargs)

    monkeypatch.setattr(evaluation, "fit", fit_until_ctrl_c)
    assert main(arguments) == INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err
    assert main(arguments) == 0
    assert titles == ["fold 1 of 2", "fold 2 of 2", "fold 2 of 2"]


def test_a_useless_folder_ends_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "0 emotions" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--folds", "1"], ["--epochs", "0"], ["--seed", "-1"], ["--threads", "x"]]
)
def test_options_out_of_range_are_refused(option: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--out", str(tmp_path), *option])
