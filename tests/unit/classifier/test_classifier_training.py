"""Training and its command: repeatable to the bit, honest about its folds, stopped and resumed cleanly."""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from scenescore_classifier.data import read_folder
from scenescore_classifier.evaluation import calibrated, cross_validate, figures, repeat, splits
from scenescore_classifier.exits import INTERRUPTED
from scenescore_classifier.inference import Classifier
from scenescore_classifier.mixing import soft_labels
from scenescore_classifier.models.scene import SceneCNN
from scenescore_classifier.models.scene_backbone import BACKBONE_FILE, save_backbone
from scenescore_classifier.models.thesis import Thesis, ThesisCNN
from scenescore_classifier.no_scenes import KINDS
from scenescore_classifier.train import main
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.curves import write_curves
from scenescore_classifier.training.gradient import (
    GradientLearner,
    Settings,
    balanced_cross_entropy,
    class_weights,
)
from scenescore_classifier.training.learner import Epoch, Predictor, Rows
from scenescore_classifier.training.logistic import LogisticLearner

CARD_FILE = "thesis-relu.json"
SEED = 3


@dataclass
class UntrainedLearner:
    """Gives untrained networks; lists how many pictures each was given."""

    fitted_on: list[int] = field(default_factory=list)
    description: dict[str, Any] = field(default_factory=dict)

    def fit(self, rows: Rows, seed: int, *, title: str) -> Predictor:
        self.fitted_on.append(len(rows.labels))
        network = ThesisCNN(len(rows.emotions), torch.Generator().manual_seed(seed))
        return Predictor(network, {"seed": seed}, [Epoch(1, 0.5)])


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    """The command fixes the number of threads for its process: give back what it was."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def rows(labelled_folder: Path) -> Rows:
    dataset = read_folder(labelled_folder)
    return Rows(dataset.pixels, dataset.labels, dataset.themes, dataset.emotions)


def fit(rows: Rows, seed: int = 0, **settings: Any) -> Predictor:
    return GradientLearner(Thesis(), Settings(**settings)).fit(rows, seed, title="test")


def weights_of(predictor: Predictor) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in predictor.network.parameters()])


def test_the_seed_decides_the_weights(rows: Rows) -> None:
    first, again, other = (weights_of(fit(rows, seed, epochs=1, batch=8)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def bright_and_dark(count: int = 16) -> Rows:
    """Pictures that are white for one emotion and black for the other, each a theme of its own."""
    bright = torch.arange(count, dtype=torch.uint8) % 2
    pixels = (bright * 200).view(-1, 1, 1, 1).expand(count, 3, 150, 150)
    themes = [str(number) for number in range(count)]
    return Rows(pixels, bright.numpy().astype(np.int64), themes, ("happy", "sad"))


def test_training_learns_what_is_easy() -> None:
    rows = bright_and_dark()
    predictor = fit(rows, epochs=12)
    assert predictor.logits(rows.prepared).argmax(axis=1).tolist() == rows.labels.tolist()
    assert [epoch.number for epoch in predictor.curve] == list(range(1, 13))
    assert predictor.curve[-1].training_loss < predictor.curve[0].training_loss
    assert predictor.curve[-1].validation_loss is None
    assert predictor.chosen == {}


def test_training_stops_when_the_inner_validation_gets_no_better() -> None:
    labels = np.random.default_rng(0).integers(0, 2, 20)  # noise: nothing to learn beyond the first epochs
    pixels = torch.randint(0, 256, (20, 3, 150, 150), generator=torch.Generator().manual_seed(0)).byte()
    rows = Rows(pixels, labels, [f"theme {number // 2}" for number in range(20)], ("happy", "sad"))
    predictor = fit(rows, epochs=30, patience=2, learning_rate=3e-3)
    losses = [epoch.validation_loss or 0.0 for epoch in predictor.curve]
    best = int(np.argmin(losses))
    assert predictor.chosen == {"epoch": best + 1}
    assert len(losses) == best + 1 + 2 < 30
    best_weights = weights_of(fit(rows, epochs=best + 1, patience=30, learning_rate=3e-3))
    assert torch.equal(weights_of(predictor), best_weights)


def test_emotions_count_alike_in_the_loss() -> None:
    weights = class_weights(np.array([0, 0, 0, 1]), 3)
    assert weights.tolist() == [pytest.approx(2 / 3), pytest.approx(2), 0]


def test_pictures_are_judged_by_models_that_did_not_see_them(rows: Rows, tmp_path: Path) -> None:
    learner, fold_of = UntrainedLearner(), np.array([0, 1, 1] * 4)
    run = cross_validate(rows, fold_of, learner, SEED, keep=tmp_path / "keep")
    assert learner.fitted_on == [8, 4]
    for fold in (0, 1):
        model = ThesisCNN(3, torch.Generator().manual_seed(SEED + 1 + fold))
        expected = Predictor(model).logits(rows.prepared[torch.from_numpy(fold_of == fold)])
        np.testing.assert_array_equal(run.logits[fold_of == fold], expected)
    assert run.chosen == [{"seed": SEED + 1}, {"seed": SEED + 2}]


def test_pictures_without_an_emotion_are_dealt_out_too_and_not_trained_on_by_gradient(rows: Rows) -> None:
    labels = np.where(np.arange(12) < 3, -1, rows.labels)
    partly = replace(rows, labels=labels)
    assert partly.labelled.tolist() == list(range(3, 12))
    seen, alone = fit(partly, epochs=1), fit(partly.part(partly.labelled), epochs=1)
    for one, other in zip(seen.network.parameters(), alone.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_finished_folds_are_read_back(rows: Rows, tmp_path: Path) -> None:
    learner, fold_of = UntrainedLearner(), np.array([0, 1, 2] * 4)
    first = cross_validate(rows, fold_of, learner, SEED, keep=tmp_path)
    (tmp_path / "fold-2.safetensors").write_bytes(b"damaged")
    (tmp_path / "fold-3.json").write_text("[]")
    again = cross_validate(rows, fold_of, learner, SEED, keep=tmp_path)
    assert len(learner.fitted_on) == 3 + 2
    np.testing.assert_array_equal(first.logits, again.logits)
    assert first.chosen == again.chosen
    assert first.curves == again.curves == [[Epoch(1, 0.5)]] * 3


def test_every_seed_has_a_split_of_its_own(rows: Rows, tmp_path: Path) -> None:
    dealt = splits(rows.labels, rows.themes, folds=2, seed=0, seeds=2)
    first, second = repeat(rows, UntrainedLearner(), dealt, keep=tmp_path)
    assert first.fold_of.tolist() != second.fold_of.tolist()
    used = [chosen["seed"] for run in (first, second) for chosen in run.chosen]
    assert len(set(used)) == 4


def test_a_fold_s_own_labels_do_not_touch_its_temperature() -> None:
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(60, 3)), generator.integers(0, 3, 60)
    fold_of = np.arange(60) % 3
    before = calibrated(logits, labels, fold_of)
    labels[fold_of == 0] = (labels[fold_of == 0] + 1) % 3
    after = calibrated(logits, labels, fold_of)
    np.testing.assert_array_equal(before[fold_of == 0], after[fold_of == 0])
    assert not np.array_equal(before[fold_of == 1], after[fold_of == 1])


def test_figures_over_some_emotions_are_renormalised(rows: Rows) -> None:
    probabilities = np.tile([0.5, 0.2, 0.3], (12, 1))
    part = figures([probabilities], rows, ["happy", "sad"], seed=0)
    assert part["pictures"] == 8
    assert part["accuracy"]["value"] == 0.5
    assert part["accuracy"]["spread"] is None
    assert part["confusion"] == [[4, 0], [4, 0]]
    assert part["brier_score"]["value"] == pytest.approx((2 * 0.375**2 + 2 * 0.625**2) / 2, abs=1e-4)
    assert part["guessing"] == {
        "accuracy": 0.5,
        "balanced_accuracy": 0.5,
        "brier_score": 0.5,
        "log_loss": pytest.approx(np.log(2), abs=1e-4),
    }


def test_figures_of_several_runs_are_means_with_their_spread(rows: Rows) -> None:
    right = np.eye(3)[rows.labels]
    wrong = np.roll(right, 1, axis=1)
    part = figures([right, wrong], rows, rows.emotions, seed=0)
    assert part["runs"] == 2
    assert part["accuracy"]["value"] == 0.5
    assert part["accuracy"]["spread"] == pytest.approx(np.sqrt(0.5), abs=1e-4)
    assert part["accuracy"]["interval_95"] == [0.5, 0.5]  # whichever themes are drawn, one run is right
    assert np.sum(part["confusion"]) == 24


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
    assert printed.out.count("balanced_accuracy") == 1  # all emotions are the default ones: said once
    assert "skipped 1: can't be opened" in printed.err
    card = json.loads((out / CARD_FILE).read_text(encoding="utf-8"))
    assert card["data"]["name"] == "Tiles"
    assert card["data"]["pictures"] == {"happy": 4, "angry": 4, "sad": 4}
    assert str(tmp_path) not in json.dumps(card)  # the card travels: no path of this machine in it
    with (out / "skipped.csv").open(encoding="utf-8") as skipped:
        assert list(csv.reader(skipped)) == [["file", "reason"], ["gone.jpg", "can't be opened"]]
    curves = json.loads((out / "curves.json").read_text(encoding="utf-8"))
    assert list(curves) == ["seed 0, fold 1", "seed 0, fold 2", "final"]
    with Image.open(out / "curves.png") as picture:
        assert picture.format == "PNG"
    assert sorted(path.name for path in out.iterdir()) == [
        "curves.json",
        "curves.png",
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
    fit_for_real = GradientLearner.fit

    def fit_until_ctrl_c(self: GradientLearner, rows: Rows, seed: int, *, title: str) -> Predictor:
        titles.append(title)
        if titles == ["fold 1 of 2, seed 0", "fold 2 of 2, seed 0"]:
            raise KeyboardInterrupt
        return fit_for_real(self, rows, seed, title=title)

    monkeypatch.setattr(GradientLearner, "fit", fit_until_ctrl_c)
    assert main(arguments) == INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err
    assert main(arguments) == 0
    assert titles == ["fold 1 of 2, seed 0", "fold 2 of 2, seed 0", "fold 2 of 2, seed 0", "final"]


def test_nothing_of_another_backbone_is_gone_on_with(
    labelled_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one's embeddings and folds are both of the right shape."""
    own, out = tmp_path / "models" / "scene" / BACKBONE_FILE, tmp_path / "out"
    save_backbone(own, SceneCNN(torch.Generator().manual_seed(1)), {})
    command = [
        str(labelled_folder),
        "--model",
        "scene",
        "--models-dir",
        str(tmp_path / "models"),
        "--folds",
        "2",
    ]
    fit_for_real = LogisticLearner.fit

    def stop(self: LogisticLearner, rows: Rows, seed: int, *, title: str) -> Predictor:
        if title == "final":
            raise KeyboardInterrupt
        return fit_for_real(self, rows, seed, title=title)

    with monkeypatch.context() as patched:
        patched.setattr(LogisticLearner, "fit", stop)
        assert main([*command, "--out", str(out)]) == INTERRUPTED
    save_backbone(own, SceneCNN(torch.Generator().manual_seed(2)), {})
    cards = []
    for place in (out, tmp_path / "fresh"):
        assert main([*command, "--out", str(place)]) == 0
        cards.append(json.loads((place / "scene.json").read_text(encoding="utf-8")))
    assert cards[0] == cards[1]


def test_the_augmentation_asked_for_is_used_and_repeatable() -> None:
    rows = bright_and_dark(8)
    weights: dict[str, torch.Tensor] = {}
    for augmentation in ("thesis", "today", "today"):
        learner = GradientLearner(Thesis(), Settings(epochs=1, batch=4, augmentation=augmentation))
        found = weights_of(learner.fit(rows, 0, title="test"))
        assert torch.equal(weights.setdefault(augmentation, found), found)
        policy = learner.description["augmentation"]
        assert policy["policy"] == augmentation
        assert ("cutmix_alpha" in policy) == (augmentation == "today")
    assert not torch.equal(weights["thesis"], weights["today"])
    asked = learner_for(Thesis(), augmentation="today")
    assert isinstance(asked, GradientLearner)
    assert asked.settings.augmentation == "today"


def test_the_loss_is_torch_s_for_labels_and_linear_in_shares() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, weights = torch.randn(6, 3, generator=generator), torch.tensor([0.5, 1.0, 2.0])
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    torch.testing.assert_close(
        balanced_cross_entropy(logits, soft_labels(labels, 3), weights),
        functional.cross_entropy(logits, labels, weight=weights),
    )
    half = torch.full((1, 3), 0.5) * torch.tensor([[1.0, 1.0, 0.0]])
    shares = logits[:1].log_softmax(dim=1)
    expected = -(0.5 * 0.5 * shares[0, 0] + 0.5 * 1.0 * shares[0, 1]) / (0.25 + 0.5)
    torch.testing.assert_close(balanced_cross_entropy(logits[:1], half, weights), expected)


def test_ratings_and_what_is_no_scene_are_on_the_card(tmp_path: Path, paint: Callable[..., bytes]) -> None:
    """A model of a frozen backbone: the baseline on colours."""
    folder = tmp_path / "rated"
    folder.mkdir()
    lines = ["file,emotion,valence,valence_sd,arousal,arousal_sd,theme"]
    for number in range(104):
        (folder / f"{number}.jpg").write_bytes(paint(number, size=(40, 30)))
        emotion = ("happy", "angry", "sad", "")[number % 4]
        lines.append(f"{number}.jpg,{emotion},{1 + number % 7},1,{1 + number % 5},1.5,theme {number // 2}")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "out"
    arguments = [str(folder), "--out", str(out), "--model", "colours", "--folds", "2", "--scale", "1..7"]
    assert main(arguments) == 0
    card = json.loads((out / "colours.json").read_text(encoding="utf-8"))
    assert "--scale=1..7" in card["training"]["command"]
    assert card["data"]["without_emotion"] == 26
    found = card["metrics"]
    assert found["affect"]["pictures"] == 104
    assert -1 <= found["affect"]["valence"]["value"] <= 1
    for part in found["calibration"].values():
        low, high = part["log_loss"]["fall_95"]
        assert low <= part["log_loss"]["before"] - part["log_loss"]["after"] <= high
    counts = found["default_emotions"]["reliability"]["counts"]
    assert sum(counts) == found["default_emotions"]["pictures"] == 78
    assert found["no_scenes"]["even"] == pytest.approx(1 / 3, abs=1e-4)
    for kind in KINDS:
        assert found["no_scenes"][kind]["with"]["mean"] <= found["no_scenes"][kind]["without"]["mean"] + 1e-4
    assert 0 < found["novelty"]["pictures_moved"] < 78
    assert set(found["novelty"]["default_emotions"]) >= {"balanced_accuracy", "brier_score", "log_loss"}
    assert Classifier.load(out).classify([paint(1)])


def test_ratings_alone_train_no_classifier(
    tmp_path: Path, paint: Callable[..., bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_bytes(paint(1))
    (tmp_path / "labels.csv").write_text("file,valence,arousal\na.jpg,2,3\n", encoding="utf-8")
    assert main([str(tmp_path), "--out", str(tmp_path / "out"), "--scale", "1..7"]) == 1
    assert "name emotions" in capsys.readouterr().err


def test_without_matplotlib_the_curve_is_json_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    complaint = write_curves(tmp_path, {"final": [Epoch(1, 0.5, 0.7, 0.4)]})
    assert complaint is not None
    assert "scenescore-classifier[report]" in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["curves.json"]
    assert json.loads((tmp_path / "curves.json").read_text()) == {
        "final": [
            {
                "number": 1,
                "training_loss": 0.5,
                "validation_loss": 0.7,
                "validation_balanced_accuracy": 0.4,
            }
        ]
    }


def test_an_unknown_model_ends_the_command_with_a_sentence(
    labelled_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(labelled_folder), "--out", str(tmp_path / "out"), "--model", "resnet"]) == 1
    assert "thesis-relu, colours, scene, mobilenet, timm:NAME" in capsys.readouterr().err


def test_a_useless_folder_ends_the_command_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "0 emotions" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ["--folds", "1"],
        ["--epochs", "0"],
        ["--seed", "-1"],
        ["--threads", "x"],
        ["--augment", "x"],
        ["--scale", "7"],
        ["--device", "nowhere"],
    ],
)
def test_options_out_of_range_are_refused(option: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--out", str(tmp_path), *option])
