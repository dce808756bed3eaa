"""labels.csv: ratings on any scale, emotions from them only when asked for, and tables that are broken or hostile."""

import csv
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenescore_classifier.data import (
    Affect,
    DatasetError,
    Entry,
    Scale,
    Skipped,
    read_folder,
    split_by_theme,
    split_inside,
)
from scenescore_classifier.data.affect import emotion_of
from scenescore_classifier.data.tables import TableRules, list_table
from scenescore_classifier.preprocessing import to_pixels

Paint = Callable[..., bytes]


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def items(folder: Path, text: str, **rules: object) -> tuple[Entry | Skipped, ...]:
    return list_table(table(folder, text), TableRules(**rules)).items  # type: ignore[arg-type]


def reasons(folder: Path, text: str, **rules: object) -> dict[str, str]:
    return {item.file: item.reason for item in items(folder, text, **rules) if isinstance(item, Skipped)}


@pytest.fixture
def rated_folder(tmp_path: Path, paint: Paint) -> Path:
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(paint(number, size=(40, 30)))
    table(
        tmp_path,
        "file,Emotion,valence,arousal,valence_sd,theme\n0.jpg,happy,7,4,1.5,a\n1.jpg,sad,,,,b\n2.jpg,,1,7,,c\n"
        "3.jpg,,4.3,7,0,d\n4.jpg,,6,,,e\n5.jpg,,,,,f\n",
    )
    return tmp_path


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1-9", 1, 9),
        ("-1-1", -1, 1),
        ("-1--0.5", -1, -0.5),
        ("0..100", 0, 100),
        (" 1 : 7 ", 1, 7),
        ("1 to 5", 1, 5),
    ],
)
def test_scales_are_read(text: str, low: float, high: float) -> None:
    assert Scale.parse(text) == Scale(low, high)


@pytest.mark.parametrize(
    "text", ["", "9", "9-1", "1-1", "a-b", "1-9-", "nan-1", f"1-{'9' * 400}", "\u0661-\u0669"]
)
def test_what_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="no scale"):
        Scale.parse(text)


def test_scales_are_brought_to_one() -> None:
    scale = Scale(1, 9)
    assert [scale.position(text) for text in ("1", "5", "9", "6.5")] == [-1, 0, 1, 0.375]
    assert scale.spread("2") == 0.5
    for text in ("0.99", "9.1", "nan", "inf", "1,5", "x"):
        with pytest.raises(ValueError, match=r"outside|no number"):
            scale.position(text)
    with pytest.raises(ValueError, match="standard deviation"):
        scale.spread("-1")


def test_ratings_come_beside_emotions(rated_folder: Path) -> None:
    dataset = read_folder(
        rated_folder, scale=Scale(1, 7), unlabelled=True, prepare=partial(to_pixels, side=24)
    )
    assert dataset.pixels.shape == (5, 3, 24, 24)
    assert dataset.emotions == ("happy", "sad")
    assert dataset.labels.tolist() == [0, 1, -1, -1, -1]
    assert dataset.files == tuple(f"{number}.jpg" for number in range(5))
    assert dataset.skipped == (Skipped("5.jpg", "no emotion given"),)
    assert dataset.affect is not None
    assert dataset.affect_sd is not None
    nan = float("nan")
    expected: list[list[float]] = [[1, 0], [nan, nan], [-1, 1], [0.1, 1], [2 / 3, nan]]
    assert np.allclose(dataset.affect, expected, equal_nan=True)
    spreads: list[list[float]] = [[0.5, nan], [nan, nan], [nan, nan], [0, nan], [nan, nan]]
    assert np.allclose(dataset.affect_sd, spreads, equal_nan=True)


def test_pictures_without_an_emotion_are_left_out_unless_asked_for(rated_folder: Path) -> None:
    dataset = read_folder(rated_folder, scale=Scale(1, 7))
    assert dataset.labels.tolist() == [0, 1]
    assert {skipped.file for skipped in dataset.skipped} == {"2.jpg", "3.jpg", "4.jpg", "5.jpg"}


def test_ratings_without_a_scale_are_not_used_and_that_is_said(rated_folder: Path) -> None:
    dataset = read_folder(rated_folder)
    assert dataset.affect is None
    assert any("scale" in warning for warning in dataset.warnings)


def test_emotions_follow_from_ratings_only_when_asked_for(rated_folder: Path) -> None:
    dataset = read_folder(rated_folder, scale=Scale(1, 7), dead_zone=0.2)
    assert [dataset.emotions[label] for label in dataset.labels] == ["happy", "sad", "angry"]
    assert {s.file: s.reason for s in dataset.skipped}["3.jpg"].endswith("too near the middle")
    assert (
        "1 of 3 pictures: the emotion is that of valence and arousal, nobody named one." in dataset.warnings
    )


@pytest.mark.parametrize(
    ("valence", "arousal", "emotion"),
    [
        (0.5, 0.5, "happy"),
        (-0.5, 0.5, "angry"),
        (-0.5, -0.5, "sad"),
        (0.5, -0.5, "calm"),
        (0.2, -0.2, "calm"),
        (0.9, 0.19, None),
        (0.0, 0.0, None),
        (None, 1.0, None),
    ],
)
def test_quadrants(valence: float | None, arousal: float | None, emotion: str | None) -> None:
    assert emotion_of(Affect(valence, arousal), 0.2) == emotion


def test_a_dead_zone_is_less_than_everything(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="dead zone"):
        read_folder(tmp_path, dead_zone=1.0)


def test_the_column_scale_goes_first(tmp_path: Path) -> None:
    text = "file,valence,arousal,scale\na.jpg,9,1,1-9\nb.jpg,9,1,1-17\nc.jpg,7,1,\n"
    found = items(tmp_path, text, scale=Scale(1, 7))
    affects = [item.affect for item in found if isinstance(item, Entry)]
    assert affects == [Affect(1, -1), Affect(0, -1), Affect(1, -1)]


def test_each_bad_row_has_a_reason(tmp_path: Path) -> None:
    text = (
        "file,emotion,valence,arousal,valence_sd,scale\n"
        "a.jpg,happy,8,4,,\nb.jpg,happy,x,4,,\nc.jpg,happy,4,4,-1,\nd.jpg,happy,4,4,,big\n,happy,,,,\n,,,,,\n"
        "\ne.jpg,joy,,,,\nf.jpg,happy,nan,1,,\n"
    )
    assert reasons(tmp_path, text, scale=Scale(1, 7)) == {
        "a.jpg": "valence 8 is outside 1 to 7",
        "b.jpg": "valence x is no number",
        "c.jpg": "valence_sd -1 is no standard deviation on a scale from 1 to 7",
        "d.jpg": "'big' is no scale: give its lowest and highest value, such as 1-9 or -1-1",
        "line 6": "no file given",
        "line 7": "empty row",
        "e.jpg": "unknown emotion: joy",
        "f.jpg": "valence nan is no number",
    }


def test_rows_that_contradict_each_other_do_not_count(tmp_path: Path) -> None:
    found = items(
        tmp_path,
        "file,emotion,theme\na.jpg,happy,x\n./a.jpg,sad,x\nb.jpg,sad,x\nb.jpg,sad,y\nc.jpg,sad,x\nc.jpg,sad,x\n",
    )
    assert found == (
        Skipped("a.jpg", "named twice with different emotions: happy, sad"),
        Skipped("./a.jpg", "named twice with different emotions: happy, sad"),
        Skipped("b.jpg", "named twice with different themes or ratings"),
        Skipped("b.jpg", "named twice with different themes or ratings"),
        Entry("c.jpg", "sad", "x"),
        Skipped("c.jpg", "named twice"),
    )


@pytest.mark.parametrize("text", ["file,file,emotion\na,b,sad\n", "file;emotion\na;sad\n", "emotion\nsad\n"])
def test_tables_that_can_not_be_understood_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        list_table(table(tmp_path, text), TableRules())


def test_hostile_names_are_reported(labelled_folder: Path) -> None:
    os.mkfifo(labelled_folder / "pipe.jpg")
    names = {
        "pipe.jpg": "can't be opened: no plain file",
        ".": "can't be opened: no plain file",
        "/dev/zero": "outside the folder",
        "a/../../b.jpg": "outside the folder",
        "x" * 5000: "can't be opened",
        "null\0.jpg": "can't be opened",
        "line\nbreak.jpg": "can't be opened",
        "=cmd|' /C calc'!A0": "can't be opened",
        "\u202egpj.exe": "can't be opened",
    }
    with (labelled_folder / "labels.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([name, "sad", "x"] for name in names)
    skipped = {
        item.file: item.reason
        for item in read_folder(labelled_folder, prepare=partial(to_pixels, side=8)).skipped
    }
    # how a name with a null character fails is Python's business
    assert skipped.pop("null\0.jpg").startswith(names.pop("null\0.jpg"))
    assert skipped == names


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.lists(
                st.sampled_from(
                    [
                        "a.jpg",
                        "b.jpg",
                        "",
                        "happy",
                        "sad",
                        "5",
                        "nan",
                        "1e999",
                        "1-9",
                        "\0",
                        '"',
                        "\r",
                        "..",
                        "é",
                        "-0",
                        "x" * 140_000,
                    ]
                ),
                max_size=7,
            ),
            max_size=6,
        ).map(
            lambda rows: "\n".join(
                ["file,emotion,valence,arousal,valence_sd,scale,theme", *(",".join(row) for row in rows)]
            ).encode()
        ),
    )
)
def test_no_table_breaks_the_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            listing = list_table(path, TableRules(Scale(1, 9), 0.1))
        except DatasetError:
            return
    for item in listing.items:
        if isinstance(item, Skipped):
            assert item.reason
        else:
            assert item.file
            assert item.theme
            assert item.emotion or item.affect
            known = (
                [v for v in (item.affect.valence, item.affect.arousal) if v is not None]
                if item.affect
                else []
            )
            assert all(-1 <= value <= 1 for value in known)


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 9)), min_size=1, max_size=60), st.integers(0, 99)
)
def test_inner_folds_part_no_theme_and_leave_the_held_out_alone(
    pictures: list[tuple[int, int]], seed: int
) -> None:
    labels = np.array([emotion for emotion, _ in pictures])
    themes = [str(theme) for _, theme in pictures]
    if len(set(themes)) < 6:
        return
    fold_of = split_by_theme(labels, themes, 2, np.random.default_rng(seed))
    if len({theme for theme, fold in zip(themes, fold_of, strict=True) if fold == 0}) < 2:
        return
    inner = split_inside(labels, themes, 2, np.random.default_rng(seed), fold_of=fold_of, held_out=1)
    assert ((inner == -1) == (fold_of == 1)).all()
    sides = [{t for t, i in zip(themes, inner, strict=True) if i == side} for side in (-1, 0, 1)]
    assert sum(len(side) for side in sides) == len(set(themes))
