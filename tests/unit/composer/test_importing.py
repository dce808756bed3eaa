"""Folders and tables of users' own clips."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenescore_composer import midi
from scenescore_composer.corpus.catalogue import Clip, CorpusInfo, InMemoryClipCatalogue
from scenescore_composer.corpus.clips import refresh_tokens
from scenescore_composer.corpus.importing import import_csv, import_folder
from scenescore_composer.score import Piece
from scenescore_shared.errors import InvalidRequestError, NotFoundError
from scenescore_shared.fakes import InMemoryBlobStore


@pytest.fixture
def folder(tmp_path: Path, make_tune: Callable[..., Piece]) -> Path:
    for emotion, seed in (("happy", 1), ("sad", 2)):
        (tmp_path / emotion / "more").mkdir(parents=True)
        (tmp_path / emotion / "tune.mid").write_bytes(midi.write(make_tune(seed, bars=12, bpm=100)))
    (tmp_path / "happy" / "more" / "other.MIDI").write_bytes(midi.write(make_tune(3, bars=4, bpm=100)))
    (tmp_path / "happy" / "broken.mid").write_bytes(b"MThd but no more")
    (tmp_path / "sad" / "empty.mid").write_bytes(b"")
    (tmp_path / "sad" / "notes.txt").write_text("not music")
    (tmp_path / "unheard of").mkdir()
    return tmp_path


def test_a_folder_for_each_emotion(
    folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    report = import_folder(
        folder, corpus="mine", catalogue=catalogue, blobs=blobs, licence="CC0", show_progress=False
    )
    assert report.clips == {"happy": 4, "sad": 3}
    assert {skipped.source for skipped in report.skipped} == {"happy/broken.mid", "sad/empty.mid"}
    assert all("that can be parsed" in skipped.reason for skipped in report.skipped)
    clips = list(catalogue.clips("mine"))
    assert {clip.licence for clip in clips} == {"CC0"}
    assert "tune (bars 5-8)" in {clip.title for clip in clips}
    for clip in clips:
        # performed: happy music a little faster than it is written, sad music a little slower
        assert midi.read(blobs.get(clip.blob_key)).seconds == pytest.approx(clip.seconds)
        assert clip.seconds < 9.6 if clip.emotion == "happy" else clip.seconds > 9.6


def test_importing_again_gives_the_same_ids(
    folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    def run() -> tuple[str, dict[str, list[str]]]:
        import_folder(folder, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
        return catalogue.corpora()[0].version, catalogue.ids_by_emotion()

    first = run()
    assert run() == first
    shutil.copy(folder / "happy" / "tune.mid", folder / "happy" / "same music again.mid")
    assert run() == first


def test_a_folder_without_emotions_is_refused(
    tmp_path: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    with pytest.raises(InvalidRequestError, match="happy, angry, sad, calm"):
        import_folder(tmp_path, corpus="mine", catalogue=catalogue, blobs=blobs)


def test_nothing_usable_leaves_the_catalogue_alone(
    folder: Path, tmp_path: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    import_folder(folder, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
    before = catalogue.ids_by_emotion()
    bad = tmp_path / "bad"
    (bad / "happy").mkdir(parents=True)
    (bad / "happy" / "broken.mid").write_bytes(b"")
    report = import_folder(bad, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
    assert not report.clips
    assert catalogue.ids_by_emotion() == before


def test_a_table(folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore) -> None:
    table = folder / "labels.csv"
    table.write_text(
        "Path,emotion,Valence,Arousal,Title,licence,song\n"
        "happy/tune.mid,,0.4,-0.2,A tune,PD,one\n"
        "sad/tune.mid,Angry,0.4,-0.2,,,\n"
        "missing.mid,happy,,,,,\n"
        "happy/broken.mid,happy,,,,,\n"
        "happy/tune.mid,joyful,,,,,\n"
        "happy/tune.mid,,0,1,,,\n"
        "happy/tune.mid,,nan,1,,,\n"
        ",happy,,,,,\n"
    )
    report = import_csv(table, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
    assert report.clips == {"calm": 3, "angry": 3}
    assert [skipped.source for skipped in report.skipped] == [
        *("line 6", "line 7", "line 8", "line 9"),
        *("missing.mid", "happy/broken.mid"),
    ]
    assert "can't be read: No such file" in report.skipped[4].reason
    calm = [clip for clip in catalogue.clips("mine") if clip.emotion == "calm"]
    assert {(clip.title[:6], clip.licence, clip.song) for clip in calm} == {("A tune", "PD", "one")}


@pytest.mark.parametrize("text", ["", "emotion\nhappy\n", "path,valence\na.mid,1\n", "path,emotion\n\xff\n"])
def test_a_table_that_says_too_little_is_refused(
    tmp_path: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore, text: str
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text, encoding="latin-1")
    with pytest.raises(InvalidRequestError):
        import_csv(table, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)


def test_stale_tokens_are_written_anew(
    folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    import_folder(folder, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
    fresh = list(catalogue.clips("mine"))
    stale = [replace(fresh[0], tokens=(1, 2, 3), tokens_version="old"), *fresh[1:]]
    catalogue.replace(CorpusInfo("mine", "v"), stale)
    assert refresh_tokens(catalogue, blobs) == 1
    assert list(catalogue.clips("mine")) == fresh
    assert refresh_tokens(catalogue, blobs) == 0


def test_the_catalogue_gives_clips_in_the_order_asked_for(
    clips: list[Clip], catalogue: InMemoryClipCatalogue
) -> None:
    catalogue.replace(CorpusInfo("tests", "1"), clips)
    wanted = [clips[5].id, clips[2].id]
    assert [clip.id for clip in catalogue.get(wanted)] == wanted
    assert catalogue.ids_by_emotion(["other"]) == {}
    assert list(catalogue.clips("other")) == []
    with pytest.raises(NotFoundError):
        catalogue.get(["unknown"])


def test_a_table_may_call_the_emotion_a_label(
    folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    table = folder / "labels.csv"
    table.write_text("path,label\nhappy/tune.mid,sad\n")
    report = import_csv(table, corpus="mine", catalogue=catalogue, blobs=blobs, show_progress=False)
    assert report.clips == {"sad": 3}


def test_one_odd_name_costs_nothing_but_itself(
    folder: Path, catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore
) -> None:
    (folder / "pipe.mid").mkdir()
    odd = os.fsdecode(b"caf\xe9.mid")
    (folder / "happy" / "tune.mid").rename(folder / "sad" / odd)
    table = folder / "labels.csv"
    table.write_text("path,emotion,title\na\x00b.mid,sad,x\npipe.mid,sad,x\nsad/tune.mid,sad,nul\x00title\n")
    report = import_csv(table, corpus="table", catalogue=catalogue, blobs=blobs, show_progress=False)
    assert [skipped.source for skipped in report.skipped] == ["ab.mid", "pipe.mid"]
    report = import_folder(folder, corpus="folder", catalogue=catalogue, blobs=blobs, show_progress=False)
    for clip in [*catalogue.clips("table"), *catalogue.clips("folder")]:
        for text in (clip.title, clip.song, clip.source, clip.licence):
            assert "\x00" not in text.encode().decode()
    assert "caf?" in {clip.song for clip in catalogue.clips("folder")}
