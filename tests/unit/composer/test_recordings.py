"""MIDI files as they sound, in seconds."""

import io
from pathlib import Path

import numpy as np
import pytest
from miditoolkit import ControlChange, Instrument, MidiFile, Note, TempoChange
from samples.midi import piece

from scenescore_composer import midi
from scenescore_composer.recordings.reading import GuardedReader, timed_notes
from scenescore_composer.recordings.recording import Recording, TimedNote, from_piece, middle, recording
from scenescore_composer.score import Bar, Piece
from scenescore_shared.errors import InvalidMidiError

_NO_BARS = Piece((Bar(4, 4, 120),), ())


def _file(notes: list[Note], tempos: list[TempoChange], pedal: list[ControlChange]) -> MidiFile:
    file = MidiFile(ticks_per_beat=480)
    file.tempo_changes = tempos
    part = Instrument(0)
    part.notes, part.control_changes = notes, pedal
    file.instruments = [part]
    written = io.BytesIO()
    file.dump(file=written)
    return midi.opened(written.getvalue())


def test_tells_seconds_across_a_change_of_tempo() -> None:
    notes = [Note(80, 60, 0, 480), Note(80, 62, 480, 960), Note(80, 64, 960, 1440)]

    found = timed_notes(_file(notes, [TempoChange(120, 0), TempoChange(60, 480)], []))

    assert [n.onset for n in found] == pytest.approx([0.0, 0.5, 1.5])
    assert [n.duration for n in found] == pytest.approx([0.5, 1.0, 1.0])


def test_notes_sound_while_the_pedal_is_down() -> None:
    pedal = [ControlChange(64, 127, 100), ControlChange(64, 0, 960)]

    found = timed_notes(_file([Note(80, 60, 0, 240)], [TempoChange(120, 0)], pedal))

    assert found[0].duration == pytest.approx(1.0)


def test_a_note_ends_where_its_pitch_starts_again() -> None:
    found = recording(
        [TimedNote(1.0, 60, 5.0, 80), TimedNote(2.0, 60, 1.0, 90), TimedNote(2.0, 60, 0.5, 90)], _NO_BARS
    )

    assert found.onsets.tolist() == [0.0, 1.0]
    assert found.durations.tolist() == [1.0, 1.0]


def test_what_starts_within_a_few_hundredths_is_one_strike() -> None:
    found = recording([TimedNote(t, p, 1.0, 80) for t, p in ((0.0, 64), (0.02, 60), (0.5, 67))], _NO_BARS)

    assert [found.pitches[strike].tolist() for strike in found.strikes] == [[60, 64], [67]]
    assert found.melody.tolist() == [64, 67]


def test_the_middle_is_as_long_as_asked() -> None:
    music = from_piece(midi.read(piece("happy", seconds=40.0)))

    excerpt = middle(music, 10.0)

    assert 9.0 < excerpt.seconds <= 10.0
    assert 8.0 < excerpt.piece.seconds < 13.0
    assert middle(excerpt, 30.0) is excerpt


def test_a_piece_sounds_as_its_file_read_again(tmp_path: Path) -> None:
    read = midi.read(piece("angry"))
    path = tmp_path / "angry.mid"
    path.write_bytes(midi.write(read))

    with GuardedReader() as reader:
        heard = reader.read(path)

    _same(heard, from_piece(read))


def test_files_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    (tmp_path / "noise.mid").write_bytes(b"no music")
    with GuardedReader() as reader:
        with pytest.raises(InvalidMidiError, match="parsed"):
            reader.read(tmp_path / "noise.mid")
        with pytest.raises(InvalidMidiError, match="can't be read"):
            reader.read(tmp_path / "none.mid")


def _same(one: Recording, other: Recording) -> None:
    for column in ("onsets", "durations", "pitches", "velocities"):
        np.testing.assert_allclose(getattr(one, column), getattr(other, column), atol=1e-3)
    assert one.piece.notes == other.piece.notes
