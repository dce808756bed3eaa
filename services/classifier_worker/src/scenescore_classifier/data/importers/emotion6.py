"""Emotion6 (K.-C. Peng, A. Sadovnik, A. Gallagher, T. Chen, "A Mixed Bag of Emotions", CVPR 2015).

Checked against the text of the README that comes with the set, not against its files: `images/<emotion>/<n>.jpg`,
330 pictures in each of six folders that are named by the keyword with which they were searched on Flickr;
`ground_truth.txt`, a line of names and then a line per picture with its file (`disgust/1.jpg`), valence, arousal and
the shares of people who chose anger, disgust, fear, joy, sadness, surprise and neutral, in that order,
tab-separated.

Assumed: valence and arousal go from 1 to 9. Tolerated: other cases of letters, a folder around it all, further
files, blanks for tabs, other orders of the shares where the first line names them. The pictures' names tell no theme.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenescore_classifier.data.affect import Scale
from scenescore_classifier.data.entries import DatasetError, Skipped
from scenescore_classifier.data.importers.layout import (
    Found,
    ImportedSet,
    Ratings,
    find_root,
    merged_map,
    pictures_of,
    refuse_other_set,
)

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
CHOICES = (*EMOTIONS, "neutral")
SCALE = "1-9"
GROUND_TRUTH = "ground_truth.txt"

_TOLERANCE = 0.01
"""Shares in the file are rounded, so they add up to 1 only nearly."""


@dataclass(frozen=True)
class Judgement:
    """What the raters of one picture said."""

    ratings: Ratings
    shares: Mapping[str, float]
    """By the names of `CHOICES`; they add up to 1."""


def read_emotion6(
    folder: Path,
    changes: Mapping[str, str],
    *,
    majority: bool = False,
    keep_unlabelled: bool = False,
) -> ImportedSet:
    """The pictures of the set in `folder`, their emotion by folder, or by what most raters chose.

    `changes` go before `DEFAULT_MAP` (see `merged_map`). `keep_unlabelled` keeps pictures of other emotions for
    their valence and arousal.

    Raises DatasetError where `folder` is not that set but UnBiasedEmo, say, or has no ground truth that `majority`
    could count.
    """
    root = find_root(folder, EMOTIONS)
    refuse_other_set(root, "love", "unbiasedemo")
    emotion_of = merged_map(changes, CHOICES if majority else EMOTIONS)
    judged, left_out, warnings = _ground_truth(folder, root)
    if majority and not judged:
        raise DatasetError(f"{folder} has no usable {GROUND_TRUTH}, so nobody knows what most people chose.")
    found: list[Found] = []
    for item in pictures_of(root, EMOTIONS):
        if isinstance(item, Skipped):
            left_out.append(item)
            continue
        file, searched = item
        judgement = judged.pop(file.lower(), None)
        named, reason = _most_chosen(judgement) if majority else (searched, "")
        ours = emotion_of.get(named, "")
        ratings = judgement.ratings if judgement else None
        if ours or (keep_unlabelled and ratings):
            found.append(Found(file, ours, ratings=ratings))
        else:
            left_out.append(Skipped(file, reason or f"{named} has no counterpart"))
    left_out.extend(Skipped(file, f"named in {GROUND_TRUTH}, but not there") for file in judged)
    return ImportedSet(root, tuple(found), tuple(left_out), tuple(warnings))


def _most_chosen(judgement: Judgement | None) -> tuple[str, str]:
    """The single most chosen emotion; or nothing, and why."""
    if judgement is None:
        return "", f"not in {GROUND_TRUTH}"
    most = max(judgement.shares.values())
    first = [name for name, share in judgement.shares.items() if share == most]
    return (first[0], "") if len(first) == 1 else ("", f"raters torn between {' and '.join(first)}")


def _ground_truth(folder: Path, root: Path) -> tuple[dict[str, Judgement], list[Skipped], list[str]]:
    """Judgements by file in small letters, lines that can't be used, and warnings."""
    path = _find_ground_truth(folder, root)
    if path is None:
        return {}, [], [f"No {GROUND_TRUTH}: the pictures come without valence and arousal."]
    try:
        # unreadable bytes make unusable names, which are reported one by one
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}.") from error
    judged: dict[str, Judgement] = {}
    skipped: list[Skipped] = []
    for item in _judgements(lines):
        if isinstance(item, Skipped):
            skipped.append(item)
        elif item[0] in judged:
            skipped.append(Skipped(item[0], f"named twice in {GROUND_TRUTH}; the first line counts"))
        else:
            judged[item[0]] = item[1]
    return judged, skipped, []


def _find_ground_truth(folder: Path, root: Path) -> Path | None:
    """Beside the emotions' folders or above them: up to `folder`, or to the set's own folder around `images`."""
    root, highest = root.resolve(), folder.resolve()
    if root == highest and root.name.lower() == "images":
        highest = root.parent
    for place in (root, *root.parents):
        found = [path for path in sorted(place.iterdir()) if path.name.lower() == GROUND_TRUTH]
        if found:
            return found[0]
        if place == highest:
            break
    return None


def _judgements(lines: list[str]) -> Iterator[tuple[str, Judgement] | Skipped]:
    order = CHOICES
    for number, line in enumerate(lines, start=1):
        if number == 1 and "[" in line:
            named = tuple(name.lower() for name in re.findall(r"\[prob\.?\s*(\w+)\s*\]", line, re.IGNORECASE))
            order = named if set(named) == set(CHOICES) else CHOICES
        elif line.strip():
            cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
            yield _judgement(cells, order, number)


def _judgement(cells: list[str], order: tuple[str, ...], number: int) -> tuple[str, Judgement] | Skipped:
    place = f"{GROUND_TRUTH} line {number}"
    cells = [cell for cell in cells if cell]
    if len(cells) != len(order) + 3:
        return Skipped(place, f"{len(cells)} columns instead of {len(order) + 3}")
    file = cells[0].replace("\\", "/").lower()
    scale = Scale.parse(SCALE)
    try:
        scale.position(cells[1])
        scale.position(cells[2])
        shares = {name: float(cell) for name, cell in zip(order, cells[3:], strict=True)}
    except ValueError as error:
        return Skipped(place, str(error))
    if not (
        all(0 <= share <= 1 for share in shares.values())
        and math.isclose(sum(shares.values()), 1, abs_tol=_TOLERANCE)
    ):
        return Skipped(place, "shares that don't add up to 1")
    return file, Judgement(Ratings(cells[1], cells[2], SCALE), shares)
