"""Emotion6 and UnBiasedEmo as their folders come: what is taken over, what is left out, and that it can be read."""

import csv
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenescore_classifier.data import DatasetError, read_folder
from scenescore_classifier.data.import_set import main
from scenescore_classifier.data.importers.emotion6 import read_emotion6
from scenescore_classifier.data.importers.unbiasedemo import read_unbiasedemo
from scenescore_classifier.preprocessing import to_pixels

Paint = Callable[..., bytes]

HEADER = (
    "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]\t[prob. joy]"
    "\t[prob. sadness]\t[prob. surprise]\t[prob. neutral]"
)

JUDGEMENTS = """\
anger/1.jpg	2.5	7	0.9	0.1	0	0	0	0	0
anger/2.jpg	2	3	0.2	0	0	0	0.7	0	0.1
fear/1.jpg	2	8	0.4	0	0.4	0	0.2	0	0
joy/1.jpg	8	6	0	0	0	0.333333	0	0	0.666667
sadness/1.jpg	3	3	0	0	0	0	1	0	0
sadness/2.jpg	12	3	0	0	0	0	1	0	0
joy/2.jpg	8	6	0	0	0	0.1	0	0	0.1
joy/9.jpg	8	6	0	0	0	1	0	0	0
broken
"""


def put(root: Path, files: list[str], paint: Paint) -> None:
    for seed, name in enumerate(files):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(paint(seed, size=(24, 20)))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def emotion6(tmp_path: Path, paint: Paint) -> Path:
    root = tmp_path / "Emotion6"
    names = [
        f"images/{emotion}/{n}.jpg"
        for emotion in ("anger", "disgust", "fear", "joy", "Sadness")
        for n in (1, 2)
    ]
    put(root, [*names, "__MACOSX/images/anger/1.jpg", "__MACOSX/images/joy/1.jpg"], paint)
    (root / "images" / "anger" / "Thumbs.db").write_bytes(b"x")
    (root / "ground_truth.txt").write_text(f"{HEADER}\n{JUDGEMENTS}", encoding="utf-8")
    return root


def test_emotion6_by_folder(emotion6: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    # the folder around it does as well
    assert main(["emotion6", str(emotion6.parent), "--out", str(out)]) == 0
    assert Counter(row["emotion"] for row in rows(out)) == {"happy": 2, "angry": 2, "sad": 2}
    by_file = {row["file"]: row for row in rows(out)}
    assert by_file["pictures/anger/1.jpg"] == {
        "file": "pictures/anger/1.jpg",
        "emotion": "angry",
        "valence": "2.5",
        "arousal": "7",
        "scale": "1-9",
        "theme": "",
    }
    assert by_file["pictures/Sadness/2.jpg"]["valence"] == ""
    shown = capsys.readouterr().out
    assert "6 pictures: angry 2, happy 2, sad 2" in shown
    assert "left out 2: fear has no counterpart" in shown
    assert "left out 1: 12 is outside 1 to 9" in shown
    assert "left out 1: named in ground_truth.txt, but not there" in shown
    assert "left out 1: no picture by its name" in shown
    with (out / "left_out.csv").open(newline="", encoding="utf-8") as file:
        assert ["ground_truth.txt line 10", "1 columns instead of 10"] in list(csv.reader(file))

    dataset = read_folder(out, prepare=partial(to_pixels, side=16))
    assert dataset.skipped == ()
    assert len(set(dataset.themes)) == 6
    assert any("tell no theme" in warning for warning in dataset.warnings)
    assert dataset.affect is not None
    assert dataset.affect[dataset.files.index("pictures/anger/1.jpg")].tolist() == [-0.625, 0.5]


def test_emotion6_by_what_most_raters_chose(emotion6: Path) -> None:
    imported = read_emotion6(emotion6, {}, majority=True)
    assert {found.file: found.emotion for found in imported.found} == {
        "anger/1.jpg": "angry",
        "anger/2.jpg": "sad",
        "Sadness/1.jpg": "sad",
    }
    left_out = {item.file: item.reason for item in imported.left_out}
    assert left_out["fear/1.jpg"] == "raters torn between anger and fear"
    assert left_out["joy/1.jpg"] == "neutral has no counterpart"
    assert left_out["joy/2.jpg"] == "not in ground_truth.txt"
    assert left_out["ground_truth.txt line 8"] == "shares that don't add up to 1"


def test_emotion6_keeps_ratings_of_other_emotions_when_asked(emotion6: Path) -> None:
    assert main(["emotion6", str(emotion6 / "images"), "--out", str(emotion6), "--keep-unlabelled"]) == 0
    unlabelled = [row for row in rows(emotion6) if not row["emotion"]]
    assert [(row["file"], row["valence"]) for row in unlabelled] == [("images/fear/1.jpg", "2")]
    assert not (emotion6 / "pictures").exists()  # the table lies beside them
    assert (
        read_folder(emotion6, prepare=partial(to_pixels, side=8), unlabelled=True).labels == -1
    ).sum() == 1
    # a table with somebody's changes is not overwritten
    assert main(["emotion6", str(emotion6), "--out", str(emotion6)]) == 1


def test_a_majority_needs_the_ground_truth(emotion6: Path) -> None:
    (emotion6 / "ground_truth.txt").unlink()
    with pytest.raises(DatasetError, match=r"ground_truth\.txt"):
        read_emotion6(emotion6, {}, majority=True)
    imported = read_emotion6(emotion6, {})
    assert len(imported.found) == 6
    assert "without valence" in imported.warnings[0]


@pytest.mark.parametrize("copy", [False, True])
def test_unbiasedemo(tmp_path: Path, paint: Paint, capsys: pytest.CaptureFixture[str], copy: bool) -> None:  # noqa: FBT001
    root, out = tmp_path / "set", tmp_path / "out"
    files = ["Dog/1.jpg", "Dog/2.jpg", "cat/cat/3.jpg"]
    emotions = ("anger", "fear", "joy", "love", "sadness", "surprise")
    put(root / "UnBiasedEmo" / "images", [f"{e}/{file}" for e in emotions for file in files], paint)
    put(root / "UnBiasedEmo" / "images", ["joy/joy/beach_1.jpg"], lambda *_, **__: paint(99))
    command = [
        "unbiasedemo",
        str(root),
        "--out",
        str(out),
        "--map",
        "fear=sad",
        "--map",
        "anger=",
        *["--copy"] * copy,
    ]
    assert main(command) == 0
    assert "13 pictures: happy 7, sad 6" in capsys.readouterr().out
    dataset = read_folder(out, prepare=partial(to_pixels, side=8))
    assert set(dataset.themes) == {"dog", "cat", "beach"}
    assert dataset.skipped == ()
    assert dataset.affect is None
    assert (out / "pictures" / "joy" / "Dog" / "1.jpg").is_symlink() is not copy
    # stopped before the table was written: the same command goes on
    (out / "labels.csv").unlink()
    assert main(command) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [(["--map", "hate=angry"], "no 'hate'"), (["--map", "fear=scared"], "none of our emotions")],
)
def test_maps_name_emotions(
    emotion6: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], said: str
) -> None:
    assert main(["emotion6", str(emotion6), "--out", str(tmp_path / "out"), *changes]) == 1
    assert said in capsys.readouterr().err


def test_folders_that_are_no_set_are_refused(tmp_path: Path, paint: Paint) -> None:
    with pytest.raises(DatasetError, match="no folder"):
        read_unbiasedemo(tmp_path / "nowhere", {})
    with pytest.raises(DatasetError, match="no folders named"):
        read_unbiasedemo(tmp_path, {})
    put(tmp_path, ["a/joy/1.jpg", "a/fear/1.jpg", "b/joy/1.jpg", "b/fear/1.jpg"], paint)
    with pytest.raises(DatasetError, match="name one of them"):
        read_unbiasedemo(tmp_path, {})


def test_one_set_is_not_imported_as_the_other(emotion6: Path, tmp_path: Path, paint: Paint) -> None:
    with pytest.raises(DatasetError, match="folder 'disgust', so it seems to be the set emotion6"):
        read_unbiasedemo(emotion6, {})
    other = tmp_path / "UnBiasedEmo"
    put(other, ["joy/dog/1.jpg", "Love/dog/1.jpg", "anger/dog/1.jpg"], paint)
    with pytest.raises(DatasetError, match="folder 'love', so it seems to be the set unbiasedemo"):
        read_emotion6(other, {})


def test_names_that_no_table_can_hold_are_left_out(tmp_path: Path, paint: Paint) -> None:
    put(tmp_path, ["joy/a.jpg", "joy/\udcff.jpg", 'joy/b,\n".jpg', "fear/c.jpg"], paint)
    imported = read_unbiasedemo(tmp_path, {})
    assert {found.file for found in imported.found} == {"joy/a.jpg", 'joy/b,\n".jpg'}
    assert any("can't hold" in item.reason for item in imported.left_out)
    assert main(["unbiasedemo", str(tmp_path), "--out", str(tmp_path / "out"), "--map", "fear=sad"]) == 0
    assert len(read_folder(tmp_path / "out", prepare=partial(to_pixels, side=8)).labels) == 3


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.lists(
                st.sampled_from(
                    [
                        "anger/1.jpg",
                        "../../../etc/passwd",
                        "5",
                        "0.5",
                        "0",
                        "1",
                        "nan",
                        "inf",
                        "",
                        "[prob. joy]",
                        "\0",
                    ]
                ),
                max_size=11,
            ).map("\t".join),
            max_size=6,
        ).map(lambda lines: "\n".join([HEADER, *lines]).encode()),
    )
)
def test_no_ground_truth_breaks_the_import(tmp_path: Path, paint: Paint, data: bytes) -> None:
    put(tmp_path, ["anger/1.jpg", "joy/1.jpg"], paint)
    (tmp_path / "ground_truth.txt").write_bytes(data)
    imported = read_emotion6(tmp_path, {})
    assert [(found.file, found.emotion) for found in imported.found] == [
        ("anger/1.jpg", "angry"),
        ("joy/1.jpg", "happy"),
    ]
