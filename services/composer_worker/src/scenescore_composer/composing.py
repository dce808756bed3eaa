"""From a draw of clips to a new piece of music. Pure: no files, no database, no global random state."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from scenescore_composer import midi
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.features import Features
from scenescore_composer.ending import with_closing_chord
from scenescore_composer.keys import Key, Mode, relative
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.planning import Frame, frame_of, sampling_plan
from scenescore_composer.sampling import sample
from scenescore_composer.score import Piece, transposed
from scenescore_composer.selection import best
from scenescore_composer.tokens import decode
from scenescore_composer.training import Checkpoint, TrainingPlan, train
from scenescore_shared.errors import EmptyCorpusError

COMPOSER = "lstm-remi@1"
"""Name and version of the method, for provenance: changes when the same seed may give other music."""

_TRAINING_SHARE = 0.7
"""Of the progress that a job reports, training's part: about what it takes of the time."""


@dataclass(frozen=True, slots=True)
class CompositionRequest:
    seed: int
    seconds: float = 30.0
    """Length of the music, 10-180."""
    temperature: float = 1.0
    """Of sampling, > 0: below 1 plainer, above 1 wilder."""


@dataclass(frozen=True, slots=True)
class ComposerBudget:
    """How much work one job may be. The defaults take about ten seconds on two cores."""

    clips: int = 40
    """For the caller: how many clips to draw."""
    training_tokens: int = 90_000
    candidates: int = 8
    model: ModelSize = field(default_factory=ModelSize)


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


def compose(
    clips: Sequence[Clip],
    request: CompositionRequest,
    budget: ComposerBudget,
    checkpoint: Checkpoint,
) -> Composition:
    """Train a model on the clips and sample a piece from it, about `request.seconds` long: see `frame_of`.

    The same clips (in any order), request and budget give the same bytes, on one kind of machine with one number
    of torch threads. `checkpoint` hears of the progress between steps, and stops the work by raising.

    Raises EmptyCorpusError without clips, and what `checkpoint` raises.
    """
    if not clips:
        raise EmptyCorpusError("there are no clips to learn from")
    clips = sorted(clips, key=lambda clip: clip.id)
    frame = frame_of(clips, request.seconds, request.seed)
    model = TokenLstm(budget.model, _generator(request.seed, "weights"))
    sequences = [clip.tokens for clip in clips]
    model.learn_pairs(sequences)
    train(
        model,
        sequences,
        TrainingPlan(tokens=budget.training_tokens),
        _generator(request.seed, "training"),
        lambda progress: checkpoint(_TRAINING_SHARE * progress),
    )
    candidates = sample(
        model,
        sampling_plan(clips, frame, candidates=budget.candidates, temperature=request.temperature),
        _generator(request.seed, "sampling"),
        lambda progress: checkpoint(_TRAINING_SHARE + (1 - _TRAINING_SHARE) * progress),
    )
    chosen = best([decode(tokens) for tokens in candidates], [Features(**clip.features) for clip in clips])
    composition = _finished(chosen, frame, _home(clips, request.seed))
    checkpoint(1.0)
    return composition


def _home(clips: Sequence[Clip], seed: int) -> int:
    """By how many semitones to leave C major or A minor: as one of the clips does."""
    clip = random.Random(f"{seed}/key").choice(clips)
    mode: Mode = "major" if clip.features["major"] >= 0 else "minor"
    return -Key(int(clip.features["tonic"]), mode).to_normal


def _finished(chosen: Piece, frame: Frame, home: int) -> Composition:
    key = relative(chosen.notes)
    closed = with_closing_chord(chosen, key, frame.closing_bars)
    at_tempo = replace(closed, bars=(frame.bar,) * len(closed.bars))
    piece = transposed(at_tempo, home)
    key = key.moved(home)
    return Composition(
        midi=midi.write(piece, key=key),
        seconds=piece.seconds,
        tempo_bpm=frame.bar.bpm,
        key=key.name,
        notes=len(piece.notes),
        piece=piece,
    )


def _generator(seed: int, purpose: str) -> torch.Generator:
    """A random generator for one purpose: what one purpose draws doesn't depend on the others."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
