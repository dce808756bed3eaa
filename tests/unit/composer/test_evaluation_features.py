"""Measures and histograms against figures worked out by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from scenescore_composer.evaluation import histograms, measures
from scenescore_composer.evaluation.collapse import failings
from scenescore_composer.evaluation.controls import random_notes
from scenescore_composer.evaluation.histograms import HISTOGRAMS
from scenescore_composer.evaluation.summaries import summary
from scenescore_composer.recordings.recording import Recording, from_piece
from scenescore_composer.score import Bar, Note, Piece

_BAR = Bar(4, 4, 120)  # two seconds, 48 ticks


def _piece(notes: Sequence[tuple[int, int, int]], bars: int = 2) -> Piece:
    """Onset, pitch and duration in ticks."""
    return Piece((_BAR,) * bars, tuple(sorted(Note(onset, pitch, held, 80) for onset, pitch, held in notes)))


def _heard(notes: Sequence[tuple[int, int, int]], bars: int = 2) -> Recording:
    return from_piece(_piece(notes, bars))


_CHORD_THEN_LINE = [(0, 60, 12), (0, 64, 12), (0, 67, 12), (12, 72, 12), (24, 71, 12), (36, 72, 12)]


def test_pitches() -> None:
    notes = _piece(_CHORD_THEN_LINE).notes

    assert measures.pitch_range(notes) == 12
    assert measures.pitch_classes_used(notes) == 4  # C E G B
    # C three times, E, G and B once each: 1/2 · 1 + 3 · 1/6 · log2 6
    assert measures.pitch_class_entropy(notes) == pytest.approx(0.5 + 0.5 * math.log2(6))


def test_polyphony_counts_only_ticks_in_which_something_sounds() -> None:
    # three notes for a crotchet, silence, one note for a crotchet
    notes = _piece([(0, 60, 12), (0, 64, 12), (0, 67, 12), (36, 72, 12)]).notes

    assert measures.polyphony(notes) == pytest.approx(2.0)
    assert measures.empty_beat_rate(notes) == pytest.approx(0.5)


def test_the_best_scale_counts() -> None:
    c_major = [(12 * i, pitch, 12) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71))]

    assert measures.scale_consistency(_piece(c_major).notes) == 1.0
    assert measures.scale_consistency(_piece([*c_major, (84, 61, 12)]).notes) == pytest.approx(7 / 8)


def test_groove_compares_neighbouring_bars() -> None:
    crotchets = [(12 * i, 60, 12) for i in range(4)]
    # the second bar lacks one onset and has one elsewhere: 2 of 48 ticks differ
    moved = [(48, 60, 12), (60, 60, 6), (72, 60, 12), (90, 60, 6)]

    assert (
        measures.groove_consistency(_piece([*crotchets, *((t + 48, p, d) for t, p, d in crotchets)])) == 1.0
    )
    assert measures.groove_consistency(_piece([*crotchets, *moved])) == pytest.approx(1 - 2 / 48)
    assert measures.groove_consistency(_piece(crotchets, bars=1)) is None


def test_intervals() -> None:
    melodic = histograms.melodic_intervals(_heard(_CHORD_THEN_LINE))
    vertical = histograms.vertical_intervals(_heard(_CHORD_THEN_LINE))

    # from 67 up a fourth, down a semitone, up one
    assert {i - 12: share for i, share in enumerate(melodic) if share} == pytest.approx(
        {5: 1 / 3, -1: 1 / 3, 1: 1 / 3}
    )
    assert {i: share for i, share in enumerate(vertical) if share} == pytest.approx({4: 0.5, 7: 0.5})


def test_rhythm() -> None:
    # half a second, half a second, a second
    music = _heard([(0, 60, 12), (12, 62, 12), (24, 64, 24), (48, 65, 12)])

    ratios = histograms.rhythm_ratios(music)
    times = histograms.inter_onset_times(music)

    assert sorted(ratios[ratios > 0]) == pytest.approx([0.5, 0.5])
    assert ratios[6] == pytest.approx(0.5)  # 1, in the middle of thirteen
    assert sorted(times[times > 0]) == pytest.approx([1 / 3, 2 / 3])


def test_texture() -> None:
    music = _heard([(0, 60, 48), (24, 64, 24), (24, 67, 24)])

    assert histograms.struck_together(music)[:3].tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert histograms.sounding_together(music)[:4].tolist() == pytest.approx([0.0, 0.5, 0.0, 0.5])


def test_scale_degrees_are_counted_from_the_tonic() -> None:
    cadence = [(0, 62, 12), (0, 66, 12), (0, 69, 12), (12, 69, 12), (12, 73, 12), (12, 76, 12), (24, 62, 24)]

    degrees = histograms.scale_degrees(_heard(cadence))  # D major: D F# A, A C# E, D

    assert degrees[0] == pytest.approx(3 / 8)
    assert degrees[7] == pytest.approx(2 / 8)


def test_repetition_finds_what_was_there_before() -> None:
    once = [(12 * i, pitch, 12) for i, pitch in enumerate((60, 62, 64, 67))]
    again = [(t + 48, pitch, held) for t, pitch, held in once]

    found = histograms.repetition(_heard([*once, *again]))

    # steps +2 +2 +3 -7 +2 +2 +3: of six pairs (2,2) and (2,3) come again, of five triples (2,2,3)
    assert found[:2].tolist() == pytest.approx([2 / 6, 1 / 5])


def test_histograms_of_a_single_note_are_finite() -> None:
    single = _heard([(0, 60, 12)])

    for histogram in HISTOGRAMS.values():
        found = histogram(single)
        assert np.isfinite(found).all()
        assert found.shape == histogram(_heard(_CHORD_THEN_LINE)).shape
    assert all(math.isfinite(value) for value in summary(single).values())


def test_summaries_tell_fast_and_loud_from_slow_and_soft() -> None:
    angry, sad = (summary(from_piece(random_notes(emotion, 1))) for emotion in ("angry", "sad"))

    assert angry["strikes a second"] > sad["strikes a second"] + 1
    assert angry["loudness"] > sad["loudness"] + 20


def test_random_notes_are_the_same_for_a_seed() -> None:
    assert random_notes("happy", 3) == random_notes("happy", 3)
    assert random_notes("happy", 3) != random_notes("happy", 4)
    assert random_notes("happy", 3).seconds == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("notes", "failing"),
    [
        ([(6 * i, 60 + 12 * (i % 2), 6) for i in range(16)], "few pitches"),
        ([(6 * i, 60 if i % 2 else 61 + i, 6) for i in range(16)], "one pitch"),
        ([(0, 60, 6), (90, 62, 6)], "silence"),
        ([(6 * i, (60, 64, 67, 72, 76)[i % 5], 6) for i in range(16)], "a loop"),
    ],
)
def test_collapsed_music_is_told_how(notes: list[tuple[int, int, int]], failing: str) -> None:
    assert failing in failings(_heard(notes))


def test_music_has_not_collapsed() -> None:
    tune = [60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 72, 71, 69, 67, 60]

    assert failings(_heard([(6 * i, pitch, 6) for i, pitch in enumerate(tune)])) == []
