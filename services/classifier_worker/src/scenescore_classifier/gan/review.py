"""Generated pictures reach the training set by an administrator's hand only.

They wait in a review folder (a folder per emotion). `admit` moves chosen ones into a training folder of the same
layout, under names that begin with `gan-`; their provenance goes to the hidden folder `.generated` there, where
reading pictures does not look. Generated pictures are for training folds only: whoever splits data does it with
`split_real`, which never tests on them.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scenescore_classifier.data import LABELS_FILE, Dataset, split_by_theme
from scenescore_classifier.metrics import Ints
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import ScenescoreError

PREFIX = "gan-"
PROVENANCE_FOLDER = ".generated"
TRAINING_ONLY = -1
"""The fold of a generated picture: no fold's test."""


class ReviewError(ScenescoreError):
    """The chosen pictures can't be admitted or rejected; nothing was moved."""

    code = "invalid_review"


@dataclass(frozen=True)
class Move:
    """A file and where it goes."""

    source: Path
    target: Path
    data: bytes


def is_generated(file: str) -> bool:
    """Whether a picture's file (or its theme, which comes from the file's name) says that a GAN made it."""
    return Path(file).name.startswith(PREFIX)


def split_real(labels: Ints, names: Sequence[str], folds: int, generator: np.random.Generator) -> Ints:
    """The fold of each of n pictures, int (n,): real ones by `data.split_by_theme`, generated ones -1.

    `names` are the pictures' themes. `fold_of == fold` then never holds out a generated picture, and
    `fold_of != fold` trains on it in every fold: only honest where its GAN saw no picture of the test fold,
    which a GAN trained on all pictures did. The table therefore trains one for each fold.
    """
    real = np.array([not is_generated(name) for name in names], dtype=bool)
    fold_of = np.full(len(names), TRAINING_ONLY, dtype=np.int64)
    themes = [name for name in names if not is_generated(name)]
    fold_of[real] = split_by_theme(labels[real], themes, folds, generator)
    return fold_of


def real_only(dataset: Dataset) -> Dataset:
    """The data set without generated pictures, told by their themes; the fingerprint stays that of all."""
    real = np.array([not is_generated(theme) for theme in dataset.themes], dtype=bool)
    return replace(
        dataset,
        pixels=dataset.pixels[torch.from_numpy(real)],
        labels=dataset.labels[real],
        themes=tuple(theme for theme in dataset.themes if not is_generated(theme)),
    )


def waiting(review: Path, patterns: Sequence[str]) -> list[Path]:
    """Pictures in the review folder whose `emotion/name.png`, or name, fits one of the shell patterns.

    Raises ReviewError when a pattern fits none.
    """
    there = sorted(path for path in review.glob("*/*.png") if path.parent.name in ALL_EMOTIONS)
    chosen: set[Path] = set()
    for pattern in patterns:
        fitting = {
            path
            for path in there
            if fnmatchcase(path.name, pattern) or fnmatchcase(f"{path.parent.name}/{path.name}", pattern)
        }
        if not fitting:
            raise ReviewError(f"No picture that waits in {review} is called {pattern}: look there for names.")
        chosen |= fitting
    return sorted(chosen)


def admit(review: Path, training: Path, patterns: Sequence[str], *, by: str, at: str) -> list[Path]:
    """Move the chosen pictures into `training`, with who admitted them (`by`) and when (`at`) added to their
    provenance. All of them or none: what fails on the way is taken back. Returns their new places.

    Raises ReviewError when one is no generated picture of its emotion, or another file has its place.
    """
    if (training / LABELS_FILE).exists():
        raise ReviewError(
            f"{training} is labelled by {LABELS_FILE}, so folders in it are not read: name another folder."
        )
    pictures = waiting(review, patterns)
    moves: list[Move] = []
    for picture in pictures:
        provenance = {**_provenance(picture), "admitted_by": by, "admitted_at": at}
        place = Path(picture.parent.name) / picture.name
        # the provenance first: a picture is never there without it
        hidden = training / PROVENANCE_FOLDER / place.with_suffix(".json")
        text = json.dumps(provenance, indent=2) + "\n"
        moves.append(Move(picture.with_suffix(".json"), hidden, text.encode()))
        moves.append(Move(picture, training / place, picture.read_bytes()))
    _refuse_taken(moves)
    _place_all(moves)
    for move in moves:
        move.source.unlink(missing_ok=True)
    return [move.target for move in moves if move.target.suffix == ".png"]


def reject(review: Path, patterns: Sequence[str]) -> list[Path]:
    """Delete the chosen pictures and their provenance; returns where they were."""
    pictures = waiting(review, patterns)
    for picture in pictures:
        picture.unlink()
        picture.with_suffix(".json").unlink(missing_ok=True)
    return pictures


def _provenance(picture: Path) -> dict[str, Any]:
    path = picture.with_suffix(".json")
    try:
        provenance = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ReviewError(f"{path} can't be read: reject the picture, and sample it again.") from error
    if (
        not isinstance(provenance, dict)
        or provenance.get("generated") is not True
        or provenance.get("emotion") != picture.parent.name
        or not is_generated(picture.name)
    ):
        raise ReviewError(
            f"{picture} is no generated picture of {picture.parent.name}: take it out of review."
        )
    return provenance


def _refuse_taken(moves: Sequence[Move]) -> None:
    for move in moves:
        # the same picture is there when the command was stopped before it emptied the review folder
        if move.target.suffix == ".png" and move.target.exists() and move.target.read_bytes() != move.data:
            raise ReviewError(
                f"{move.target} is another picture: nothing was admitted; move it or reject this one."
            )


def _place_all(moves: Sequence[Move]) -> None:
    placed: list[Path] = []
    try:
        placed.extend(move.target for move in moves if _place(move))  # grows as they are placed
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise


def _place(move: Move) -> bool:
    """Whether the whole file is now in its place for the first time; one that is there is never replaced."""
    move.target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=move.target.parent, prefix=".")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(move.data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        move.target.hardlink_to(temporary)  # unlike a rename, fails where there is a file
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True
