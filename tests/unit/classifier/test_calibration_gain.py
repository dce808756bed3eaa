"""What calibration gains, and the diagram that shows it, against values worked out by hand."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scenescore_classifier.calibration import fit_temperature, gains, softmax
from scenescore_classifier.metrics import brier_score, log_loss, reliability
from scenescore_classifier.models.architecture import ModelError
from scenescore_classifier.reliability_picture import write_reliability


def sure_of_itself(pictures: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 3) three times too large, and labels drawn as the right ones say."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(pictures, 3))
    labels = np.array([generator.choice(3, p=row) for row in softmax(logits)])
    return 3 * logits, labels


def test_calibration_of_what_is_too_sure_gains_clear_of_zero() -> None:
    logits, labels = sure_of_itself(400, 0)
    other_logits, other_labels = sure_of_itself(400, 1)
    after = softmax(logits, fit_temperature(other_logits, other_labels))
    before = softmax(logits)
    found = gains([before], [after], labels, [str(n // 4) for n in range(400)], seed=0, repeats=300)
    for name, score in (("brier_score", brier_score), ("log_loss", log_loss)):
        gain = found[name]
        assert (gain.before, gain.after) == (score(before, labels), score(after, labels))
        low, high = gain.fall_95
        assert 0 < low < gain.before - gain.after < high


def test_no_change_is_no_gain() -> None:
    logits, labels = sure_of_itself(20, 0)
    shares = softmax(logits)
    found = gains([shares], [shares], labels, ["a", "b"] * 10, seed=0, repeats=20)
    assert {gain.fall_95 for gain in found.values()} == {(0.0, 0.0)}


def test_bins_count_what_is_in_them() -> None:
    probabilities = np.array([[0.75, 0.25], [0.75, 0.25], [0.05, 0.95], [1.0, 0.0]])
    diagram = reliability(probabilities, np.array([0, 1, 1, 0]), bins=4)
    assert diagram.counts.tolist() == [0, 0, 0, 4]
    diagram = reliability(probabilities, np.array([0, 1, 1, 0]), bins=10)
    assert diagram.counts.tolist() == [0] * 7 + [2, 0, 2]
    assert diagram.confidence[[7, 9]] == pytest.approx([0.75, 0.975])
    assert diagram.accuracy[[7, 9]].tolist() == [0.5, 1.0]
    assert np.isnan(diagram.accuracy[8])


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    logits, labels = sure_of_itself(50, 0)
    write_reliability(tmp_path / "r.png", reliability(softmax(logits), labels), title="held out")
    with Image.open(io.BytesIO((tmp_path / "r.png").read_bytes()), formats=("PNG",)) as image:
        image.load()
        assert image.size == (600, 600)


def test_without_matplotlib_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    logits, labels = sure_of_itself(5, 0)
    with pytest.raises(ModelError, match=r"classifier\[report\]"):
        write_reliability(tmp_path / "r.png", reliability(softmax(logits), labels), title="")


def test_gains_over_several_runs_are_means() -> None:
    logits, labels = sure_of_itself(40, 0)
    themes = [str(n) for n in range(40)]
    cold, warm = softmax(logits), softmax(logits, 2)
    (one, two, both) = (
        gains([before], [after], labels, themes, seed=0, repeats=50)["log_loss"]
        for before, after in ((cold, warm), (warm, cold), (cold, warm))
    )
    mean = gains([cold, warm], [warm, cold], labels, themes, seed=0, repeats=50)["log_loss"]
    assert one == both
    assert mean.before == mean.after == pytest.approx((one.before + two.before) / 2)
    assert mean.fall_95 == pytest.approx((0, 0))
