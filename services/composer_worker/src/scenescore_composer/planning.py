"""What is settled about a piece before a note of it is: from the mix, the draw, the options and the seed. Pure."""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenescore_composer.character import Character, character_of, varied
from scenescore_composer.conditioning import Condition
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.features import evenness
from scenescore_composer.grammar import Mask
from scenescore_composer.keys import Key, Mode
from scenescore_composer.score import METRES, TICKS_PER_QUARTER, Bar
from scenescore_composer.tokens import (
    DURATIONS,
    KINDS,
    SIZES,
    STARTS,
    TEMPOS,
    VOCABULARY_SIZE,
    Kind,
    decode,
    index_of,
    token,
)

Tokens = npt.NDArray[np.int_]

CLOSING_SECONDS = 1.5
"""The last chord sounds that long at least."""
_MOST_BENT = 0.1
"""Natural logarithm of how much faster or slower than its character a piece may be, to fill the time."""
_MIN_METRE_SHARE = 0.15
_LOWEST_PITCH, _HIGHEST_PITCH = 28, 96
_QUAVER, _TRIPLET, _SEMIQUAVER = 6, 4, 3  # ticks
_SHORT_METRE = (2, 4)
"""For pieces so short and slow that a bar of the draw's metre would fill them."""
_ONSETS_PER_QUARTER = (0.5, 4.0)
IN_SCALE = (0.78, 0.97)
"""Songs of OpenScore Lieder have 0.88 ± 0.08: some stay in their key, others wander through neighbouring ones."""
_VOICES = (5, 6, 7, 8)
"""A song's voice and the three or four of its piano, and doublings."""
_STEPWISE, _SMOOTH = (0.0, 1.0), (0.3, 1.2)
"""Ranges: by itself the model says 0.20 seconds a step of the melody where songs have 0.35 ± 0.15, and twice as many
minor seconds and major sevenths as they do. Some songs leap and grate all the same.
"""
_PEDALLING = (0.2, 1.0)
"""Range: some music is played almost dry whatever its mood, since its notes are long enough as written."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the client settled; None leaves it to the composer."""

    seconds: float
    """10-180."""
    tempo_bpm: int | None = None
    """Quarters a minute, 30-240."""
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The bars of a piece: some to sample, then a last chord."""

    bar: Bar
    sampled_bars: int
    closing_ticks: int
    """Length of the last chord, which starts with a bar."""

    @property
    def ticks(self) -> int:
        return self.sampled_bars * self.bar.ticks + self.closing_ticks


@dataclass(frozen=True, slots=True)
class Plan:
    character: Character
    mix: Mapping[str, float]
    frame: Frame
    key: Key
    condition: Condition
    """Of the music in its normal key, C major or A minor."""
    vocabulary: Mask
    """[VOCABULARY_SIZE], the tokens that may be sampled."""
    evenness: float
    """How many of its times from onset to onset shall be as long as the one before, 0-1: as in one of the clips.
    Songs of OpenScore Lieder have 0.69 ± 0.24: some flow in quavers throughout, others never do the same twice.
    """
    in_scale: float
    """How much of its sounding time shall be on degrees of the key's scale, 0-1."""
    voices: int
    """Notes that may sound together."""
    stepwise: float
    """How far seconds in the melody are leant towards: see `voice_leading`."""
    smooth: float
    """How far notes that grate are leant away from: see there."""
    pedalling: float
    """How much of what its character allows the pedal is held, 0-1."""

    @property
    def opening(self) -> tuple[int, int, int]:
        """Every candidate's first tokens."""
        metre = METRES.index((self.frame.bar.numerator, self.frame.bar.denominator))
        tempo = min(range(len(TEMPOS)), key=lambda i: abs(TEMPOS[i] - self.frame.bar.bpm))
        return STARTS[Kind.BOS], token(Kind.METRE, metre), token(Kind.TEMPO, tempo)


def plan_of(clips: Sequence[Clip], mix: Mapping[str, float], wishes: Wishes, seed: int) -> Plan:
    """Everything about the piece but its notes. `clips` are the draw, at least one."""
    character = varied(character_of(mix), seed)
    metre = _metre(clips, seed)
    if not _leaves_room(metre, wishes.tempo_bpm or character.tempo_bpm, wishes.seconds):
        metre = _SHORT_METRE
    frame = frame_of(metre, character.tempo_bpm, wishes)
    key = wishes.key or _key(clips, character, seed)
    onsets = character.onsets_per_second * 60 / frame.bar.bpm
    condition = Condition(
        mix=mix,
        major=key.mode == "major",
        onsets_per_quarter=min(max(onsets, _ONSETS_PER_QUARTER[0]), _ONSETS_PER_QUARTER[1]),
        texture=character.texture,
        pitch=character.pitch + key.to_normal,
    )
    used = np.array([t for clip in clips for t in clip.tokens])
    metre_token = token(Kind.METRE, METRES.index(metre))
    return Plan(
        character,
        mix,
        frame,
        key,
        condition,
        _vocabulary(used, metre_token),
        evenness=_evenness(clips, seed),
        in_scale=random.Random(f"{seed}/scale").uniform(*IN_SCALE),
        voices=random.Random(f"{seed}/voices").choice(_VOICES),
        stepwise=random.Random(f"{seed}/stepwise").uniform(*_STEPWISE),
        smooth=random.Random(f"{seed}/smooth").uniform(*_SMOOTH),
        pedalling=random.Random(f"{seed}/pedalling").uniform(*_PEDALLING),
    )


def frame_of(metre: tuple[int, int], tempo: float, wishes: Wishes) -> Frame:
    """Bars that last as long as was asked for, to the tick.

    A tempo that was asked for holds; the last chord then takes what whole bars leave. Else the tempo is bent until that
    chord has a fitting length. `tempo`, 30-244, leaves room for a bar and that chord.
    """
    bpm = wishes.tempo_bpm or _bent(metre, tempo, wishes.seconds)
    bar = Bar(*metre, bpm=bpm)
    ticks = round(wishes.seconds * bpm / 60 * TICKS_PER_QUARTER)
    shortest = math.ceil(CLOSING_SECONDS * bpm / 60 * TICKS_PER_QUARTER)
    sampled = max(1, (ticks - shortest) // bar.ticks)
    return Frame(bar, sampled, max(shortest, ticks - sampled * bar.ticks))


def _leaves_room(metre: tuple[int, int], bpm: float, seconds: float) -> bool:
    """Whether a bar at about that tempo and the last chord are over in time."""
    quarters = Bar(*metre, bpm=TEMPOS[0]).ticks / TICKS_PER_QUARTER
    return quarters * 60 / bpm * (1 + _MOST_BENT) + CLOSING_SECONDS <= seconds


def _bent(metre: tuple[int, int], tempo: float, seconds: float) -> int:
    """The whole tempo nearest to `tempo` at which whole bars, the last one or two a chord, fill the time."""
    quarters = Bar(*metre, bpm=TEMPOS[0]).ticks / TICKS_PER_QUARTER

    def fits(bpm: int) -> bool:
        bar_seconds = quarters * 60 / bpm
        rest = seconds % bar_seconds
        return min(rest, bar_seconds - rest) < 0.02 * bar_seconds

    near = sorted(range(TEMPOS[0], TEMPOS[-1] + 1), key=lambda bpm: abs(math.log(bpm / tempo)))
    return next((bpm for bpm in near if fits(bpm) and abs(math.log(bpm / tempo)) < _MOST_BENT), near[0])


def _key(clips: Sequence[Clip], character: Character, seed: int) -> Key:
    """A key of one of the clips of the mode that the character asks for; of any key where none is in that mode."""
    chance = random.Random(f"{seed}/key")
    mode: Mode = "major" if chance.random() < character.major else "minor"
    tonics = [
        int(clip.features["tonic"]) for clip in clips if (clip.features["major"] >= 0) == (mode == "major")
    ]
    return Key(chance.choice(tonics) if tonics else chance.randrange(12), mode)


def _evenness(clips: Sequence[Clip], seed: int) -> float:
    """That of one of the clips."""
    return evenness(decode(random.Random(f"{seed}/evenness").choice(clips).tokens))


def _metre(clips: Sequence[Clip], seed: int) -> tuple[int, int]:
    """One of the draw's metres, each as likely as its share of the music; rare ones can't be learnt from."""
    held: defaultdict[tuple[int, int], float] = defaultdict(float)
    for clip in clips:
        metres = [METRES[index_of(t)] for t in clip.tokens if KINDS[t] is Kind.METRE]
        for metre in metres:
            held[metre] += clip.seconds / len(metres)
    common = {m: share for m, share in sorted(held.items()) if share >= _MIN_METRE_SHARE * sum(held.values())}
    choices = common or {max(sorted(held), key=held.__getitem__): 1.0}
    return random.Random(f"{seed}/metre").choices(list(choices), list(choices.values()))[0]


def _vocabulary(used: Tokens, metre: int) -> Mask:
    """All but other metres, changes of tempo, extreme pitches, and the subdivision that the draw has less of."""
    mask: Mask = np.ones(VOCABULARY_SIZE, dtype=np.bool_)
    for kind in (Kind.BOS, Kind.METRE, Kind.TEMPO):
        mask[STARTS[kind] : STARTS[kind] + SIZES[kind]] = False
    mask[metre] = True
    mask[STARTS[Kind.PITCH] : token(Kind.PITCH, _LOWEST_PITCH)] = False
    mask[token(Kind.PITCH, _HIGHEST_PITCH) + 1 : STARTS[Kind.PITCH] + SIZES[Kind.PITCH]] = False
    for off_grid in _rarer_subdivision(used):
        mask[off_grid] = False
    return mask


def _rarer_subdivision(used: Tokens) -> list[int]:
    """Tokens of positions and durations in semiquavers, or those in triplets: whichever the draw has fewer of.

    Mixed at random, the two make no rhythm.
    """
    ticks = _indices(used, Kind.POSITION)
    semiquavers = np.count_nonzero((ticks % _SEMIQUAVER == 0) & (ticks % _QUAVER != 0))
    triplets = np.count_nonzero((ticks % _TRIPLET == 0) & (ticks % _QUAVER != 0))
    unit = _SEMIQUAVER if semiquavers >= triplets else _TRIPLET // 2
    return [
        *(token(Kind.POSITION, tick) for tick in range(SIZES[Kind.POSITION]) if tick % unit),
        *(token(Kind.DURATION, i) for i, ticks_ in enumerate(DURATIONS) if ticks_ % unit),
    ]


def _indices(used: Tokens, kind: Kind) -> Tokens:
    """The indices of the tokens of one kind."""
    of_kind = (used >= STARTS[kind]) & (used < STARTS[kind] + SIZES[kind])
    indices: Tokens = used[of_kind] - STARTS[kind]
    return indices
