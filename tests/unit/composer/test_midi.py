"""MIDI files in and out."""

import io
from collections.abc import Callable

import pytest
from miditoolkit import ControlChange, Instrument, MidiFile, TempoChange, TimeSignature
from miditoolkit import Note as MidiNote

from scenescore_composer import midi
from scenescore_composer.keys import Key
from scenescore_composer.score import Bar, Note, Piece
from scenescore_shared.errors import InvalidMidiError


def _file(**changes: object) -> MidiFile:
    file = MidiFile(ticks_per_beat=384)
    part = Instrument(0)
    part.notes = [MidiNote(64, 60, 0, 384), MidiNote(64, 64, 390, 760)]
    file.instruments = [part]
    for name, value in changes.items():
        setattr(file, name, value)
    return file


def _bytes(file: MidiFile) -> bytes:
    written = io.BytesIO()
    file.dump(file=written)
    return written.getvalue()


def test_a_piece_survives_the_round_trip() -> None:
    piece = Piece(
        (Bar(3, 4, 90), Bar(3, 4, 90), Bar(6, 8, 121), Bar(4, 4, 121)),
        (Note(0, 60, 36, 72), Note(4, 64, 4, 30), Note(36, 60, 12, 127), Note(75, 40, 81, 1)),
    )
    assert midi.read(midi.write(piece)) == piece


def test_the_same_piece_gives_the_same_bytes(make_tune: Callable[..., Piece]) -> None:
    assert midi.write(make_tune(1)) == midi.write(make_tune(1))


def test_writing_names_the_key_and_the_instrument(make_tune: Callable[..., Piece]) -> None:
    file = MidiFile(file=io.BytesIO(midi.write(make_tune(1), key=Key(6, "minor"), program=40)))
    assert file.ticks_per_beat == 480
    assert file.key_signature_changes[0].key_name == "F#m"
    assert file.instruments[0].program == 40


def test_other_resolutions_come_to_the_grid() -> None:
    piece = midi.read(_bytes(_file()))
    assert piece.notes == (Note(0, 60, 12, 64), Note(12, 64, 12, 64))
    assert piece.bars == (Bar(4, 4, 120),)


def test_drums_are_dropped() -> None:
    drums = Instrument(0, is_drum=True)
    drums.notes = [MidiNote(64, 36, 0, 100)]
    with pytest.raises(InvalidMidiError, match="no notes"):
        midi.read(_bytes(_file(instruments=[drums])))


def test_the_pedal_holds_notes() -> None:
    file = _file()
    file.instruments[0].control_changes = [ControlChange(64, 100, 100), ControlChange(64, 0, 1536)]
    assert [note.duration for note in midi.read(_bytes(file)).notes] == [48, 36]


def test_a_metre_waits_for_the_bar_line_and_an_unknown_one_is_common_time() -> None:
    file = _file(
        time_signature_changes=[TimeSignature(3, 4, 0), TimeSignature(2, 4, 400), TimeSignature(11, 16, 1900)]
    )
    file.instruments[0].notes.append(MidiNote(64, 70, 1920, 3000))
    bars = midi.read(_bytes(file)).bars
    assert [(bar.numerator, bar.denominator) for bar in bars] == [(3, 4), (2, 4), (4, 4)]


def test_a_bar_has_its_mean_tempo() -> None:
    file = _file(tempo_changes=[TempoChange(60, 0), TempoChange(120, 768)])
    assert midi.read(_bytes(file)).bars[0].bpm == 80


def test_of_two_tempos_at_one_place_the_later_counts() -> None:
    for tempos in ([(144, 0), (60, 1)], [(60, 0), (144, 1)]):
        file = _file(tempo_changes=[TempoChange(bpm, tick) for bpm, tick in tempos])
        assert midi.read(_bytes(file)).bars[0].bpm == tempos[-1][0]


def test_a_tempo_marked_late_leaves_the_beginning_at_the_default() -> None:
    file = _file(tempo_changes=[TempoChange(120, 0), TempoChange(60, 1536)])
    file.instruments[0].notes.append(MidiNote(64, 70, 1536, 3000))
    assert [bar.bpm for bar in midi.read(_bytes(file)).bars] == [120, 60]


@pytest.mark.parametrize("cut", [0, 4, 20, 60])
def test_truncated_files_are_refused(make_tune: Callable[..., Piece], cut: int) -> None:
    with pytest.raises(InvalidMidiError):
        midi.read(midi.write(make_tune(1))[:cut])


def test_a_file_that_lasts_for_ever_is_refused() -> None:
    file = _file()
    file.instruments[0].notes.append(MidiNote(64, 70, 384 * 4 * 6000, 384 * 4 * 6000 + 10))
    with pytest.raises(InvalidMidiError, match="5000 bars"):
        midi.read(_bytes(file))


def test_frames_a_second_are_refused(make_tune: Callable[..., Piece]) -> None:
    data = bytearray(midi.write(make_tune(1)))
    data[12:14] = b"\xe7\x28"
    with pytest.raises(InvalidMidiError):
        midi.read(bytes(data))
