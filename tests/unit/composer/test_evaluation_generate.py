"""The pieces that the evaluation reads are made by the composer as jobs are."""

import json
from pathlib import Path

import pytest

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.corpus.catalogue import Clip, CorpusInfo
from scenescore_composer.evaluation.generate import asked, main
from scenescore_composer.evaluation.generated import read_generated
from scenescore_composer.model import TokenLstm, model_bytes
from scenescore_composer.recordings.reading import GuardedReader
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.migrate import migrate


def test_every_emotion_and_every_step_between_two(tmp_path: Path) -> None:
    wanted = list(asked(tmp_path, ("happy", "sad"), seeds=2, mixed_seeds=1))
    assert [str(each.place.relative_to(tmp_path)) for each in wanted] == [
        *("happy/0", "sad/0", "happy/1", "sad/1"),
        *("mix-happy-sad-0.25/0", "mix-happy-sad-0.5/0", "mix-happy-sad-0.75/0"),
    ]
    assert wanted[4].mix == {"happy": 0.25, "sad": 0.75}


def test_the_folder_is_what_the_evaluation_reads(
    tmp_path: Path, clips: list[Clip], tiny_base: TokenLstm, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'scenescore.db'}", application="tests")
    migrate(engine)
    SqlClipCatalogue(engine).replace(CorpusInfo("tests", "1"), clips)
    engine.dispose()
    base = tmp_path / "tiny.safetensors"
    base.write_bytes(model_bytes(tiny_base, {}))
    out = tmp_path / "out"
    command = [
        str(out),
        "--data-dir",
        str(tmp_path),
        "--emotions",
        "happy",
        "sad",
        "--seeds",
        "1",
        "--mixed-seeds",
    ]
    command += ["1", "--seconds", "10", "--model", str(base), "--training-tokens", "0", "--first"]
    assert main(command) == 0
    with GuardedReader() as reader:
        found = read_generated("ours", out, ("happy", "sad"), reader)
    assert {emotion: len(pieces) for emotion, pieces in found.pieces.items()} == {"happy": 1, "sad": 1}
    assert len(found.mixtures) == 3
    (piece,) = found.pieces["happy"]
    assert piece.drawn is not None
    assert set(piece.drawn) <= found.clips.keys()
    sidecar = out / "happy" / "0.json"
    assert json.loads(sidecar.read_text())["clips"] == list(piece.drawn)
    kept = (out / "happy" / "0.mid").stat().st_mtime_ns
    assert main(command) == 0
    assert (out / "happy" / "0.mid").stat().st_mtime_ns == kept, "what is there stays"
    assert main([str(out), "--data-dir", str(out)]) == 2
    assert "corpus build" in capsys.readouterr().err
