"""Review: pictures reach training by hand, whole, with their provenance, and never a test fold."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from scenescore_classifier.data import read_folder
from scenescore_classifier.gan import review as reviewing
from scenescore_classifier.gan.networks import Generator
from scenescore_classifier.gan.review import ReviewError, admit, real_only, reject, split_real
from scenescore_classifier.gan.sampling import sample, write_for_review

MODEL = "ab" * 32


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """A review folder with three pictures of happy and two of sad."""
    generator = Generator(64, torch.Generator().manual_seed(0), width=16)
    for emotion, count in (("happy", 3), ("sad", 2)):
        write_for_review(tmp_path / "review", emotion, sample(generator, count, 5), model=MODEL, seed=5)
    return tmp_path / "review"


def admitted(review: Path, training: Path, *patterns: str) -> list[Path]:
    return admit(review, training, patterns, by="ann", at="2026-01-01T00:00:00+00:00")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_picture_does_not_depend_on_how_many_are_made() -> None:
    generator = Generator(64, torch.Generator().manual_seed(0), width=16)
    few, many = sample(generator, 2, 5), sample(generator, 70, 5)
    assert int((few.int() - many[:2].int()).abs().max()) <= 1  # convolutions of other batches round otherwise
    assert torch.equal(few, sample(generator, 2, 5))
    assert generator.training


def test_admitted_pictures_are_read_as_training_pictures_and_keep_their_provenance(
    review: Path, tmp_path: Path
) -> None:
    training = tmp_path / "training"
    assert len(admitted(review, training, "*")) == 5
    assert not files_in(review)
    dataset = read_folder(training)
    assert len(dataset.labels) + len(dataset.skipped) == 5
    assert dataset.emotions == ("happy", "sad") or dataset.skipped
    name = "happy/gan-abababab-s5-i00001"
    assert (training / f"{name}.png").is_file()
    kept = json.loads((training / ".generated" / f"{name}.json").read_text())
    assert kept == {
        "generated": True,
        "emotion": "happy",
        "model_sha256": MODEL,
        "seed": 5,
        "index": 1,
        "admitted_by": "ann",
        "admitted_at": "2026-01-01T00:00:00+00:00",
    }


def test_only_chosen_pictures_are_admitted(review: Path, tmp_path: Path) -> None:
    training = tmp_path / "training"
    admitted(review, training, "happy/*00000.png")
    assert files_in(training) == {
        "happy/gan-abababab-s5-i00000.png",
        ".generated/happy/gan-abababab-s5-i00000.json",
    }
    assert len(files_in(review)) == 2 * 4
    with pytest.raises(ReviewError, match="look there for names"):
        admitted(review, training, "angry/*")


def test_nothing_is_overwritten_or_half_moved(review: Path, tmp_path: Path) -> None:
    training = tmp_path / "training"
    taken = training / "sad" / "gan-abababab-s5-i00001.png"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"another")
    before = files_in(review)
    with pytest.raises(ReviewError, match="is another picture"):
        admitted(review, training, "*")
    assert files_in(review) == before
    assert files_in(training) == {"sad/gan-abababab-s5-i00001.png"}
    assert taken.read_bytes() == b"another"


def test_a_full_disk_takes_everything_back(
    review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, calls = reviewing._place, []

    def fails_later(move: reviewing.Move) -> bool:
        calls.append(move)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        return place(move)

    monkeypatch.setattr(reviewing, "_place", fails_later)
    before = files_in(review)
    with pytest.raises(OSError, match="No space"):
        admitted(review, tmp_path / "training", "*")
    assert files_in(review) == before
    assert not files_in(tmp_path / "training")
    monkeypatch.undo()
    assert len(admitted(review, tmp_path / "training", "*")) == 5


def test_foreign_pictures_are_not_admitted(review: Path, tmp_path: Path) -> None:
    picture = review / "happy" / "gan-abababab-s5-i00000.png"
    picture.rename(review / "sad" / "gan-moved.png")
    with pytest.raises(ReviewError, match="can't be read"):
        admitted(review, tmp_path / "training", "sad/*")
    picture.with_suffix(".json").rename(review / "sad" / "gan-moved.json")
    with pytest.raises(ReviewError, match="no generated picture of sad"):
        admitted(review, tmp_path / "training", "sad/*")


def test_a_folder_with_a_table_of_labels_is_refused(review: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion\n")
    with pytest.raises(ReviewError, match=r"labels\.csv"):
        admitted(review, tmp_path, "*")


def test_rejected_pictures_are_gone_with_their_provenance(review: Path) -> None:
    assert len(reject(review, ["happy/*"])) == 3
    assert all(name.startswith("sad/") for name in files_in(review))


def test_generated_pictures_are_never_tested_on(labelled_folder: Path, review: Path, tmp_path: Path) -> None:
    training = tmp_path / "training"
    for number in range(12):
        emotion = ("happy", "angry", "sad")[number % 3]
        (training / emotion).mkdir(parents=True, exist_ok=True)
        (labelled_folder / f"{number}.jpg").rename(training / emotion / f"{number}.jpg")
    admitted(review, training, "*")
    dataset = read_folder(training)
    generated = np.array([theme.startswith("gan-") for theme in dataset.themes])
    fold_of = split_real(dataset.labels, dataset.themes, 2, np.random.default_rng(0))
    assert generated.any()
    assert set(fold_of[generated]) == {-1}
    assert set(fold_of[~generated]) == {0, 1}
    assert len(real_only(dataset).pixels) == 12
