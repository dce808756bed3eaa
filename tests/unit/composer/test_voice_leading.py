"""Seconds are leant towards, grating notes away from."""

import numpy as np
import pytest

from scenescore_composer.tokens import Kind, token
from scenescore_composer.voice_leading import VoiceLeading


def _after(*steps: tuple[int, int]) -> VoiceLeading:
    leading = VoiceLeading(2, stepwise=0.5, smooth=2.0)
    for step in steps:
        leading.follow(np.array(step))
    return leading


def _position(place: int) -> int:
    return token(Kind.POSITION, place)


def _pitch(pitch: int) -> int:
    return token(Kind.PITCH, pitch)


def test_before_any_note_it_leans_nowhere() -> None:
    assert not _after((_position(0), _position(0))).leaning().any()


def test_it_leans_towards_small_steps_from_the_highest_note_of_the_strike_before() -> None:
    chord = [(_pitch(48), _pitch(50)), (_pitch(60), _pitch(70))]
    leaning = _after(*chord, (_position(6), _position(6))).leaning()
    assert np.flatnonzero(leaning[0]).tolist() == [58, 59, 60, 61, 62]
    assert np.flatnonzero(leaning[1]).tolist() == [68, 69, 70, 71, 72]
    assert leaning[0, 58:63].tolist() == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.25]), "most of all down"


def test_it_leans_away_from_what_grates_with_any_note_of_the_strike() -> None:
    leading = _after((_position(0), _position(0)), (_pitch(48), _pitch(50)), (_pitch(52), _pitch(50)))
    leaning = leading.leaning()
    # C and E grate with B, C sharp, E flat and F; the second candidate's D with C sharp and E flat
    assert {int(pitch) % 12 for pitch in np.flatnonzero(leaning[0] < 0)} == {11, 1, 3, 5}
    assert {int(pitch) % 12 for pitch in np.flatnonzero(leaning[1] < 0)} == {1, 3}
    assert leaning[0, 59] == pytest.approx(-2.0)
    leading.follow(np.array([_position(12), _position(12)]))
    assert (leading.leaning() >= 0).all(), "the next strike grates with nothing yet"
