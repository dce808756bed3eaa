"""Folders of pictures: both layouts, a reason for every file left out, and splits that never part a theme."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scenescore_classifier.data import DatasetError, Skipped, read_folder, split_by_theme, theme_from_name
from scenescore_classifier.preprocessing import decode, to_pixels

Paint = Callable[..., bytes]


def test_labels_csv_gives_emotions_and_themes(labelled_folder: Path) -> None:
    dataset = read_folder(labelled_folder)
    assert dataset.emotions == ("happy", "angry", "sad")
    assert dataset.labels.tolist() == [0, 1, 2] * 4
    assert dataset.themes == tuple(f"theme {number % 6}" for number in range(12))
    assert dataset.pixels.shape == (12, 3, 150, 150)
    assert torch.equal(dataset.pixels[5], to_pixels(decode((labelled_folder / "5.jpg").read_bytes())))
    assert dataset.skipped == ()


def test_a_folder_per_emotion_takes_themes_from_names(tmp_path: Path, paint: Paint) -> None:
    for seed, name in enumerate(
        ["Happy/beach_1.jpg", "Happy/beach_2.jpg", "sad/rain 01.png", "sad/deep/7.jpg"]
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(paint(seed))
    (tmp_path / ".hidden").write_bytes(b"x")
    dataset = read_folder(tmp_path)
    assert dataset.emotions == ("happy", "sad")
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert dataset.themes == ("beach", "beach", "sad/deep/7", "rain")
    assert dataset.skipped == ()


@pytest.mark.parametrize(
    ("file", "theme"),
    [
        ("a/dog_29.jpg", "dog"),
        ("dog29.png", "dog"),
        ("dog (3).jpg", "dog"),
        ("sad face 4.jpg", "sad face"),
        ("0001.jpg", "0001"),
        ("dog.jpg", "dog"),
        ("route66 night.jpg", "route66 night"),
        ("a/0001.jpg", "a/0001"),
        ("a/IMG_1234.jpg", "a/IMG_1234"),
        ("IMG-20190101-WA0003.jpg", "IMG-20190101-WA0003"),
        ("_DSC01234.JPG", "_DSC01234"),
        ("P1010001.jpg", "P1010001"),
        ("PXL_20230101_120000000.jpg", "PXL_20230101_120000000"),
        ("100_1234.jpg", "100_1234"),
        ("2019-05-03 12.13.14.jpg", "2019-05-03 12.13.14"),
        ("Screenshot 2020-01-01 at 10.00.00.png", "Screenshot 2020-01-01 at 10.00.00"),
        ("image (3).png", "image (3)"),
        ("image_of_dog_3.png", "image_of_dog"),
        ("park 7.jpg", "park"),
        ("P7.jpg", "P"),
    ],
)
def test_themes_are_names_without_their_number(file: str, theme: str) -> None:
    assert theme_from_name(file) == theme


def test_names_that_cameras_give_make_no_theme_and_that_is_said(tmp_path: Path, paint: Paint) -> None:
    for seed, name in enumerate(["happy/IMG_1.jpg", "happy/IMG_2.jpg", "sad/IMG_1.jpg", "sad/rain_1.jpg"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(paint(seed))
    dataset = read_folder(tmp_path, prepare=partial(to_pixels, side=16))
    assert dataset.themes == ("happy/IMG_1", "happy/IMG_2", "sad/IMG_1", "rain")
    (warning,) = dataset.warnings
    assert warning.startswith("3 of 4 pictures: names such as IMG_1.jpg tell no theme")
    assert "labels.csv" in warning


def test_many_pictures_are_decoded_at_the_size_asked_for(labelled_folder: Path) -> None:
    small = read_folder(labelled_folder, prepare=partial(to_pixels, side=32))
    assert small.pixels.shape == (12, 3, 32, 32)
    assert small.pixels.is_contiguous()
    assert small.fingerprint == read_folder(labelled_folder).fingerprint


def test_every_file_left_out_has_a_reason(labelled_folder: Path, paint: Paint) -> None:
    (labelled_folder / "half.jpg").write_bytes(paint(50)[:900])
    shutil.copy(labelled_folder / "3.jpg", labelled_folder / "copy.jpg")
    (labelled_folder.parent / "outside.jpg").write_bytes(paint(51))
    with (labelled_folder / "labels.csv").open("a", encoding="utf-8") as labels:
        labels.write(
            "half.jpg,sad,x\ncopy.jpg,sad,x\ngone.jpg,sad,x\n../outside.jpg,sad,x\n/etc/hosts,sad,x\n"
            "4.jpg,,x\n5.jpg,bored,x\n6.jpg"
        )
    dataset = read_folder(labelled_folder)
    reasons = {skipped.file: skipped.reason for skipped in dataset.skipped}
    assert "can't be read as a picture" in reasons.pop("half.jpg")
    assert reasons == {
        "copy.jpg": "same bytes as 3.jpg",
        "gone.jpg": "can't be opened",
        "/etc/hosts": "outside the folder",
        "../outside.jpg": "outside the folder",
        "4.jpg": "no emotion given",
        "5.jpg": "unknown emotion: bored",
        "6.jpg": "no emotion given",
    }
    assert len(dataset.labels) == 12


def test_folders_that_are_no_emotion_are_reported(tmp_path: Path, paint: Paint) -> None:
    for seed, name in enumerate(["happy", "angry", "boredom"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(paint(seed))
    (tmp_path / "loose.jpg").write_bytes(paint(9))
    assert read_folder(tmp_path).skipped == (
        Skipped("boredom/1.jpg", "unknown emotion: boredom"),
        Skipped("loose.jpg", "no emotion given"),
    )


def test_a_folder_of_one_emotion_teaches_nothing(tmp_path: Path, paint: Paint) -> None:
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "1.jpg").write_bytes(paint())
    with pytest.raises(DatasetError, match="1 emotions"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "table", [b"", b"name,label\n1.jpg,sad\n", b"file,emotion\n", b"file,emotion\n\xff\xfe,sad\n"]
)
def test_tables_without_the_columns_are_refused(tmp_path: Path, table: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(table)
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        read_folder(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        read_folder(tmp_path / "nowhere")


def test_the_fingerprint_follows_pictures_and_labels(labelled_folder: Path) -> None:
    before = read_folder(labelled_folder).fingerprint
    assert read_folder(labelled_folder).fingerprint == before
    labels = labelled_folder / "labels.csv"
    labels.write_text(
        labels.read_text(encoding="utf-8").replace("0.jpg,happy", "0.jpg,sad"), encoding="utf-8"
    )
    assert read_folder(labelled_folder).fingerprint != before


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=60),
    st.integers(2, 5),
    st.integers(0, 2**32),
)
def test_no_theme_is_on_both_sides_of_a_split(pictures: list[tuple[int, int]], folds: int, seed: int) -> None:
    labels = np.array([emotion for emotion, _ in pictures])
    themes = [str(theme) for _, theme in pictures]
    if len(set(themes)) < folds:
        with pytest.raises(DatasetError, match="folds"):
            split_by_theme(labels, themes, folds, np.random.default_rng(seed))
        return
    fold_of = split_by_theme(labels, themes, folds, np.random.default_rng(seed))
    assert len(fold_of) == len(pictures)
    for fold in range(folds):
        inside = {theme for theme, f in zip(themes, fold_of, strict=True) if f == fold}
        outside = {theme for theme, f in zip(themes, fold_of, strict=True) if f != fold}
        assert not inside & outside


def test_folds_resemble_each_other() -> None:
    labels = np.repeat([0, 1, 2], [50, 25, 25])
    themes = [f"{number // 5}" for number in range(100)]
    fold_of = split_by_theme(labels, themes, 5, np.random.default_rng(0))
    assert [np.bincount(labels[fold_of == fold]).tolist() for fold in range(5)] == [[10, 5, 5]] * 5


def test_the_seed_decides_the_split() -> None:
    labels, themes = np.zeros(40, dtype=np.int64), [str(number) for number in range(40)]
    first, again, other = (
        split_by_theme(labels, themes, 4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()
