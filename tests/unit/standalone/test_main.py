"""The command line: every mistake is a sentence and an exit status, every result a line or an object."""

import json
from pathlib import Path

import pytest
from miditoolkit import MidiFile
from PIL import Image
from samples.checks import assert_music
from samples.midi import write_corpus
from samples.pictures import jpeg
from samples.soundfonts import write_soundfont

from scenescore_classifier import checkpoint
from scenescore_standalone.demo_picture import paint
from scenescore_standalone.main import main


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with a tiny corpus."""
    folder = tmp_path_factory.mktemp("data")
    corpus = write_corpus(tmp_path_factory.mktemp("corpus") / "tiny", per_emotion=6)
    assert main(["corpus", "import", str(corpus), "--data-dir", str(folder)]) == 0
    return str(folder)


@pytest.fixture(autouse=True)
def _tiny_composer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENESCORE_COMPOSER__TRAINING_TOKENS", "700")
    monkeypatch.setenv("SCENESCORE_COMPOSER__CANDIDATES", "2")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "scene.jpg"
    path.write_bytes(jpeg(1))
    return path


def test_a_picture_becomes_music(
    data_dir: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mid"
    compose = [
        "compose",
        str(picture),
        "-o",
        str(out),
        "--seconds",
        "12",
        "--seed",
        "7",
        "--data-dir",
        data_dir,
    ]
    assert main(compose) == 0
    said = capsys.readouterr().out
    assert "happy" in said
    assert "seed 7" in said
    assert str(out) in said
    assert_music(out.read_bytes(), seconds=12)
    first = out.read_bytes()
    assert main([*compose, "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert job["status"] == "succeeded"
    assert job["provenance"]["seed"] == 7
    assert out.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mid", "scene.jpg"]


def test_every_wish_is_granted_and_every_variation_written(
    data_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = ["--tempo-bpm", "88", "--key", "F# minor", "--instrument", "violin", "--variations", "2"]
    compose = [
        "compose",
        "-o",
        str(tmp_path / "out.mid"),
        "--emotions",
        "happy=1",
        "--seconds",
        "10",
        *wishes,
    ]
    assert main([*compose, "--seed", "3", "--json", "--data-dir", data_dir]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["music"]["tempo_bpm"], said["music"]["key"]) == (88, "F# minor")
    written = [tmp_path / "out.mid", tmp_path / "out-2.mid"]
    assert [output["url"] for output in said["outputs"]] == [str(path) for path in written]
    first, second = (MidiFile(str(path)) for path in written)
    assert [part.program for part in (*first.instruments, *second.instruments)] == [40, 40]
    assert written[0].read_bytes() != written[1].read_bytes()


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (["--tempo-bpm", "900"], "--tempo-bpm"),
        (["--key", "H dur"], "--key"),
        (["--instrument", "kazoo"], "instrument"),
        (["--variations", "9"], "--variations"),
    ],
)
def test_a_wish_that_cant_be_granted_is_refused(
    data_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wish: list[str], told: str
) -> None:
    compose = ["compose", "-o", str(tmp_path / "out.mid"), "--emotions", "happy=1", *wish]
    assert main([*compose, "--data-dir", data_dir]) == 1
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_audio_is_written_beside_the_midi(
    data_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENESCORE_RENDER__SOUNDFONT", str(write_soundfont(tmp_path / "tiny.sf2")))
    out = tmp_path / "out.mid"
    compose = ["compose", "-o", str(out), "--emotions", "sad=1", "--seconds", "10", "--data-dir", data_dir]
    assert main([*compose, "--audio", "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert [output["url"] for output in job["outputs"]] == [str(out), str(tmp_path / "out.ogg")]
    assert job["warnings"] == []
    assert (tmp_path / "out.ogg").read_bytes().startswith(b"OggS")
    (tmp_path / "out.ogg").unlink()
    assert main(compose) == 0
    assert not (tmp_path / "out.ogg").exists()


@pytest.mark.parametrize(
    ("out", "soundfont", "says"), [("out.ogg", "", "such as music.mid"), ("out.mid", "none.sf2", "SOUNDFONT")]
)
def test_audio_that_can_not_be_is_told_before_the_work(
    out: str,
    soundfont: str,
    says: str,
    data_dir: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if soundfont:
        monkeypatch.setenv("SCENESCORE_RENDER__SOUNDFONT", str(tmp_path / soundfont))
    compose = ["compose", "-o", str(tmp_path / out), "--emotions", "sad=1", "--data-dir", data_dir, "--audio"]
    assert main(compose) == 1
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_mix_needs_no_picture(data_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mid"
    mix = ["--emotions", "happy=0.7,sad=0.3", "--seconds", "10", "--json", "--data-dir", data_dir]
    assert main(["compose", "-o", str(out), *mix]) == 0
    assert json.loads(capsys.readouterr().out)["emotions"] == {"happy": 0.7, "angry": 0.0, "sad": 0.3}


def test_classify_prints_a_line_a_picture_and_goes_on_after_a_bad_one(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    assert main(["classify", str(picture), str(bad), str(tmp_path / "none.jpg"), str(picture), "--json"]) == 1
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["file"] for line in lines] == [
        str(picture),
        str(bad),
        str(tmp_path / "none.jpg"),
        str(picture),
    ]
    assert lines[0]["emotions"] == lines[3]["emotions"]
    assert abs(sum(lines[0]["emotions"].values()) - 1) < 1e-9
    assert "no picture that can be read" in lines[1]["error"]
    assert "No such file" in lines[2]["error"]
    assert main(["classify", str(picture)]) == 0
    assert "happy 0." in capsys.readouterr().out


def test_two_hundred_pictures_load_the_model_once(
    picture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load = checkpoint.load

    def counting(directory: Path, name: str | None = None) -> checkpoint.Checkpoint:
        loaded.append(directory)
        return load(directory, name)

    monkeypatch.setattr(checkpoint, "load", counting)
    assert main(["classify", *[str(picture)] * 200, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 200
    assert len(set(lines)) == 1
    assert len(loaded) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compose", "-o", "OUT"], "--emotions"),
        (["compose", "none.jpg", "-o", "OUT"], "No such file"),
        (["compose", "PICTURE", "-o", "nowhere/out.mid"], "does not exist"),
        (["compose", "PICTURE", "-o", "OUT", "--seconds", "5"], "--seconds"),
        (["compose", "PICTURE", "-o", "OUT", "--seed", "-1"], "--seed"),
        (["compose", "-o", "OUT", "--emotions", "bored=1"], "bored"),
        (["compose", "BAD", "-o", "OUT"], "no picture that can be read"),
        (["compose", "PICTURE", "-o", "FOLDER"], "is a folder"),
        (["compose", "PICTURE", "-o", "."], "is a folder"),
        (["compose", "PICTURE", "-o", "/"], "is a folder"),
        (["corpus", "import", "nowhere"], "nowhere"),
        (["corpus", "import", "FOLDER", "--name", "starter"], "starter"),
        (["corpus", "import", "FOLDER"], "no subfolder named after an emotion"),
        (["keys", "revoke", "nobody"], "no key nobody"),
        (["keys", "create", "me", "--scopes", "root"], "admin, jobs"),
    ],
)
def test_mistakes_are_sentences(
    data_dir: str,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    bad, folder = tmp_path / "bad.jpg", tmp_path / "folder"
    bad.write_bytes(b"no picture")
    folder.mkdir()
    places = {"PICTURE": picture, "BAD": bad, "FOLDER": folder, "OUT": tmp_path / "out.mid"}
    status = main([str(places.get(argument, argument)) for argument in arguments] + ["--data-dir", data_dir])
    captured = capsys.readouterr()
    assert status == 1
    assert says in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not (tmp_path / "out.mid").exists()


def test_a_wrong_setting_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENESCORE_EMOTION", "sad")
    assert main(["corpus", "list"]) == 2
    assert "SCENESCORE_EMOTION" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["SCENESCORE_LOG", "SCENESCORE_BROKER"])
def test_a_group_set_as_a_whole_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv(variable, "redis://:hush@host")
    assert main(["corpus", "list"]) == 2
    said = capsys.readouterr().err
    assert variable.removeprefix("SCENESCORE_").lower() in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["compose"],
        ["compose", "-o", "x", "--emotions", "happy"],
        ["fly"],
        ["keys"],
        ["keys", "create"],
        ["up", "--port", "70000"],
        ["up", "--port", "0"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_corpora_are_listed(data_dir: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "list", "--json", "--data-dir", data_dir]) == 0
    (corpus,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert corpus["name"] == "tiny"
    assert corpus["clips"] == {"angry": 6, "calm": 6, "happy": 6, "sad": 6}
    assert main(["corpus", "list", "--data-dir", str(tmp_path / "empty")]) == 0
    assert "corpus build" in capsys.readouterr().err


def test_broken_files_are_reported_and_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = write_corpus(tmp_path / "mixed", per_emotion=2)
    (corpus / "sad" / "broken.mid").write_bytes(b"MThd")
    assert main(["corpus", "import", str(corpus), "--data-dir", str(tmp_path / "data")]) == 0
    captured = capsys.readouterr()
    assert "skipped sad/broken.mid" in captured.err
    assert "2 angry, 2 calm, 2 happy, 2 sad" in captured.out


def test_a_corpus_of_broken_files_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c" / "sad").mkdir(parents=True)
    (tmp_path / "c" / "sad" / "broken.mid").write_bytes(b"x")
    assert main(["corpus", "import", str(tmp_path / "c"), "--data-dir", str(tmp_path / "data")]) == 1
    assert "nothing could be imported" in capsys.readouterr().err


def test_the_demo_picture_is_a_picture() -> None:
    image = paint()
    assert (image.mode, image.size) == ("RGB", (960, 640))
    assert len(set(image.resize((60, 40), Image.Resampling.NEAREST).tobytes())) > 50


def test_keys_are_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--data-dir", str(tmp_path)]
    assert main(["keys", "create", "me", "--scopes", "jobs,admin", *folder]) == 0
    key = capsys.readouterr().out.strip()
    assert key.startswith("scs_")
    assert main(["keys", "revoke", key.split("_")[1], *folder]) == 0
    assert main(["keys", "list", "--json", *folder]) == 0
    (listed,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (listed["id"], listed["name"], listed["scopes"]) == (key.split("_")[1], "me", ["admin", "jobs"])
    assert listed["revoked_at"] is not None
