"""The rule that labels scores, and the measures that it looks at."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from scenescore_composer.corpus.cutting import cut
from scenescore_composer.corpus.features import Features, measure
from scenescore_composer.corpus.labels import label
from scenescore_composer.score import Bar, Note, Piece

AVERAGE = Features(
    tempo_bpm=105,
    onsets_per_second=3.2,
    notes_per_second=6,
    pitch=64,
    pitch_range=36,
    polyphony=3.5,
    silence=0.0,
    major=0.0,
    tonic=0,
)
FAST, SLOW = {"tempo_bpm": 160, "onsets_per_second": 6.0}, {"tempo_bpm": 60, "onsets_per_second": 1.5}


@pytest.mark.parametrize(
    ("changes", "emotion"),
    [
        ({"major": 0.3, **FAST}, "happy"),
        ({"major": -0.3, **FAST}, "angry"),
        ({"major": -0.3, **SLOW}, "sad"),
        ({"major": 0.3, **SLOW}, "calm"),
    ],
)
def test_mode_and_activity_name_the_quadrant(changes: dict[str, float], emotion: str) -> None:
    found = label(replace(AVERAGE, **changes))
    assert found is not None
    assert found.emotion == emotion


@pytest.mark.parametrize(
    "changes",
    [
        {},
        FAST,
        {"major": 0.3},
        {"major": 0.3, "silence": 0.4, **FAST},
        {"major": 0.3, "onsets_per_second": 0.0},
    ],
)
def test_unclear_cases_get_no_label(changes: dict[str, float]) -> None:
    assert label(replace(AVERAGE, **changes)) is None


def test_measures_are_what_they_say() -> None:
    bar = Bar(4, 4, 120)
    notes = (Note(0, 60, 24, 72), Note(0, 64, 24, 72), Note(0, 67, 24, 72), Note(24, 72, 12, 72))
    found = measure(Piece((bar,), notes))
    assert (found.tempo_bpm, found.onsets_per_second, found.notes_per_second) == (120, 1, 2)
    assert (found.pitch_range, found.silence, found.tonic) == (12, 0.25, 0)
    assert found.polyphony == pytest.approx(84 / 36)
    assert found.major > 0


def test_silence_measures_as_nothing() -> None:
    found = measure(Piece((Bar(4, 4, 90),), ()))
    assert found == Features(90, *[0.0] * 8)


def test_long_music_is_cut_at_bar_lines(make_tune: Callable[..., Piece]) -> None:
    cuts = list(cut(make_tune(1, bars=20, bpm=100), 10.0))
    assert [(piece.first_bar, piece.end_bar) for piece in cuts] == [
        (0, 4),
        (4, 8),
        (8, 12),
        (12, 16),
        (16, 20),
    ]
    assert {piece.music.seconds for piece in cuts} == {9.6}


def test_a_short_rest_is_dropped_and_a_short_piece_kept(make_tune: Callable[..., Piece]) -> None:
    assert len(list(cut(make_tune(1, bars=5, bpm=100), 10.0))) == 1
    assert len(list(cut(make_tune(1, bars=1, bpm=100), 10.0))) == 1


def test_empty_bars_at_the_edges_are_left_out(make_tune: Callable[..., Piece]) -> None:
    tune = make_tune(1, bars=2, bpm=100)
    late = Piece(
        tune.bars * 2, tuple(Note(n.onset + 48, n.pitch, n.duration, n.velocity) for n in tune.notes)
    )
    assert [piece.music for piece in cut(late, 10.0)] == [tune]


def test_too_few_notes_make_no_clip() -> None:
    assert not list(cut(Piece((Bar(4, 4, 100),) * 4, (Note(0, 60, 12, 72),)), 10.0))
    assert not list(cut(Piece((Bar(4, 4, 100),) * 4, ()), 10.0))
