"""How well the rule's labels agree with people's: `python -m scenescore_composer.corpus.agreement FOLDER`.

FOLDER holds a `labels.csv` with the columns path and emotion, as `scenescore corpus import` takes it.
"""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scenescore_composer.corpus.features import measure
from scenescore_composer.corpus.guarded import GuardedParser
from scenescore_composer.corpus.labels import mix
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import InvalidMidiError


@dataclass(frozen=True, slots=True)
class Agreement:
    emotions: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Clips by what people said (row) and what the rule says (column), emotions in order."""

    @property
    def balanced_accuracy(self) -> float:
        """Mean over the emotions of the share on which the rule agrees; emotions without a clip don't count."""
        shares = [row[place] / sum(row) for place, row in enumerate(self.confusion) if sum(row)]
        return sum(shares) / len(shares) if shares else 0.0


def agreement(said: Sequence[tuple[str, Mapping[str, float]]], emotions: Sequence[str]) -> Agreement:
    """Of people's emotion and the rule's shares for each clip; clips of emotions not in `emotions` are left out."""
    counts = [[0] * len(emotions) for _ in emotions]
    for emotion, shares in said:
        if emotion in emotions:
            ruled = max(emotions, key=lambda each: shares[each])
            counts[emotions.index(emotion)][emotions.index(ruled)] += 1
    return Agreement(tuple(emotions), tuple(tuple(row) for row in counts))


def read_labels(folder: Path) -> list[tuple[str, Mapping[str, float]]]:
    """Each readable clip's emotion, as people said, and the rule's shares."""
    said: list[tuple[str, Mapping[str, float]]] = []
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as table, GuardedParser() as parser:
        for row in tqdm(list(csv.DictReader(table)), unit="clip", disable=None):
            try:
                piece = parser.parse((folder / row["path"]).read_bytes())
            except (InvalidMidiError, OSError) as error:
                sys.stderr.write(f"Left out {row['path']}: {error}.\n")
                continue
            said.append((row["emotion"], mix(measure(piece))))
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_composer.corpus.agreement", description=__doc__
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    if not (options.folder / "labels.csv").is_file():
        sys.stderr.write(f"{options.folder} holds no labels.csv with the columns path and emotion.\n")
        return 2
    said = read_labels(options.folder)
    for emotions in (ALL_EMOTIONS[:3], ALL_EMOTIONS):
        found = agreement(said, emotions)
        sys.stdout.write(f"{len(emotions)} emotions: balanced accuracy {found.balanced_accuracy:.3f}\n")
        for emotion, row in zip(found.emotions, found.confusion, strict=True):
            sys.stdout.write(f"  {emotion:6} {' '.join(f'{count:5}' for count in row)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
