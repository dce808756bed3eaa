"""The whole evaluation: from folders to one result in JSON values, from which the report is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenescore_composer.evaluation import collapse, figures
from scenescore_composer.evaluation.controls import random_notes
from scenescore_composer.evaluation.distance import LEAST_PIECES, Yardstick, feature_table, yardstick
from scenescore_composer.evaluation.generated import GeneratedSet
from scenescore_composer.evaluation.judges import (
    FOLDS,
    JUDGES,
    Judge,
    LabelledRecording,
    cross_validated,
)
from scenescore_composer.evaluation.real import NearSet
from scenescore_composer.recipe.representation import rewritten
from scenescore_composer.recordings.recording import Recording, from_piece, middle

RESULT_VERSION = 1
_MIXES_WANTED = 5

Say = Callable[[str], None]
"""Tells the user what is being done."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to evaluate, and against what."""

    generated: Sequence[GeneratedSet]
    """The product's own first, then those to set beside it."""
    labelled: Sequence[LabelledRecording]
    near: Sequence[NearSet]
    emotions: Sequence[str]
    seconds: float
    """Length of excerpts and of random controls."""
    seed: int
    controls: int
    """Random pieces for each emotion."""


def evaluate(task: Task, say: Say) -> dict[str, Any]:
    """The result, with a sentence in `missing` for whatever it lacks."""
    stick = _yardstick(task)
    say("Asking the judges about clips that they do not know")
    real = _real_rows(task, stick)
    say("Asking the judges about generated pieces")
    judges = {kind.name: Judge(kind, task.labelled, task.emotions, task.seed) for kind in JUDGES}
    rows = [_generated_row(each, task, judges, stick) for each in task.generated]
    say("Measuring random notes")
    control = {
        emotion: [
            from_piece(random_notes(emotion, task.seed + place, seconds=task.seconds))
            for place in range(task.controls)
        ]
        for emotion in task.emotions
    }
    rows += [*real, _row("random notes under a rule", control, task, judges, stick)]
    return {
        "version": RESULT_VERSION,
        "emotions": list(task.emotions),
        "seed": task.seed,
        "seconds": task.seconds,
        "clips": {
            "count": len(task.labelled),
            "songs": len({clip.song for clip in task.labelled}),
            "folds": FOLDS,
        },
        "near": {
            each.name: {"pieces": len(each.music), "muspy": figures.muspy_table(each.music)}
            for each in task.near
        },
        "yardstick": _described(stick, len(task.emotions) * task.controls),
        "rows": rows,
        "monotonicity": figures.monotonicity(task.generated[0], judges, task.emotions),
        "missing": _missing(task, stick),
    }


def _yardstick(task: Task) -> Yardstick | None:
    usable = [each for each in task.near if len(each.music) >= LEAST_PIECES]
    if len(usable) < 2:  # noqa: PLR2004 a distance has two ends
        return None
    first, second = ((each.name, feature_table(each.music)) for each in usable[:2])
    return yardstick(first, second, seed=task.seed)


def _described(stick: Yardstick | None, size: int) -> dict[str, Any] | None:
    return None if stick is None else {"between": list(stick.names), "floor": round(stick.floor(size), 4)}


def _real_rows(task: Task, stick: Yardstick | None) -> list[dict[str, Any]]:
    """Real clips, and the same clips as the thesis's representation keeps them."""
    clips = list(task.labelled)
    plain = [from_piece(rewritten(clip.music)) for clip in clips]
    relabelled = [LabelledRecording(music, c.emotion, c.song) for music, c in zip(plain, clips, strict=True)]
    meant = [task.emotions.index(clip.emotion) for clip in clips]
    heard = {
        kind.name: cross_validated(kind, clips, task.emotions, task.seed, rewritten={"thesis": plain})
        for kind in JUDGES
    }
    taught = {kind.name: cross_validated(kind, relabelled, task.emotions, task.seed)[""] for kind in JUDGES}
    excerpts = [middle(clip.music, task.seconds) for clip in clips]
    return [
        {
            "name": "real clips",
            **figures.verdicts({name: each[""] for name, each in heard.items()}, meant),
            **figures.likeness(excerpts, task.near, None),
        },
        {
            "name": "the same clips, the thesis's way",
            **figures.verdicts({name: each["thesis"] for name, each in heard.items()}, meant),
            **figures.likeness([middle(music, task.seconds) for music in plain], task.near, stick),
            "judges_taught_on_it": figures.verdicts(taught, meant)["mean"],
        },
    ]


def _generated_row(
    generated: GeneratedSet, task: Task, judges: Mapping[str, Judge], stick: Yardstick | None
) -> dict[str, Any]:
    pieces = {emotion: [piece.music for piece in group] for emotion, group in generated.pieces.items()}
    return {
        **_row(generated.name, pieces, task, judges, stick),
        "novelty": figures.novelty(generated),
        "collapsed_with_mixes": {
            "pieces": len(generated.everything),
            **collapse.counted([piece.music for piece in generated.everything]),
        },
        "unreadable": list(generated.unreadable),
    }


def _row(
    name: str,
    pieces: Mapping[str, Sequence[Recording]],
    task: Task,
    judges: Mapping[str, Judge],
    stick: Yardstick | None,
) -> dict[str, Any]:
    everything = [(music, emotion) for emotion, group in pieces.items() for music in group]
    music = [each for each, _ in everything]
    meant = [task.emotions.index(emotion) for _, emotion in everything]
    probabilities = {kind: judge.probabilities(music) for kind, judge in judges.items()}
    return {
        "name": name,
        **figures.verdicts(probabilities, meant),
        **figures.likeness(music, task.near, stick),
    }


def _missing(task: Task, stick: Yardstick | None) -> list[str]:
    """What a reader would expect and does not get."""
    ours = task.generated[0]
    found = []
    if stick is None:
        found.append(
            f"No distances: they need two --near sets of at least {LEAST_PIECES} pieces, the second as the unit's end."
        )
    few = [f"{len(group)} {emotion}" for emotion, group in ours.pieces.items() if len(group) < task.controls]
    if few:
        found.append(f"Fewer than {task.controls} pieces of an emotion: {', '.join(few)}.")
    if not ours.mixtures:
        found.append("No mixes of two emotions, so nothing is said of what lies between them.")
    pairs = figures.pairs_mixed(ours)
    short = [" and ".join(pair) for pair, steps in pairs.items() if steps < _MIXES_WANTED]
    if short:
        found.append(f"Fewer than {_MIXES_WANTED} steps between {'; '.join(short)}.")
    if figures.novelty(ours) is None:
        found.append("Novelty is unknown: no piece names drawn clips that the folder holds.")
    unreadable = [*ours.unreadable, *(line for near in task.near for line in near.unreadable)]
    if unreadable:
        found.append(f"{len(unreadable)} files could not be read, the first: {unreadable[0]}")
    return found
