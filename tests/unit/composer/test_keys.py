"""Keys are found where musicians hear them."""

import pytest

from scenescore_composer.keys import Key, Mode, estimate
from scenescore_composer.score import Note

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)


def _cadence(tonic: int, mode: Mode) -> list[Note]:
    third = 4 if mode == "major" else 3
    scale = MAJOR if mode == "major" else MINOR
    chords = [(0, third, 7), (5, scale[5], 12), (7, 11, 14), (0, third, 7)]
    return [Note(12 * i, 60 + tonic + step, 12, 72) for i, chord in enumerate(chords) for step in chord]


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_cadence_tells_its_key(tonic: int, mode: Mode) -> None:
    found = estimate(_cadence(tonic, mode))
    assert found.key == Key(tonic, mode)
    assert (found.clarity > 0) == (mode == "major")


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_way_to_the_normal_key_is_the_nearer_one(tonic: int, mode: Mode) -> None:
    key = Key(tonic, mode)
    assert -6 <= key.to_normal <= 5
    assert key.moved(key.to_normal) == Key(0 if mode == "major" else 9, mode)


def test_nothing_tells_no_key() -> None:
    assert estimate([]).key == Key(0, "major")
    assert estimate([]).clarity == 0.0


def test_a_key_has_names() -> None:
    assert Key(6, "minor").name == "F# minor"
    assert Key(6, "minor").signature == "F#m"
    assert Key(10, "major").signature == "Bb"
