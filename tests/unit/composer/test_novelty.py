"""The longest run of notes shared with clips, against a plain search and copies made by hand."""

import random
from collections.abc import Callable, Sequence

from scenescore_composer.novelty import HeardBefore, Step, melody_steps, texture_steps
from scenescore_composer.score import Bar, Note, Piece, tidy, transposed

Tune = Callable[..., Piece]


def _melody(pitches: Sequence[int], *, bpm: int = 96) -> Piece:
    """Quavers in 4/4."""
    bars = -(-len(pitches) // 8)
    return Piece(
        (Bar(4, 4, bpm),) * bars, tuple(Note(6 * i, pitch, 6, 80) for i, pitch in enumerate(pitches))
    )


def _plainly_longest(one: Sequence[Step], other: Sequence[Step]) -> int:
    """The longest common run by trying every pair of places."""
    runs = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, step in enumerate(one):
        for j, others in enumerate(other):
            if step == others:
                runs[i + 1][j + 1] = runs[i][j] + 1
    return max(max(row) for row in runs)


def test_a_copy_shares_every_note_whatever_its_key_tempo_and_loudness(make_tune: Tune) -> None:
    clip = make_tune(1)
    louder = tuple(Note(n.onset, n.pitch, n.duration, 110) for n in transposed(clip, 5).notes)
    copy = Piece((Bar(4, 4, 140),) * len(clip.bars), louder)

    found = HeardBefore([make_tune(2), clip]).likeness(copy)

    assert found.texture.notes == len(clip.notes)
    assert found.texture.clip == 1
    assert found.melody.notes == len({note.onset for note in clip.notes})
    assert found.notes == len(clip.notes)


def test_counts_the_notes_of_a_quotation() -> None:
    clip = _melody([60, 62, 64, 65, 67, 69, 71, 72])
    quoting = _melody([72, 60, 64, 66, 68, 69, 71, 60])  # 64 66 68 69 71 steps as 60 62 64 65 67 does

    found = HeardBefore([clip]).likeness(quoting)

    assert (found.melody.notes, found.melody.clip) == (5, 0)


def test_the_melody_is_recognised_over_another_accompaniment() -> None:
    tune = _melody([60, 62, 64, 65, 67, 69, 71, 72])
    bass = tuple(Note(12 * i, 36 + 5 * (i % 2), 12, 60) for i in range(4))
    accompanied = Piece(tune.bars, tuple(sorted((*tune.notes, *bass))))

    found = HeardBefore([tune]).likeness(accompanied)

    assert found.melody.notes == 8
    assert found.texture.notes < 8


def test_the_same_pitches_in_another_rhythm_are_no_copy() -> None:
    clip = _melody([60, 62, 64, 65, 67, 69, 71, 72])
    slower = Piece(clip.bars * 2, tuple(Note(2 * n.onset, n.pitch, 12, 80) for n in clip.notes))

    assert HeardBefore([clip]).likeness(slower).notes == 1


def test_small_shifts_of_a_performance_hide_no_copy(make_tune: Tune) -> None:
    clip = make_tune(3)
    rng = random.Random(0)
    shifted = [
        Note(max(0, n.onset + rng.choice((-1, 0, 1))), n.pitch, max(1, n.duration - 2), n.velocity)
        for n in clip.notes
    ]

    found = HeardBefore([clip]).likeness(Piece(clip.bars, tidy(shifted, clip.ticks)))

    assert found.melody.notes == len({note.onset for note in clip.notes})


def test_agrees_with_a_plain_search(make_tune: Tune) -> None:
    clips = [make_tune(seed, bars=2) for seed in range(12)]
    heard = HeardBefore(clips)
    for seed in range(100, 140):
        piece = make_tune(seed, bars=3)
        found = heard.likeness(piece)
        for run, steps in ((found.melody, melody_steps), (found.texture, texture_steps)):
            lengths = [_plainly_longest(steps(piece), steps(clip)) for clip in clips]
            assert run.notes == max(lengths) + 1
            assert run.clip is not None
            assert lengths[run.clip] == max(lengths)


def test_nothing_is_shared_where_there_is_nothing(make_tune: Tune) -> None:
    silence = Piece((Bar(4, 4, 96),), ())

    assert HeardBefore([make_tune(1)]).likeness(silence).notes == 0
    assert HeardBefore([silence]).likeness(make_tune(1)).notes == 0
    assert HeardBefore([]).likeness(make_tune(1)).notes == 0
