import math
from dataclasses import replace

import numpy as np
import pytest

from scenescore_composer.character import CHARACTERS, character_of, varied
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.features import evenness
from scenescore_composer.form import recalled_bars, steady_bars
from scenescore_composer.keys import Key, parse
from scenescore_composer.performance.shaping import PHRASE_BARS
from scenescore_composer.planning import CLOSING_SECONDS, IN_SCALE, Wishes, frame_of, plan_of
from scenescore_composer.score import METRES
from scenescore_composer.tokens import KINDS, Kind, decode, token


@pytest.mark.parametrize("seconds", [10, 10.5, 37, 179.5, 180])
@pytest.mark.parametrize("bpm", [30, 45, 63, 104, 200, 244])
@pytest.mark.parametrize("metre", [(4, 4), (2, 4), (3, 8)])
def test_the_frame_fits_every_length_at_every_tempo(
    metre: tuple[int, int], bpm: float, seconds: float
) -> None:
    frame = frame_of(metre, bpm, Wishes(seconds))
    assert frame.ticks * frame.bar.seconds / frame.bar.ticks == pytest.approx(seconds, abs=0.1)
    assert abs(math.log(frame.bar.bpm / bpm)) < 0.11
    assert frame.sampled_bars >= 1
    assert frame.closing_ticks * frame.bar.seconds / frame.bar.ticks >= CLOSING_SECONDS - 0.01


def test_a_bar_that_would_fill_the_piece_gives_way_to_a_shorter_one(clips: list[Clip]) -> None:
    metre = token(Kind.METRE, METRES.index((12, 8)))
    broad = [
        replace(c, tokens=tuple(metre if KINDS[t] is Kind.METRE else t for t in c.tokens)) for c in clips
    ]
    frame = plan_of(broad, {"sad": 1}, Wishes(10, tempo_bpm=30), seed=1).frame
    assert (frame.bar.numerator, frame.bar.denominator) == (2, 4)
    assert frame.ticks * frame.bar.seconds / frame.bar.ticks == pytest.approx(10, abs=0.1)
    assert plan_of(broad, {"happy": 1}, Wishes(10), seed=1).frame.bar.numerator == 12


@pytest.mark.parametrize("bpm", [30, 61, 119, 240])
def test_a_tempo_asked_for_holds(bpm: int) -> None:
    frame = frame_of((3, 4), 100, Wishes(31.7, tempo_bpm=bpm))
    assert frame.bar.bpm == bpm
    assert frame.ticks * frame.bar.seconds / frame.bar.ticks == pytest.approx(31.7, abs=0.1)


def test_each_emotion_asks_for_what_the_studies_found() -> None:
    happy, angry, sad, calm = (CHARACTERS[emotion] for emotion in ("happy", "angry", "sad", "calm"))
    assert min(happy.tempo_bpm, angry.tempo_bpm) > max(sad.tempo_bpm, calm.tempo_bpm)
    assert (happy.major, calm.major, angry.major, sad.major) == (1, 1, 0, 0)
    assert angry.loudness > happy.loudness > max(sad.loudness, calm.loudness)
    assert happy.pitch > max(angry.pitch, sad.pitch)
    assert max(happy.articulation, angry.articulation) < min(sad.articulation, calm.articulation)


def test_a_mix_lies_between_its_emotions() -> None:
    steps = [character_of({"happy": share, "sad": 1 - share}) for share in (0, 0.25, 0.5, 0.75, 1)]
    for name in ("tempo_bpm", "onsets_per_second", "major", "pitch", "loudness"):
        values = [getattr(step, name) for step in steps]
        assert values == sorted(values)
        assert len(set(values)) == 5
    assert character_of({"happy": 3, "angry": 0}) == character_of({"happy": 1})


def test_no_two_pieces_of_a_mood_are_alike() -> None:
    sad, happy = character_of({"sad": 1}), character_of({"happy": 1})
    several = [varied(sad, seed) for seed in range(30)]
    assert len({each.tempo_bpm for each in several}) > 20
    assert varied(sad, 3) == several[3]
    assert sum(each.tempo_bpm for each in several) / 30 == pytest.approx(sad.tempo_bpm, rel=0.1)
    assert all(each.tempo_bpm < varied(happy, seed).tempo_bpm for seed, each in enumerate(several))
    slow, fast = (sorted(varied(mood, seed).tempo_bpm for seed in range(30)) for mood in (sad, happy))
    assert slow[23] < fast[6], "moods hardly overlap"
    # so that a mix between two lies between them for every seed
    assert varied(sad, 3).tempo_bpm / sad.tempo_bpm == pytest.approx(
        varied(happy, 3).tempo_bpm / happy.tempo_bpm
    )


def test_the_plan_follows_the_wishes_and_else_the_emotions(clips: list[Clip]) -> None:
    wished = plan_of(clips, {"sad": 1}, Wishes(20, tempo_bpm=90, key=Key(3, "major")), seed=1)
    assert (wished.frame.bar.bpm, wished.key.name, wished.condition.major) == (90, "Eb major", True)
    assert all(plan_of(clips, {"sad": 1}, Wishes(20), seed).key.mode == "minor" for seed in range(8))
    modes = {plan_of(clips, {"happy": 1, "sad": 1}, Wishes(20), seed).key.mode for seed in range(20)}
    assert modes == {"major", "minor"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("C major", Key(0, "major")),
        ("f# minor", Key(6, "minor")),
        ("Bb Major", Key(10, "major")),
        ("Cb major", Key(11, "major")),
        ("b minor", Key(11, "minor")),
        ("H minor", None),
        ("C", None),
    ],
)
def test_keys_have_names(name: str, key: Key | None) -> None:
    assert parse(name) == key


@pytest.mark.parametrize("bars", range(1, 70))
def test_phrases_come_back_with_new_endings(bars: int) -> None:
    for seed in range(4):
        recalled = recalled_bars(bars, seed)
        assert len(recalled) == bars
        assert all(
            source is None or (source < bar and recalled[source] is None)
            for bar, source in enumerate(recalled)
        )
        assert recalled[-1] is None, "the last chord is led up to"
        if bars >= 5:
            assert 0 in recalled, "the opening comes back"
        if bars >= 7:
            again = recalled.index(0, PHRASE_BARS)
            assert again % PHRASE_BARS == 0
            assert recalled[again : again + 2] == [0, 1]
            assert recalled[again + 3 : again + 4] in ([], [None]), "with a new ending"
        assert sum(source is not None for source in recalled) <= 0.75 * bars


def test_the_seed_chooses_the_form() -> None:
    forms = [recalled_bars(31, seed) for seed in range(12)]
    assert len({tuple(form) for form in forms}) > 5
    assert forms[3] == recalled_bars(31, 3)


def test_some_pieces_keep_their_rhythm_and_others_do_not() -> None:
    shares = [np.mean(steady_bars(30, seed)) for seed in range(200)]
    assert min(shares) < 0.1
    assert max(shares) > 0.9
    assert 0.2 < np.mean(shares) < 0.4
    assert steady_bars(30, 5) == steady_bars(30, 5)
    assert all(not steady_bars(12, seed)[0] and not steady_bars(12, seed)[-1] for seed in range(50))


def test_a_sentence_says_its_idea_again_at_once() -> None:
    forms = [recalled_bars(31, seed) for seed in range(40)]
    told_again = [form for form in forms if form[2] == 0]
    assert 5 < len(told_again) < 35
    for form in forms:
        sources = [source for source in form if source is not None]
        assert all(form[source] is None for source in sources), "what comes back is a bar that was new"


def test_pieces_of_one_mood_are_meant_to_be_more_and_less_even_and_chromatic(clips: list[Clip]) -> None:
    plans = [plan_of(clips, {"sad": 1.0}, Wishes(12), seed) for seed in range(40)]
    assert {plan.evenness for plan in plans} == {evenness(decode(clip.tokens)) for clip in clips}
    assert {plan.voices for plan in plans} == {5, 6, 7, 8}
    meant = [plan.in_scale for plan in plans]
    least, most = IN_SCALE
    assert least <= min(meant) < least + 0.2 * (most - least)
    assert most - 0.2 * (most - least) < max(meant) <= most


def test_pieces_of_one_mood_move_grate_and_are_pedalled_differently(clips: list[Clip]) -> None:
    plans = [plan_of(clips, {"sad": 1.0}, Wishes(12), seed) for seed in range(40)]
    for name in ("stepwise", "smooth", "pedalling"):
        values = [getattr(plan, name) for plan in plans]
        assert 0 <= min(values) < 0.4, name
        assert 0.9 < max(values) <= 1.2, name
    # what one habit is says nothing of another
    habits = np.array([[plan.stepwise, plan.smooth, plan.pedalling] for plan in plans])
    assert np.abs(np.corrcoef(habits.T) - np.eye(3)).max() < 0.5
