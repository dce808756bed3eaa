"""Judges, distances and overlaps of sets of pieces."""

from functools import cache

import numpy as np
import pytest

from scenescore_composer.evaluation import judges
from scenescore_composer.evaluation.controls import random_notes
from scenescore_composer.evaluation.distance import feature_table, frechet, yardstick
from scenescore_composer.evaluation.judges import (
    JUDGES,
    Judge,
    JudgeKind,
    LabelledRecording,
    cross_validated,
    verdict,
)
from scenescore_composer.evaluation.overlap import overlapping_areas, shared_area
from scenescore_composer.recipe.representation import rewritten
from scenescore_composer.recordings.recording import Recording, from_piece

_EMOTIONS = ("happy", "angry", "sad")


@cache
def _music(emotion: str, seed: int) -> Recording:
    return from_piece(random_notes(emotion, seed, seconds=8.0))


def _clips(first: int = 0, songs: int = 6) -> list[LabelledRecording]:
    return [
        LabelledRecording(_music(emotion, 10 * song + part), emotion, f"{emotion} {song}")
        for emotion in _EMOTIONS
        for song in range(first, first + songs)
        for part in range(2)
    ]


@pytest.mark.parametrize("kind", JUDGES, ids=lambda kind: kind.name)
def test_judges_learn_and_say_the_same_each_time(kind: JudgeKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_TREES", 30)
    unknown = [_music(emotion, 900 + seed) for emotion in _EMOTIONS for seed in range(3)]

    clips = _clips(songs=3)
    said, again = (Judge(kind, clips, _EMOTIONS, 0).probabilities(unknown) for _ in range(2))

    np.testing.assert_array_equal(said, again)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert verdict(said, [0, 0, 0, 1, 1, 1, 2, 2, 2]).balanced_accuracy > 0.8


def test_clips_are_judged_by_judges_that_did_not_hear_their_song() -> None:
    clips = _clips()
    meant = [_EMOTIONS.index(clip.emotion) for clip in clips]
    # each song with a label of its own making: only who heard it could know
    scrambled = [
        LabelledRecording(clip.music, _EMOTIONS[int(clip.song.split()[1]) % 3], clip.song) for clip in clips
    ]
    told = [_EMOTIONS.index(clip.emotion) for clip in scrambled]

    found = cross_validated(JUDGES[0], clips, _EMOTIONS, 0, rewritten={"thesis": _rewritten(clips)})
    blind = cross_validated(JUDGES[0], scrambled, _EMOTIONS, 0)

    assert verdict(found[""], meant).balanced_accuracy > 0.8
    assert verdict(found["thesis"], meant).balanced_accuracy < verdict(found[""], meant).balanced_accuracy
    assert verdict(blind[""], told).balanced_accuracy < 0.6


def _rewritten(clips: list[LabelledRecording]) -> list[Recording]:
    return [from_piece(rewritten(clip.music)) for clip in clips]


def test_balanced_accuracy_weighs_emotions_equally() -> None:
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])

    found = verdict(said, [0, 0, 0, 1])

    assert found.confusion == ((3, 0), (1, 0))
    assert found.balanced_accuracy == pytest.approx(0.5)


def test_frechet_distance_of_gaussians_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=(20_000, 2))
    other = rng.normal(size=(20_000, 2)) * [2.0, 1.0] + [3.0, 0.0]

    # |m1 - m2|² = 9, and (1 - 2)² for the wider axis
    assert frechet(one, other) == pytest.approx(10.0, rel=0.03)
    assert frechet(one, one) == pytest.approx(0.0, abs=1e-9)


def test_the_distance_between_the_references_is_the_unit() -> None:
    near, far, own = (
        feature_table([_music(emotion, seed) for seed in range(first, first + 20)])
        for emotion, first in (("happy", 0), ("sad", 0), ("happy", 100))
    )

    stick = yardstick(("near", near), ("far", far))
    ratios = stick.ratios(own)

    assert ratios["near"] < 0.4
    assert ratios["far"] == pytest.approx(1.0, abs=0.3)
    assert stick.floor(20) < 0.6


def test_areas_of_densities() -> None:
    rng = np.random.default_rng(1)
    one, same, apart = rng.normal(0, 1, 4000), rng.normal(0, 1, 4000), rng.normal(2, 1, 4000)

    assert shared_area(one, same) > 0.95
    assert shared_area(one, apart) == pytest.approx(0.317, abs=0.05)  # 2 Φ(-1)
    assert shared_area(np.zeros(5), np.zeros(9)) == 1.0
    assert shared_area(np.zeros(5), np.ones(9)) == 0.0


def test_pieces_of_one_kind_overlap_more_than_others() -> None:
    happy, more, sad = (
        [_music(emotion, seed) for seed in range(first, first + 12)]
        for emotion, first in (("happy", 0), ("happy", 100), ("sad", 0))
    )

    alike, unlike = overlapping_areas(happy, more), overlapping_areas(sad, more)

    assert alike["notes a second"] > unlike["notes a second"] + 0.3
    assert sum(alike.values()) > sum(unlike.values())
