"""The rule that labels scores, and the measures that it looks at."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenescore_composer import midi
from scenescore_composer.corpus.agreement import agreement
from scenescore_composer.corpus.agreement import main as agreement_command
from scenescore_composer.corpus.cutting import cut
from scenescore_composer.corpus.features import Features, evenness, measure
from scenescore_composer.corpus.labels import label, mix
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
    loudness=72,
    articulation=1.0,
    dissonance=0.1,
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


def test_evenness_counts_times_that_are_as_long_as_the_one_before() -> None:
    def line(*onsets: int) -> Piece:
        return Piece((Bar(4, 4, 120),) * 2, tuple(Note(onset, 60, 1, 72) for onset in onsets))

    assert evenness(line(0, 12, 24, 36)) == 1
    assert evenness(line(0, 12, 24, 30, 42)) == pytest.approx(1 / 3)
    assert evenness(line(0, 12)) == 1, "nothing is uneven yet"


def test_silence_measures_as_nothing() -> None:
    found = measure(Piece((Bar(4, 4, 90),), ()))
    assert found == Features(90, *[0.0] * 11)


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


@pytest.mark.parametrize("changes", [FAST, SLOW, FAST | {"major": 0.5}, SLOW | {"major": -0.5}, {}])
def test_the_shares_add_up_and_lean_as_the_label_does(changes: dict[str, float]) -> None:
    features = replace(AVERAGE, **changes)
    shares = mix(features)
    assert sum(shares.values()) == pytest.approx(1)
    found = label(features)
    if found is not None:
        assert max(shares, key=shares.__getitem__) == found.emotion
    if not changes:
        assert all(share == pytest.approx(0.25, abs=0.02) for share in shares.values())


def test_features_of_two_bars_by_hand() -> None:
    # a second, held half of the way to the next onset; then a third, held all the way; louder
    notes = (Note(0, 60, 12, 60), Note(0, 62, 12, 60), Note(24, 60, 72, 90), Note(24, 64, 72, 90))
    found = measure(Piece((Bar(4, 4, 120),) * 2, notes))
    assert (found.loudness, found.articulation, found.dissonance) == (75, 0.75, 0.5)


def test_agreement_counts_by_what_people_said() -> None:
    happy, sad = {"happy": 0.7, "sad": 0.2, "calm": 0.1}, {"happy": 0.1, "sad": 0.3, "calm": 0.6}
    said = [("happy", happy), ("happy", sad), ("sad", sad), ("calm", sad)]
    two = agreement(said, ("happy", "sad"))
    assert two.confusion == ((1, 1), (0, 1))
    assert two.balanced_accuracy == 0.75
    assert agreement(said, ("happy", "sad", "calm")).confusion == ((1, 0, 1), (0, 0, 1), (0, 0, 1))


def test_the_command_reads_a_labelled_folder(
    tmp_path: Path, make_tune: Callable[..., Piece], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mid").write_bytes(midi.write(make_tune(0, bpm=180)))
    (tmp_path / "b.mid").write_bytes(b"no MIDI")
    (tmp_path / "labels.csv").write_text("path,emotion\na.mid,happy\nb.mid,sad\n")
    assert agreement_command([str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "3 emotions: balanced accuracy" in told.out
    assert "Left out b.mid" in told.err
    assert agreement_command([str(tmp_path / "nowhere")]) == 2
