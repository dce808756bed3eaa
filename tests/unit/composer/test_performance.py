"""How scores are taken: tempo and loudness bar by bar, then every note."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from scenescore_composer import midi
from scenescore_composer.character import CHARACTERS, character_of
from scenescore_composer.corpus.catalogue import InMemoryClipCatalogue
from scenescore_composer.corpus.clips import LabelledMusic, keep
from scenescore_composer.performance.pedal import Press, pedalled
from scenescore_composer.performance.shaping import is_flat, shaped
from scenescore_composer.performance.touch import FINE_TICKS_PER_QUARTER, PlayedNote, played
from scenescore_composer.score import TICKS_PER_QUARTER, Bar, Note, Piece, transposed
from scenescore_shared.fakes import InMemoryBlobStore

FINE = FINE_TICKS_PER_QUARTER // TICKS_PER_QUARTER
HAPPY, ANGRY, SAD = {"happy": 1.0}, {"angry": 1.0}, {"sad": 1.0}


@pytest.fixture
def tune(make_tune: Callable[..., Piece]) -> Piece:
    return make_tune(3, bars=8, bpm=92)


def _mean_velocity(notes: list[PlayedNote] | tuple[Note, ...]) -> float:
    return sum(note.velocity for note in notes) / len(notes)


def test_a_flat_score_gets_the_emotions_tempo_and_loudness_and_swells(tune: Piece) -> None:
    assert is_flat(tune)
    loud, soft = shaped(tune, ANGRY), shaped(tune, SAD)
    assert not is_flat(soft)
    assert soft.bars[0].bpm < 92 < loud.bars[0].bpm
    assert _mean_velocity(loud.notes) == pytest.approx(CHARACTERS["angry"].loudness, abs=2)
    assert _mean_velocity(soft.notes) == pytest.approx(CHARACTERS["sad"].loudness, abs=2)
    by_bar = [max(n.velocity for n in soft.part(bar, bar + 1).notes) for bar in range(8)]
    assert by_bar[:4] == by_bar[4:], "an arch over each phrase"
    assert by_bar[0] < by_bar[1]


def test_every_note_is_played_once_in_its_place(tune: Piece) -> None:
    for mix in (ANGRY, SAD, {"happy": 0.5, "calm": 0.5}):
        notes = played(shaped(tune, mix), character_of(mix), seed=1)
        assert [note.pitch for note in notes] == [note.pitch for note in tune.notes]
        late = [note.onset - FINE * written.onset for note, written in zip(notes, tune.notes, strict=True)]
        assert len(set(late)) > 10, "nobody plays on the grid"
        # 150 ms: what is further off is another rhythm
        assert max(map(abs, late)) < 0.15 * 92 / 60 * FINE_TICKS_PER_QUARTER
        assert all(note.end > note.onset >= 0 for note in notes)
        assert max(note.end for note in notes) == FINE * tune.ticks


def test_no_pitch_sounds_twice_at_once() -> None:
    repeated = tuple(Note(tick, 60, 1, 80) for tick in range(96))
    notes = played(Piece((Bar(4, 4, 240),) * 2, repeated), character_of(ANGRY), seed=5)
    assert all(a.end <= b.onset for a, b in pairwise(notes))


def test_the_touch_is_the_emotions(tune: Piece) -> None:
    angry, sad = (played(shaped(tune, mix), character_of(mix), seed=2) for mix in (ANGRY, SAD))
    assert _mean_velocity(angry) > _mean_velocity(sad) + 40
    happy = played(shaped(tune, HAPPY), character_of(HAPPY), seed=2)
    lengths = [sum(note.end - note.onset for note in notes) for notes in (happy, sad)]
    assert lengths[0] < 0.97 * lengths[1], "detached against legato"
    top = {written.onset: written.pitch for written in tune.notes}
    leading = [n.velocity for n, w in zip(sad, tune.notes, strict=True) if top[w.onset] == n.pitch]
    beneath = [n.velocity for n, w in zip(sad, tune.notes, strict=True) if top[w.onset] != n.pitch]
    assert sum(leading) / len(leading) > sum(beneath) / len(beneath) + 8


def test_the_same_seed_plays_the_same(tune: Piece) -> None:
    assert played(tune, character_of(SAD), seed=1) == played(tune, character_of(SAD), seed=1)
    assert played(tune, character_of(SAD), seed=1) != played(tune, character_of(SAD), seed=2)


def test_copies_are_dropped_in_whatever_key_and_flat_scores_performed(tune: Piece) -> None:
    def labelled(music: Piece, source: str) -> LabelledMusic:
        return LabelledMusic(
            music=music, emotion="sad", title=source, song=source, licence="CC0", source=source
        )

    louder = replace(tune, notes=tuple(replace(n, velocity=60 + n.pitch % 5) for n in tune.notes))
    other = replace(louder, notes=louder.notes[3:])
    found = [
        labelled(tune, "first"),
        labelled(transposed(tune, 5), "moved"),
        labelled(louder, "louder"),
        labelled(other, "other"),
    ]
    kept = keep("tests", found, InMemoryClipCatalogue(), InMemoryBlobStore())
    assert [clip.title for clip in kept.clips] == ["first", "other"]
    assert [copy.source for copy in kept.copies] == ["moved", "louder"]
    assert "first" in kept.copies[0].reason
    flat, performed = kept.clips
    assert flat.features["loudness"] == pytest.approx(CHARACTERS["sad"].loudness, abs=2), (
        "played as sad music is"
    )
    assert performed.features["loudness"] == pytest.approx(62, abs=2), "left as somebody played it"


def _held(pedal: list[Press]) -> int:
    return sum(up - down for down, up in pedal)


def test_the_pedal_is_down_within_a_harmony_and_up_between_two(tune: Piece) -> None:
    sad, dry = (pedalled(tune, replace(character_of(SAD), articulation=share)) for share in (1.0, 0.75))
    assert len(sad) == 2 * len(tune.bars)
    assert all(down < up for down, up in sad)
    assert all(up <= later for (_, up), (later, _) in pairwise(sad))
    assert sad[-1][1] == FINE * max(note.end for note in tune.notes), "it holds nothing beyond the end"
    assert dry == []
    happy = pedalled(tune, character_of(HAPPY))
    assert _held(happy) < 0.7 * _held(sad)
    assert _held(pedalled(tune, character_of(SAD), 0.5)) == pytest.approx(0.5 * _held(sad), rel=0.1)
    assert pedalled(tune, character_of(SAD), 0.0) == []


def test_what_the_pedal_holds_sounds_on_and_is_written_as_played(tune: Piece) -> None:
    pedal = pedalled(tune, character_of(SAD))
    data = midi.write(tune, pedal=pedal)
    assert midi.read(data, pedal=False).notes == midi.read(midi.write(tune)).notes
    held = midi.read(data).notes
    assert sum(note.duration for note in held) > 1.3 * sum(note.duration for note in tune.notes)
    assert max(note.end for note in held) == max(note.end for note in tune.notes)
