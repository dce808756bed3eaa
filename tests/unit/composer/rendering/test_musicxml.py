"""The score: parsed by music21 it holds every note of the piece, where and as long as it sounds."""

import random
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from music21 import converter
from samples.midi import piece as midi_of

from scenescore_composer.midi import read
from scenescore_composer.rendering.musicxml import Spelling, fifths_of, score, spelt
from scenescore_composer.rendering.notation import MIDDLE_C
from scenescore_composer.score import METRES, Bar, Note, Piece, tidy

FOUR_BARS = (Bar(4, 4, 96),) * 4
Sounding = tuple[int, int, int]
"""Onset in ticks, pitch, duration in ticks."""


def parsed(piece: Piece, key: str = "C major") -> Any:
    return converter.parseData(score(piece, key=key, title="Étude & co"), format="musicxml")


def sounding(stream: Any) -> list[Sounding]:
    """Every note, ties joined."""
    parts = sorted(_parts(stream), key=lambda part: (part[0], part[1]))
    open_ties: dict[tuple[int, int], list[int]] = {}
    found: list[list[int]] = []
    for onset, pitch, ticks, tie in parts:
        if tie in {"stop", "continue"}:
            note = open_ties.pop((pitch, onset))
            note[2] += ticks
        else:
            note = [onset, pitch, ticks]
            found.append(note)
        if tie in {"start", "continue"}:
            open_ties[pitch, onset + ticks] = note
    assert not open_ties
    return sorted((onset, pitch, ticks) for onset, pitch, ticks in found)


def _parts(stream: Any) -> Iterator[tuple[int, int, int, str | None]]:
    for element in stream.recurse().notes:
        onset, ticks = (
            round(12 * float(length))
            for length in (element.getOffsetInHierarchy(stream), element.quarterLength)
        )
        for note in element.notes if element.isChord else [element]:
            yield onset, note.pitch.midi, ticks, note.tie.type if note.tie else None


def of(piece: Piece) -> list[Sounding]:
    return sorted((note.onset, note.pitch, note.duration) for note in piece.notes)


def made(notes: Sequence[Note], bars: Sequence[Bar] = FOUR_BARS) -> Piece:
    return Piece(tuple(bars), tidy(notes, sum(bar.ticks for bar in bars)))


def assert_bars_are_full(stream: Any) -> None:
    for part in stream.parts:
        for measure in part.getElementsByClass("Measure"):
            assert measure.duration.quarterLength == measure.barDuration.quarterLength, measure.number


def random_piece(seed: int) -> Piece:
    """In any metre, at most four notes at once on a staff, on semiquavers."""
    rng = random.Random(seed)
    bars = (Bar(*METRES[seed % len(METRES)], 96),) * 4
    end = sum(bar.ticks for bar in bars)
    notes = []
    for lowest in (36, 43, 50, 62, 69, 76):
        at = 0
        while at < end:
            ticks = 3 * rng.randint(1, 20)
            if rng.random() < 0.7:
                notes.append(Note(at, lowest + rng.randint(0, 6), ticks, rng.randint(1, 127)))
            at += ticks
    return made(notes, bars)


@pytest.mark.parametrize("seed", range(len(METRES)))
def test_the_score_holds_exactly_the_notes_of_the_piece(seed: int) -> None:
    piece = random_piece(seed)
    stream = parsed(piece, ("C major", "F# minor", "Eb major")[seed % 3])
    assert sounding(stream) == of(piece)
    assert_bars_are_full(stream)
    for part, upper in zip(stream.parts, (True, False), strict=True):
        assert all((pitch.midi >= MIDDLE_C) is upper for pitch in part.pitches)


def test_music_as_it_is_stored_comes_through() -> None:
    piece = read(midi_of("happy", seconds=20))
    assert sounding(parsed(piece, "C major")) == of(piece)


def test_a_note_over_a_bar_line_is_tied_and_a_chord_is_one() -> None:
    piece = made([Note(36, 60, 24, 90), Note(36, 64, 24, 90), Note(36, 67, 24, 90)])
    root = ET.fromstring(score(piece, key="C major", title="t"))  # noqa: S314 - our own
    ties = [tie.get("type") for tie in root.iter("tie")]
    assert ties == ["start"] * 3 + ["stop"] * 3
    assert len(list(root.iter("chord"))) == 4


def test_triplets_are_written_as_such() -> None:
    piece = made([Note(tick, 72, 4, 90) for tick in (0, 4, 8)] + [Note(12, 74, 12, 90)])
    stream = parsed(piece)
    assert sounding(stream) == of(piece)
    notes = list(stream.recurse().notes)
    assert [len(note.duration.tuplets) for note in notes] == [1, 1, 1, 0]
    assert [note.duration.type for note in notes] == ["eighth"] * 3 + ["quarter"]
    assert notes[0].duration.tuplets[0].type == "start"
    assert notes[2].duration.tuplets[0].type == "stop"


def test_times_between_semiquavers_are_brought_to_them() -> None:
    piece = made([Note(1, 72, 10, 90), Note(13, 74, 9, 90), Note(23, 76, 13, 90)])
    assert sounding(parsed(piece)) == [(0, 72, 12), (12, 74, 9), (24, 76, 12)]


def test_more_voices_than_can_be_read_still_give_every_onset() -> None:
    piece = made([Note(3 * step, 60 + 2 * step, 96, 90) for step in range(8)])
    stream = parsed(piece)
    assert [(onset, pitch) for onset, pitch, _ in sounding(stream)] == [
        (onset, pitch) for onset, pitch, _ in of(piece)
    ]
    assert_bars_are_full(stream)
    together = made([Note(0, 60 + step, 12 * (step + 1), 90) for step in range(7)])
    assert [pitch for _, pitch, _ in sounding(parsed(together))] == [*range(60, 67)]


def test_key_metre_tempo_title_and_loudness_are_told() -> None:
    bars = (Bar(3, 4, 132), Bar(3, 4, 132), Bar(2, 4, 80))
    stream = parsed(made([Note(0, 61, 12, 45), Note(72, 40, 12, 90)], bars), "F# minor")
    first, _, third = stream.parts[0].getElementsByClass("Measure")
    assert (first.keySignature.sharps, first.keySignature.mode) == (3, "minor")
    assert (first.timeSignature.ratioString, third.timeSignature.ratioString) == ("3/4", "2/4")
    tempos = stream.parts[0].recurse().getElementsByClass("MetronomeMark")
    assert [mark.number for mark in tempos] == [132, 80]
    assert stream.metadata.title == "Étude & co"
    soft, loud = stream.recurse().notes
    assert soft.volume.velocity == pytest.approx(45, abs=1)
    assert loud.volume.velocity == pytest.approx(90, abs=1)


def test_an_accidental_holds_until_the_bar_ends() -> None:
    piece = made([Note(0, 66, 12, 90), Note(12, 66, 12, 90), Note(24, 65, 12, 90), Note(48, 66, 12, 90)])
    root = ET.fromstring(score(piece, key="C major", title="t"))  # noqa: S314 - our own
    assert [note.findtext("accidental") for note in root.iter("note") if note.find("pitch") is not None] == [
        "sharp",
        None,
        "natural",
        "sharp",
    ]


@pytest.mark.parametrize(
    ("pitch", "key", "written"),
    [
        (60, "C major", Spelling("C", 0, 4)),
        (68, "A minor", Spelling("G", 1, 4)),
        (70, "C major", Spelling("B", -1, 4)),
        (71, "C minor", Spelling("B", 0, 4)),
        (63, "C minor", Spelling("E", -1, 4)),
        (65, "F# minor", Spelling("E", 1, 4)),
        (60, "C# major", Spelling("B", 1, 3)),
        (59, "Gb major", Spelling("C", -1, 4)),
    ],
)
def test_pitches_are_spelt_by_the_key(pitch: int, key: str, written: Spelling) -> None:
    assert spelt(pitch, fifths_of(key)) == written


@pytest.mark.parametrize("fifths", range(-7, 8))
def test_a_spelling_sounds_as_its_pitch(fifths: int) -> None:
    steps = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for pitch in range(128):
        written = spelt(pitch, fifths)
        assert steps[written.step] + written.alter + 12 * (written.octave + 1) == pitch


@pytest.mark.parametrize(
    ("key", "fifths"),
    [("C major", 0), ("A minor", 0), ("Eb major", -3), ("G# minor", 5), ("Bb minor", -5), ("G# major", -4)],
)
def test_keys_have_their_signatures(key: str, fifths: int) -> None:
    assert fifths_of(key) == fifths


@pytest.mark.parametrize("key", ["", "H minor", "C dorian", "major"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        fifths_of(key)
