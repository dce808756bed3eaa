"""From a draw of clips to new music. Pure: no files, no database, no global random state."""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from scenescore_composer import midi
from scenescore_composer.conditioning import condition_of
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.ending import with_closing_chord
from scenescore_composer.form import figured_bars, recalled_bars, steady_bars
from scenescore_composer.model import TokenLstm
from scenescore_composer.novelty import HeardBefore
from scenescore_composer.performance.pedal import PIANOS, pedalled
from scenescore_composer.performance.touch import played
from scenescore_composer.planning import IN_SCALE, Plan, Wishes, plan_of
from scenescore_composer.sampling import SamplingPlan, sample
from scenescore_composer.score import Bar, Piece, transposed
from scenescore_composer.selection import best
from scenescore_composer.tokens import KINDS, Kind, decode
from scenescore_composer.training import Checkpoint, Lesson, TrainingPlan, train
from scenescore_shared.errors import EmptyCorpusError

COMPOSER = "lstm-remi@6"
"""Name and version of the method, for provenance: changes when the same seed may give other music."""

_LEARNT_SHARE = 0.2
"""Of what a job learns from its draw, see `training.TrainingPlan`: more of it forgets what music is like elsewhere."""
_NUCLEUS = (0.985, 0.91)
"""For music that leaves its scale most and least: what is left out are the rarer pitches."""
_EVEN, _RHYTHMIC_NUCLEUS = (0.4, 1.0), (1.0, 0.92)
"""For uneven and for wholly even music: what is left out are the rarer times and lengths."""
_RHYTHMIC_TEMPERATURE = 1.12
"""Without it 0.76 of the times from note to note are as long as the one before, where songs have 0.69."""
_TRAINING_SHARE = 0.5
"""Of the progress that a job reports, training's part: about what it takes of the time."""


@dataclass(frozen=True, slots=True)
class CompositionRequest:
    mix: Mapping[str, float]
    """Emotion → share."""
    seed: int
    wishes: Wishes
    temperature: float = 1.0
    """Of sampling, > 0: below 1 plainer, above 1 wilder."""
    program: int = 0
    """General MIDI instrument, 0-127."""
    variations: int = 1
    """Pieces wanted, ≥ 1, of one key, metre and tempo."""


@dataclass(frozen=True, slots=True)
class ComposerBudget:
    """How much work one job may be. The defaults take from one to five seconds, by the speed of the core."""

    clips: int = 40
    """For the caller: how many clips to draw."""
    training_tokens: int = 9_000
    """0 leaves the base model as it is."""
    candidates: int = 16
    """For each variation."""

    @property
    def training(self) -> TrainingPlan:
        return TrainingPlan(tokens=self.training_tokens, share=_LEARNT_SHARE)


@dataclass(frozen=True, slots=True)
class Composition:
    midi: bytes
    seconds: float
    """When the last note ends."""
    tempo_bpm: int
    """Quarters a minute."""
    key: str
    """As "F# minor"."""
    notes: int
    piece: Piece
    """As written, before it is played."""


def compose(
    clips: Sequence[Clip],
    request: CompositionRequest,
    budget: ComposerBudget,
    base: TokenLstm,
    checkpoint: Checkpoint,
) -> list[Composition]:
    """Fine-tune the base model on the clips and sample `request.variations` pieces from it.

    The same clips (in any order), request, budget and base give the same bytes, on one kind of machine with one
    number of torch threads. `base` stays as it is. `checkpoint` hears of the progress between steps, and stops the
    work by raising.

    Raises EmptyCorpusError without clips, and what `checkpoint` raises.
    """
    if not clips:
        raise EmptyCorpusError("there are no clips to learn from")
    clips = sorted(clips, key=lambda clip: clip.id)
    plan = plan_of(clips, request.mix, request.wishes, request.seed)
    model = copy.deepcopy(base)
    if budget.training_tokens:
        train(
            model,
            [lesson_of(clip) for clip in clips],
            budget.training,
            _generator(request.seed, "training"),
            lambda progress: checkpoint(_TRAINING_SHARE * progress),
        )
    count = budget.candidates * request.variations
    candidates = sample(
        model,
        sampling_plan(plan, count, request.temperature, request.seed),
        _generator(request.seed, "sampling"),
        lambda progress: checkpoint(_TRAINING_SHARE + (1 - _TRAINING_SHARE) * progress),
    )
    pieces = [_at_tempo(decode(tokens), plan.frame.bar) for tokens in candidates]
    heard = HeardBefore([decode(clip.tokens) for clip in clips])
    groups = [pieces[number :: request.variations] for number in range(request.variations)]
    chosen = [group[best(group, plan, heard)] for group in groups]
    compositions = [_finished(piece, plan, request, number) for number, piece in enumerate(chosen)]
    checkpoint(1.0)
    return compositions


def lesson_of(clip: Clip) -> Lesson:
    """The clip's tokens, each beside the condition that would have asked for it."""
    bar_of = np.cumsum([KINDS[token] is Kind.METRE for token in clip.tokens])
    condition = condition_of(clip.features, {clip.emotion: 1.0})
    # a clip is cut from the middle: it neither begins nor ends a piece
    vectors = condition.vectors(int(bar_of[-1]), opens=False, closes=False)
    return Lesson(clip.tokens, vectors[bar_of])


def sampling_plan(plan: Plan, candidates: int, temperature: float, seed: int) -> SamplingPlan:
    """How `candidates` candidates of the plan are sampled: the form is the seed's."""
    bars = plan.frame.sampled_bars
    # the last chord is one bar more, so that the model leads up to it
    vectors = plan.condition.vectors(bars + 1)
    return SamplingPlan(
        opening=plan.opening,
        recalled=tuple(recalled_bars(bars, seed)),
        steady=tuple(steady_bars(bars, seed)),
        figured=tuple(figured_bars(bars, seed)),
        vocabulary=plan.vocabulary,
        vectors=(vectors,) * candidates,
        voices=plan.voices,
        rhythmic_temperature=_RHYTHMIC_TEMPERATURE,
        stepwise=plan.stepwise,
        smooth=plan.smooth,
        temperature=temperature,
        nucleus=float(np.interp(plan.in_scale, IN_SCALE, _NUCLEUS)),
        rhythmic_nucleus=float(np.interp(plan.evenness, _EVEN, _RHYTHMIC_NUCLEUS)),
    )


def _at_tempo(piece: Piece, bar: Bar) -> Piece:
    return Piece((bar,) * len(piece.bars), piece.notes)


def _finished(chosen: Piece, plan: Plan, request: CompositionRequest, number: int) -> Composition:
    normal = plan.key.moved(plan.key.to_normal)
    closed = with_closing_chord(chosen, normal, plan.frame.closing_ticks)
    piece = transposed(closed, -plan.key.to_normal)
    performance = played(piece, plan.character, request.seed + number)
    pedal = pedalled(piece, plan.character, plan.pedalling) if request.program in PIANOS else []
    last = max(note.end for note in piece.notes)
    bar = plan.frame.bar
    return Composition(
        midi=midi.write(piece, key=plan.key, program=request.program, played=performance, pedal=pedal),
        seconds=bar.seconds * last / bar.ticks,
        tempo_bpm=bar.bpm,
        key=plan.key.name,
        notes=len(piece.notes),
        piece=piece,
    )


def _generator(seed: int, purpose: str) -> torch.Generator:
    """A random generator for one purpose: what one purpose draws doesn't depend on the others."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
