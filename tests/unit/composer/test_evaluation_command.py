"""The evaluation as a command: folders in, one document out, and what is missing said."""

import csv
import json
from pathlib import Path

import pytest

from scenescore_composer import midi
from scenescore_composer.evaluation import judges
from scenescore_composer.evaluation.__main__ import main
from scenescore_composer.evaluation.controls import random_notes

_EMOTIONS = ("happy", "angry", "sad")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "labelled"
    folder.mkdir()
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["path", "emotion", "song"])
        for emotion in _EMOTIONS:
            for place in range(7):
                path = f"{emotion}-{place}.mid"
                (folder / path).write_bytes(midi.write(random_notes(emotion, place, seconds=6)))
                table.writerow([path, emotion, f"{emotion} {place}"])
    return folder


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    folder = tmp_path / "generated"
    for emotion in _EMOTIONS:
        _write(folder / emotion, emotion, range(50, 52))
    _write(folder / "mix-happy-sad-0.5", "angry", range(60, 61))
    _write(folder / "clips", "happy", [50])
    (folder / "happy" / "50.json").write_text(json.dumps({"clips": ["50"]}))
    (folder / "sad" / "99.mid").write_bytes(b"no music")
    return folder


def _write(folder: Path, emotion: str, seeds: range | list[int]) -> None:
    folder.mkdir(parents=True)
    for seed in seeds:
        (folder / f"{seed}.mid").write_bytes(midi.write(random_notes(emotion, seed, seconds=6)))


def test_writes_one_document_and_makes_it_again_without_the_data(
    tmp_path: Path, labelled: Path, generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "_TREES", 8)
    near = tmp_path / "others.txt"
    near.write_text("\n".join(f"labelled/{path.name}" for path in sorted(labelled.glob("*.mid"))))
    out = tmp_path / "docs" / "composer"
    task = [str(generated), "--judge-clips", str(labelled), "--near", str(labelled), "--near", str(near)]

    assert (
        main(
            [*task, "--beside", f"again={generated}", "--out", str(out), "--controls", "2", "--seconds", "6"]
        )
        == 0
    )

    result = json.loads((out / "result.json").read_text())
    names = [
        "generated",
        "again",
        "real clips",
        "the same clips, the thesis's way",
        "random notes under a rule",
    ]
    assert [row["name"] for row in result["rows"]] == names
    assert result["rows"][0]["novelty"]["longest_in"] == "happy/50.mid"
    assert result["rows"][0]["novelty"]["longest"] == len(random_notes("happy", 50, seconds=6).notes)
    assert sum(map(sum, result["rows"][2]["judges"]["linear"]["confusion"])) == 21
    assert [step["pieces"] for step in result["monotonicity"][0]["steps"]] == [2, 1, 2]
    assert any("steps between happy and sad" in sentence for sentence in result["missing"])
    assert any("99.mid" in sentence for sentence in result["missing"])
    document = (tmp_path / "docs" / "composer.md").read_text()
    assert "Mixes included, 0 of 7 pieces of *generated* collapsed." in document
    assert "| random notes under a rule | 6 |" in document
    assert "![happy, happy/50.mid](composer/happy.png)" in document

    (tmp_path / "docs" / "composer.md").unlink()
    assert main(["--again", "--out", str(out)]) == 0
    assert (tmp_path / "docs" / "composer.md").read_text() == document
    (out / "notes.md").write_text("## By hand\n\nMeasured elsewhere.\n")
    assert main(["--again", "--out", str(out)]) == 0
    assert (
        "## By hand\n\nMeasured elsewhere.\n\n## Piano rolls"
        in (tmp_path / "docs" / "composer.md").read_text()
    )


def test_says_what_it_needs(tmp_path: Path, labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "composer")]) == 1
    assert "--judge-clips" in capsys.readouterr().err
    assert main(["--again", "--out", str(tmp_path / "composer")]) == 1
    assert "run the evaluation first" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), "--judge-clips", str(labelled)]) == 1
    assert "no pieces" in capsys.readouterr().err
