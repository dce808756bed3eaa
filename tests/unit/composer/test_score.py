"""The grid, and keeping to it."""

import time

import pytest

from scenescore_composer.score import Bar, Note, Piece, tidy, transposed

COMMON = Bar(4, 4, 120)


def test_a_bar_knows_its_length() -> None:
    assert (COMMON.ticks, COMMON.seconds) == (48, 2.0)
    assert Bar(6, 8, 60).ticks == 36


@pytest.mark.parametrize(
    ("bars", "notes"),
    [
        ((COMMON,), (Note(40, 60, 9, 64),)),
        ((COMMON,), (Note(0, 60, 6, 64), Note(5, 60, 6, 64))),
        ((COMMON,), (Note(6, 60, 6, 64), Note(0, 60, 6, 64))),
        ((COMMON,), (Note(0, 128, 6, 64),)),
        ((COMMON,), (Note(0, 60, 0, 64),)),
        ((Bar(4, 4, 1000),), ()),
    ],
)
def test_a_piece_refuses_what_cannot_be_played(bars: tuple[Bar, ...], notes: tuple[Note, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Piece(bars, notes)


def test_tidying_cuts_notes_where_their_pitch_starts_again_and_at_the_end() -> None:
    notes = [Note(0, 60, 30, 64), Note(12, 60, 60, 70), Note(12, 60, 10, 80), Note(48, 62, 5, 64)]
    assert tidy(notes, 48) == (Note(0, 60, 12, 64), Note(12, 60, 36, 70))


def test_a_part_cuts_notes_that_cross_its_edges() -> None:
    piece = Piece((COMMON,) * 3, (Note(40, 60, 70, 64), Note(50, 62, 6, 64)))
    assert piece.part(1, 2) == Piece((COMMON,), (Note(0, 60, 48, 64), Note(2, 62, 6, 64)))


def test_transposing_out_of_range_comes_back_by_octaves() -> None:
    piece = Piece((COMMON,), (Note(0, 1, 6, 64), Note(0, 126, 6, 64)))
    assert [note.pitch for note in transposed(piece, -3).notes] == [10, 123]
    assert [note.pitch for note in transposed(piece, 3).notes] == [4, 117]


def test_parts_of_a_long_piece_are_cheap_and_keep_what_sounds_across_their_edges() -> None:
    """Looking at every note for every part took minutes of a piece of 200,000 notes."""
    bars = 500
    drone = Note(0, 20, 48 * bars, 64)
    notes = (drone, *(Note(tick, 60 + tick % 48, 1, 64) for tick in range(48 * bars)))
    piece = Piece((COMMON,) * bars, notes)

    def seconds_of(parts: int) -> float:
        began = time.process_time()
        for bar in range(bars - parts, bars):
            assert piece.part(bar, bar + 1).notes[0] == Note(0, 20, 48, 64)
        return time.process_time() - began

    seconds_of(1)  # sorts the notes by pitch, once
    began = time.process_time()
    assert [note for note in piece.notes if note.end > 0]
    looking_at_all = time.process_time() - began
    assert seconds_of(100) < 100 * looking_at_all / 2
