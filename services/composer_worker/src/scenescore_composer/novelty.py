"""How much of a piece was heard before: the longest run of notes that it shares with given clips. Pure.

Two views of a piece are compared, each as a sequence of steps from note to note, a step being the interval in
semitones and the time between the onsets; so a copy is found in any key, at any tempo and in any register. The
melody is the highest note of each onset; the texture is all notes, by onset and then from the lowest up. Loudness
and how long notes are held don't count. Onsets are first brought to the nearest semiquaver, so that a performance's
small shifts hide no copy.

Runs are found with a suffix automaton of all clips' steps (A. Blumer et al., "The smallest automaton recognizing the
subwords of a text", 1985): built in time linear in the clips, asked in time linear in the piece.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scenescore_composer.score import TICKS_PER_QUARTER, Piece

SEMIQUAVER = TICKS_PER_QUARTER // 4

Step = tuple[int, int]
"""Semitones up, and semiquavers on, from one note to the next."""


@dataclass(frozen=True, slots=True)
class SharedRun:
    """The longest stretch of a piece that some clip holds too, in the key of either."""

    notes: int
    """How many notes: 0 where either has none, at least 1 otherwise."""
    clip: int | None
    """Which of the clips, by its place; of several the first. None where `notes` is 0."""


@dataclass(frozen=True, slots=True)
class Likeness:
    melody: SharedRun
    texture: SharedRun

    @property
    def notes(self) -> int:
        """The longer of the two runs, in notes: what a bound on copying looks at."""
        return max(self.melody.notes, self.texture.notes)


class HeardBefore:
    """The clips of a draw, made ready once to be compared with many candidates."""

    def __init__(self, clips: Iterable[Piece]) -> None:
        self._melodies, self._textures = _Automaton(), _Automaton()
        self._first: int | None = None
        for place, clip in enumerate(clips):
            self._melodies.add(melody_steps(clip))
            self._textures.add(texture_steps(clip))
            if clip.notes and self._first is None:
                self._first = place

    def likeness(self, piece: Piece) -> Likeness:
        """The longest runs that the piece shares with any of the clips."""
        if not piece.notes:
            return Likeness(SharedRun(0, None), SharedRun(0, None))
        return Likeness(
            melody=self._run(self._melodies, melody_steps(piece)),
            texture=self._run(self._textures, texture_steps(piece)),
        )

    def _run(self, clips: "_Automaton", steps: Sequence[Step]) -> SharedRun:
        if self._first is None:
            return SharedRun(0, None)
        length, clip = clips.longest_shared(steps)
        return SharedRun(length + 1, clip if length else self._first)


def melody_steps(piece: Piece) -> list[Step]:
    """The steps along the highest note of each onset; one fewer than there are onsets."""
    highest = {onset: pitch for onset, pitch in _placed(piece)}  # noqa: C416 the last pitch of an onset stays
    return _steps(list(highest.items()))


def texture_steps(piece: Piece) -> list[Step]:
    """The steps along all notes, by onset and then from the lowest up; one fewer than there are notes."""
    return _steps(_placed(piece))


def _placed(piece: Piece) -> list[tuple[int, int]]:
    """(onset in semiquavers, pitch) of each note, in order, no pitch twice on one onset."""
    return sorted({((note.onset + SEMIQUAVER // 2) // SEMIQUAVER, note.pitch) for note in piece.notes})


def _steps(placed: Sequence[tuple[int, int]]) -> list[Step]:
    return [(pitch - before, onset - since) for (since, before), (onset, pitch) in pairwise(placed)]


class _Automaton:
    """A generalised suffix automaton: accepts each run of steps that some added sequence holds.

    Places in the lists are states. `_links` leads to the state of the longest suffix that other runs end with too.
    """

    def __init__(self) -> None:
        self._next: list[dict[Step, int]] = [{}]
        self._links = [-1]
        self._lengths = [0]
        self._owners = [-1]
        self._added = 0

    def add(self, steps: Sequence[Step]) -> None:
        last = 0
        for step in steps:
            last = self._extend(last, step)
        self._added += 1

    def longest_shared(self, steps: Iterable[Step]) -> tuple[int, int]:
        """Length of the longest run of `steps` that was added, and the first sequence that holds it."""
        state = length = 0
        best, owner = 0, -1
        for step in steps:
            while state and step not in self._next[state]:
                state = self._links[state]
                length = self._lengths[state]
            if step in self._next[state]:
                state = self._next[state][step]
                length += 1
            if length > best:
                best, owner = length, self._owners[state]
        return best, owner

    def _extend(self, last: int, step: Step) -> int:
        """The state after `last` and this step, made where the automaton lacks it."""
        known = self._next[last].get(step)
        if known is not None:
            return (
                known if self._lengths[known] == self._lengths[last] + 1 else self._split(last, step, known)
            )
        made = self._state({}, 0, self._lengths[last] + 1, self._added)
        state = last
        while state != -1 and step not in self._next[state]:
            self._next[state][step] = made
            state = self._links[state]
        if state != -1:
            known = self._next[state][step]
            fits = self._lengths[known] == self._lengths[state] + 1
            self._links[made] = known if fits else self._split(state, step, known)
        return made

    def _split(self, state: int, step: Step, known: int) -> int:
        """A twin of `known` for the shorter runs that reach it by `step` from `state` and its suffixes."""
        twin = self._state(
            dict(self._next[known]), self._links[known], self._lengths[state] + 1, self._owners[known]
        )
        self._links[known] = twin
        while state != -1 and self._next[state].get(step) == known:
            self._next[state][step] = twin
            state = self._links[state]
        return twin

    def _state(self, following: dict[Step, int], link: int, length: int, owner: int) -> int:
        self._next.append(following)
        self._links.append(link)
        self._lengths.append(length)
        self._owners.append(owner)
        return len(self._lengths) - 1
