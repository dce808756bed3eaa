"""What makes one candidate better than another."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.features import evenness, measure
from scenescore_composer.keys import Key
from scenescore_composer.novelty import HeardBefore
from scenescore_composer.planning import Plan, Wishes, plan_of
from scenescore_composer.score import Bar, Note, Piece, tidy
from scenescore_composer.selection import (
    LONGEST_SHARED_RUN,
    best,
    cadence,
    collapse,
    in_scale,
    judge,
    on_beat,
    stepwise,
)
from scenescore_composer.tokens import decode

BARS = (Bar(4, 4, 120),) * 4
NOTHING = HeardBefore([])


@pytest.fixture
def plan(clips: list[Clip]) -> Plan:
    settled = plan_of(clips, {"happy": 1.0}, Wishes(12, tempo_bpm=120, key=Key(0, "major")), seed=1)
    return replace(settled, condition=replace(settled.condition, onsets_per_quarter=2, texture=1.5, pitch=62))


def _line(pitches: list[int], length: int = 6) -> Piece:
    """A melody that goes through the pitches again and again, for four bars."""
    onsets = range(0, BARS[0].ticks * len(BARS), length)
    return Piece(
        BARS, tuple(Note(tick, pitches[i % len(pitches)], length, 72) for i, tick in enumerate(onsets))
    )


def test_measures_by_hand() -> None:
    line = _line([60, 62, 64, 61])
    assert in_scale(line, Key(0, "major")) == 0.75
    assert in_scale(line, Key(9, "minor")) == 0.75
    assert on_beat(line) == 1
    ending = Piece(BARS, (Note(0, 60, 12, 72), Note(180, 55, 12, 72), Note(180, 71, 12, 72)))
    assert cadence(ending, Key(0, "major")) == 0, "the bass waits on the dominant"
    assert cadence(ending, Key(5, "major")) == 0, "or on the second degree"
    assert cadence(ending, Key(7, "major")) == 1


def test_collapse_is_seen() -> None:
    one_pitch, one_note = _line([60]), Piece(BARS, (Note(0, 60, 6, 72),))
    assert collapse(one_pitch, measure(one_pitch)).is_collapsed
    assert collapse(one_note, measure(one_note)).silence > 0.9


def test_the_candidate_in_key_and_character_wins(plan: Plan, make_tune: Callable[..., Piece]) -> None:
    good = make_tune(1)
    foreign = replace(good, notes=tuple(replace(n, pitch=n.pitch + (n.onset // 6) % 2) for n in good.notes))
    low = replace(good, notes=tuple(replace(n, pitch=n.pitch - 24) for n in good.notes))
    sparse = replace(good, notes=good.notes[::9])
    for worse in (foreign, low, sparse):
        assert best([worse, good], plan, NOTHING) == 1
    assert judge(good, plan, NOTHING).fit < judge(low, plan, NOTHING).fit
    assert judge(good, plan, NOTHING).musicality < judge(foreign, plan, NOTHING).musicality


def test_music_as_even_and_as_chromatic_as_planned_wins(plan: Plan, make_tune: Callable[..., Piece]) -> None:
    tune = make_tune(1)
    uneven = replace(tune, notes=tuple(note for note in tune.notes if note.onset % 48 not in {6, 18, 24}))
    chromatic = replace(
        tune, notes=tuple(replace(n, pitch=n.pitch + (n.onset // 6 % 3 == 1)) for n in tune.notes)
    )
    assert evenness(uneven) < evenness(tune) - 0.2
    assert in_scale(chromatic, plan.key) < in_scale(tune, plan.key) - 0.1
    for one, other in ((tune, uneven), (tune, chromatic), (uneven, tune), (chromatic, tune)):
        meant = replace(plan, evenness=evenness(one), in_scale=in_scale(one, plan.key))
        assert judge(one, meant, NOTHING).musicality < judge(other, meant, NOTHING).musicality


def test_a_copy_and_a_collapse_lose_against_anything_else(plan: Plan, clips: list[Clip]) -> None:
    learnt = [decode(clip.tokens) for clip in clips]
    heard = HeardBefore(learnt)
    moved = (replace(note, pitch=(note.pitch * 7) % 40 + 20) for note in learnt[0].notes[::2])
    poor = replace(learnt[0], notes=tidy(moved, learnt[0].ticks))
    copy = judge(learnt[0], plan, heard)
    assert copy.shared_run > LONGEST_SHARED_RUN
    assert judge(poor, plan, heard).shared_run <= LONGEST_SHARED_RUN
    assert best([learnt[0], poor], plan, heard) == 1
    assert best([_line([60]), poor], plan, heard) == 1
    assert best([Piece(BARS, ()), _line([60])], plan, heard) == 1, "anything is better than silence"


def test_a_melody_that_moves_by_step_wins_over_one_that_leaps(plan: Plan) -> None:
    scale = _line([60, 62, 64, 65, 67, 65, 64, 62])
    leaps = _line([60, 65, 62, 67, 64, 60, 65, 62])
    assert stepwise(scale) == 1
    assert stepwise(leaps) < 0.2
    assert stepwise(Piece(BARS, (Note(0, 60, 6, 72),))) == 0
    chords = Piece(BARS, tuple(Note(12 * i, pitch, 6, 72) for i in range(4) for pitch in (48, 60 + 2 * i)))
    assert stepwise(chords) == 1, "the highest notes are the melody"
    assert judge(scale, plan, NOTHING).musicality < judge(leaps, plan, NOTHING).musicality
