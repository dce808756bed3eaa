"""docs/classifier.md from files alone: every row, measured or pending, with figures that are those of the cards."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenescore_classifier.inference import SHIPPED_WEIGHTS
from scenescore_classifier.report import __main__ as report
from scenescore_classifier.report.results import ROWS, read

GANS = {"form": "wgan", "side": 64, "steps": 30, "batch": 16, "pictures": 50}
GAN_ROW = {
    "folds": 3,
    "iterations": 9,
    "seeds": [1, 2, 3],
    "accuracy": [0.5, 0.5, 0.5],
    "balanced_accuracy": [0.4, 0.45, 0.5],
}


def score(value: float) -> dict[str, Any]:
    return {"value": value, "spread": 0.01, "interval_95": [value - 0.1, value + 0.1]}


def card(name: str) -> dict[str, Any]:
    """As training writes it, with figures that are easy to find again."""
    figures = {
        "emotions": ["happy", "angry", "sad"],
        "runs": 3,
        **{key: score(0.777) for key in ("accuracy", "balanced_accuracy", "brier_score", "log_loss")},
        "reliability": {"counts": [0, 4], "confidence": [None, 0.8], "accuracy": [None, 0.75]},
        "confusion": [[2, 0, 0], [1, 1, 0], [0, 0, 0]],
        "guessing": {"accuracy": 0.4, "balanced_accuracy": 0.3333, "brier_score": 0.6, "log_loss": 1.1},
    }
    gain = {"before": 0.9, "after": 0.6, "fall_95": [0.2, 0.4]}
    likeliest = {"without": {"mean": 0.8, "largest": 0.9}, "with": {"mean": 0.34, "largest": 0.35}}
    return {
        "architecture": name,
        "training": {"command": f"train {name}"},
        "data": {
            "name": "Tiles",
            "citation": "Painted here.",
            "licence": "free",
            "pictures": {"happy": 2},
            "themes": 2,
            "fingerprint": "f" * 64,
        },
        "metrics": {
            "default_emotions": figures,
            "all_emotions": figures,
            "calibration": {"default_emotions": {"brier_score": gain, "log_loss": gain}},
            "affect": {"pictures": 5, "valence": score(0.555), "arousal": score(0.111)},
            "no_scenes": {"pictures_of_each": 2, "even": 0.3333, "text": likeliest},
            "novelty": {
                "pictures_moved": 1,
                "default_emotions": {"balanced_accuracy": 0.777, "brier_score": 0.7, "log_loss": 0.7},
            },
        },
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "classifier"
    folder.mkdir()
    return folder


def made(results: Path) -> str:
    out = results.parent / "classifier.md"
    assert report.main([str(results), "--out", str(out)]) == 0
    return out.read_text(encoding="utf-8")


def test_every_row_is_there_with_its_command(results: Path) -> None:
    text = made(results)
    shipped = read(results, SHIPPED_WEIGHTS)
    for row in ROWS:
        assert f"`{row.name}" in text
        if not shipped.of(row):
            assert f"| `{row.name}` (pending) | `{row.example}` |" in text
    for known in shipped.cards:
        assert all(known["data"][part] for part in ("name", "citation", "licence")), "weights name their data"
        assert known["training"]["command"] in text
        value = known["metrics"]["default_emotions"]["balanced_accuracy"]
        assert f"{value['value']:.3f}" in text
        with Image.open(results / f"{known['architecture']}-confusion.png") as picture:
            assert picture.format == "PNG"
    assert "| thesis | real | pending: `python -m scenescore_classifier.gan table" in text


def taught(points: int, *, named: float) -> dict[str, Any]:
    """The curve of a distillation, a point for every thousand photographs."""
    curve = [
        {"photographs": n * 1000, "minutes": n * 3.0, "explained": [0.9, 0.8, 0.7, n / 100, named]}
        for n in range(1, points + 1)
    ]
    return {"settings": {"learning_rate": 0.002}, "views": 16, "curve": curve}


def test_results_go_before_what_ships_and_are_quoted_as_they_are(results: Path) -> None:
    for name in ("scene", "thesis-relu", "clip:tiny/x"):
        (results / f"{name.replace(':', '-').replace('/', '-')}.json").write_text(json.dumps(card(name)))
    (results / "distillation.json").write_text(json.dumps(taught(51, named=0.321)))
    (results / "distillation-2.json").write_text(json.dumps(taught(3, named=0.432)))
    text = made(results)
    assert text.count("0.777 ± 0.010 (0.677 to 0.877)") == 3 * 4 * 2
    assert "| `clip:tiny/x` | 3 |" in text
    assert "`clip:` (pending)" not in text
    assert "| `scene` | Brier score | 0.900 | 0.600 | 0.300 (0.200 to 0.400) |" in text
    assert "| `scene` | 5 | 0.555 ± 0.010 (0.455 to 0.655) | 0.111 ± 0.010 (0.011 to 0.211) |" in text
    assert "0.800 (0.900) → 0.340 (0.350)" in text
    assert "| 51,000 | 2.55 | 0.510 | 0.321 |" in text
    assert "| 3,000 | 0.15 | 0.030 | 0.321 |" in text
    assert sum(line.endswith("| 0.321 |") for line in text.splitlines()) == 17
    first, on = text.split("Taught on with 16 views of each photograph, at a rate of 0.002 at most;")
    assert "| 0.321 |" not in on
    assert "| 0.432 |" not in first
    assert "| 3,000 | 0.15 | 0.030 | 0.432 |" in on
    assert text.count("Painted here.") == 1
    assert (results / "scene-reliability.png").is_file()
    assert "(classifier/clip-tiny-x-reliability.png)" in text


@pytest.mark.parametrize(
    "changed",
    [
        {"curve": []},
        {"curve": [{"photographs": 1, "minutes": 1.0}]},
        {"curve": [{"photographs": 1, "minutes": 1.0, "explained": [0.5, 0.4, 0.3, 0.2]}]},
        {"settings": {}},
    ],
)
def test_a_curve_of_another_version_is_refused(
    results: Path, changed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "distillation.json").write_text(json.dumps(taught(2, named=0.3) | changed))
    assert report.main([str(results), "--out", str(results.parent / "classifier.md")]) == 1
    assert "teach again" in capsys.readouterr().err


def test_what_the_gan_brought_is_shown(results: Path) -> None:
    rows = results / "gan" / "rows-64"
    rows.mkdir(parents=True)
    for kind, gans in (("with", GANS), ("without", None)):
        (rows / f"thesis-{kind}.json").write_text(json.dumps({**GAN_ROW, "gans": gans}))
    emotion = results / "gan" / "sad"
    emotion.mkdir()
    (emotion / "grid.png").write_bytes(b"")
    near = {
        "made_to_real": {"median": 2.0, "least": 1.0},
        "real_to_other_real": {"median": 3.0, "least": 0.5},
    }
    quality = {
        "emotion": "sad",
        "form": "wgan",
        "side": 64,
        "step": 30,
        "batch": 16,
        "minutes": 10.0,
        "real": 61,
        "made": 200,
        "features": "painted@1234, hidden layer (64)",
        "frechet": {"made": 9.5, "floor": 1.5},
        "nearest": {"features": near},
    }
    (emotion / "quality.json").write_text(json.dumps(quality))
    text = made(results)
    assert (
        "| sad | wgan | 64 | 61 | 30 of 16 | 10.0 | 9.500 | 1.500 | 2.000 (1.000) | 3.000 (0.500) |" in text
    )
    assert "--count 200`; features: painted@1234, hidden layer (64)." in text
    assert "![sad](classifier/gan/sad/grid.png)" in text
    small, full = text.split("at 128x128")
    assert "no difference shown" in small
    assert "| thesis | real, 3 folds | 9 | 0.500 (0.500 to 0.500) |" in small
    assert "| thesis | real and 50 of each GAN (wgan, 64x64, 30 steps of 16) | 9 |" in small
    assert "--side 64 --run scene` |" in small
    budget = "--form wgan --folds 3 --iterations 9 --gan-steps 30 --batch 16 --gan-pictures 50"
    assert f"--side 64 --run thesis {budget}`" in small
    assert "| thesis | real and GAN | pending: `python" in full
    assert "--side 128 --run thesis` |" in full


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"architecture": "x", "metrics": {}}'])
def test_a_file_that_holds_no_results_is_named(
    results: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "odd.json").write_text(content)
    assert report.main([str(results), "--out", str(results / "x.md")]) == 1
    assert "odd.json" in capsys.readouterr().err
