"""The starter corpus from a few real scores."""

from collections import Counter

import pytest

from scenescore_composer import midi
from scenescore_composer.corpus import scores
from scenescore_composer.corpus.catalogue import InMemoryClipCatalogue
from scenescore_composer.corpus.starter import build_starter
from scenescore_composer.corpus.works import WORKS, Work
from scenescore_composer.grammar import is_legal
from scenescore_shared.errors import EmptyCorpusError
from scenescore_shared.fakes import InMemoryBlobStore

FEW = (
    *(
        work
        for work in WORKS
        if work.path in {"mozart/k155/movement3.mxl", "bach/bwv265.mxl", "bach/bwv267.mxl"}
    ),
    Work("monteverdi/madrigal.5.8.mxl", "Monteverdi"),
    Work("no/such/work.mxl", "Nobody"),
)


def test_a_few_works_make_a_small_corpus(catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore) -> None:
    report = build_starter(catalogue, blobs, works=FEW, show_progress=False)
    assert report.built
    assert [skipped.source for skipped in report.skipped] == ["no/such/work.mxl"]
    clips = list(catalogue.clips("starter"))
    assert report.clips == Counter(clip.emotion for clip in clips)
    assert len(set(report.clips.values())) == 1, "as many of each emotion"
    for clip in clips:
        assert is_legal(clip.tokens)
        assert 4.9 < clip.seconds < 13
        assert "licensed for use" in clip.licence
        assert clip.source.startswith("music21: ")
        assert midi.read(blobs.get(clip.blob_key)).seconds == pytest.approx(clip.seconds, abs=3)
    again = build_starter(catalogue, blobs, works=FEW, show_progress=False)
    assert (again.built, again.clips) == (False, report.clips)


def test_building_twice_gives_the_same_clips(blobs: InMemoryBlobStore) -> None:
    def build(processes: int) -> list[str]:
        catalogue = InMemoryClipCatalogue()
        build_starter(catalogue, blobs, works=FEW[:3], processes=processes, show_progress=False)
        return [clip.id for clip in catalogue.clips("starter")]

    assert build(1) == build(2)


def test_no_readable_work_is_an_error(catalogue: InMemoryClipCatalogue, blobs: InMemoryBlobStore) -> None:
    with pytest.raises(EmptyCorpusError, match="no/such/work"):
        build_starter(catalogue, blobs, works=FEW[-1:], show_progress=False)


def test_a_chorale_is_read_as_written() -> None:
    score = scores.read("bach/bwv265.mxl", 72)
    assert len(score.passages) == 1
    piece = score.passages[0]
    assert {(bar.numerator, bar.denominator, bar.bpm) for bar in piece.bars} == {(4, 4, 72)}
    sounding = Counter(tick for note in piece.notes for tick in range(note.onset, note.end))
    assert max(sounding.values()) == 4


def test_the_licence_printed_on_the_page_is_noted() -> None:
    assert "CC BY-SA 4.0" in scores.read("schumann_clara/polonaise_op1n1.mxl", 92).notice


def test_tempo_marks_are_taken_from_the_score() -> None:
    marked = scores.read("schumann_clara/polonaise_op1n4.mxl").passages
    assert {bar.bpm for piece in marked for bar in piece.bars} == {92, 120}
    unmarked = scores.read("bach/bwv265.mxl").passages
    assert {bar.bpm for piece in unmarked for bar in piece.bars} == {scores.UNMARKED_BPM}


def test_the_catalogue_of_works_names_no_work_twice() -> None:
    assert len({work.path for work in WORKS}) == len({work.title for work in WORKS}) == len(WORKS)
