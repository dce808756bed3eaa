"""What is settled about a piece before a note of it is: from the means of the draw, by the seed. Pure."""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.grammar import Mask
from scenescore_composer.sampling import SamplingPlan
from scenescore_composer.score import METRES, TICKS_PER_QUARTER, Bar
from scenescore_composer.tokens import (
    BOS,
    DURATIONS,
    KINDS,
    SIZES,
    STARTS,
    TEMPOS,
    VOCABULARY_SIZE,
    Kind,
    index_of,
    token,
)

Tokens = npt.NDArray[np.int_]

_CLOSING_SECONDS = 1.5
_TOLERANCE_SECONDS = 0.5
_MOST_BARS_OFF = 4
_MIN_METRE_SHARE = 0.15
_EXTREME_PERCENT = 2
_MAX_VOICES = 6
_QUAVER, _TRIPLET, _SEMIQUAVER = 6, 4, 3  # ticks


@dataclass(frozen=True, slots=True)
class Frame:
    """What is settled before a note is: the bars of the piece."""

    bar: Bar
    bars: int
    """All of them, the closing ones too."""
    closing_bars: int


def frame_of(clips: Sequence[Clip], seconds: float, seed: int) -> Frame:
    """A metre of the draw and its mean tempo, bent so that whole bars at a whole tempo fill the time asked for.

    Within `_TOLERANCE_SECONDS` where some number of bars near the mean tempo's can, else as nearly as one can.
    """
    metre = _metre(clips, seed)
    mean = math.exp(sum(math.log(clip.features["tempo_bpm"]) for clip in clips) / len(clips))
    tempo = min(max(mean, TEMPOS[0]), TEMPOS[-1])
    quarters = Bar(*metre, bpm=TEMPOS[0]).ticks / TICKS_PER_QUARTER
    usual = max(2, round(seconds * tempo / 60 / quarters))

    def bpm_for(bars: int) -> int:
        return min(max(round(bars * quarters * 60 / seconds), TEMPOS[0]), TEMPOS[-1])

    def misfit(bars: int) -> tuple[float, float]:
        bpm = bpm_for(bars)
        error = abs(bars * quarters * 60 / bpm - seconds)
        return (0.0 if error <= _TOLERANCE_SECONDS else error), abs(math.log(bpm / tempo))

    bars = min(range(max(2, usual - _MOST_BARS_OFF), usual + _MOST_BARS_OFF + 1), key=misfit)
    bar = Bar(*metre, bpm=bpm_for(bars))
    return Frame(bar, bars, min(bars - 1, math.ceil(_CLOSING_SECONDS / bar.seconds)))


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


def sampling_plan(
    clips: Sequence[Clip], frame: Frame, *, candidates: int, temperature: float
) -> SamplingPlan:
    """Sampling in the frame with the draw's means: its tokens, its register, its voices, one subdivision."""
    metre = token(Kind.METRE, METRES.index((frame.bar.numerator, frame.bar.denominator)))
    tempo = min(range(len(TEMPOS)), key=lambda i: abs(TEMPOS[i] - frame.bar.bpm))
    used = np.array([t for clip in clips for t in clip.tokens])
    voices = sum(clip.features["polyphony"] for clip in clips) / len(clips)
    return SamplingPlan(
        opening=(BOS, metre, token(Kind.TEMPO, tempo)),
        bars=frame.bars - frame.closing_bars,
        vocabulary=_vocabulary(used, metre),
        registers=_registers(used, voices=min(_MAX_VOICES, max(1, round(voices + 0.25)))),
        candidates=candidates,
        temperature=temperature,
    )


def _registers(used: Tokens, voices: int) -> tuple[int, ...]:
    """The middle of each of `voices` equal shares of the draw's pitches."""
    middles = (np.arange(voices) + 0.5) / voices
    return tuple(int(pitch) for pitch in np.quantile(_indices(used, Kind.PITCH), middles))


def _vocabulary(used: Tokens, metre: int) -> Mask:
    """The tokens used, less other metres, changes of tempo, extreme pitches, and the rarer subdivision."""
    mask: Mask = np.zeros(VOCABULARY_SIZE, dtype=np.bool_)
    mask[used] = True
    for kind in (Kind.METRE, Kind.TEMPO):
        mask[STARTS[kind] : STARTS[kind] + SIZES[kind]] = False
    mask[metre] = True
    low, high = np.percentile(_indices(used, Kind.PITCH), [_EXTREME_PERCENT, 100 - _EXTREME_PERCENT])
    mask[STARTS[Kind.PITCH] : token(Kind.PITCH, int(low))] = False
    mask[token(Kind.PITCH, int(high) + 1) : STARTS[Kind.PITCH] + SIZES[Kind.PITCH]] = False
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
    start = STARTS[kind]
    return used[(used >= start) & (used < start + SIZES[kind])] - start
