"""`python -m scenescore_classifier.data.import_set SET FOLDER --out DIR`: a set that others made → labels.csv.

DIR is then a folder for the training command. Where DIR is not the set itself, it gets links to its pictures.
"""

import argparse
import csv
import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from scenescore_classifier.checkpoint import write_atomically
from scenescore_classifier.data.entries import LABELS_FILE, DatasetError
from scenescore_classifier.data.importers.emotion6 import read_emotion6
from scenescore_classifier.data.importers.layout import ImportedSet
from scenescore_classifier.data.importers.unbiasedemo import read_unbiasedemo
from scenescore_shared.errors import ScenescoreError

FAILED = 1
LEFT_OUT_FILE = "left_out.csv"
PICTURES_FOLDER = "pictures"

_COLUMNS = ("file", "emotion", "valence", "arousal", "scale", "theme")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    try:
        changes = dict(options.map)
        if options.set == "emotion6":
            imported = read_emotion6(
                options.folder, changes, majority=options.majority, keep_unlabelled=options.keep_unlabelled
            )
        else:
            imported = read_unbiasedemo(options.folder, changes)
        write_set(imported, options.out, copy=options.copy)
    except ScenescoreError as error:
        sys.stderr.write(f"{error.message}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(f"{options.out} can't be written: {error.strerror}. Give another folder.\n")
        return FAILED
    sys.stdout.write(_summary(imported) + f"{LABELS_FILE} and {LEFT_OUT_FILE} are in {options.out}.\n")
    return 0


def write_set(imported: ImportedSet, out: Path, *, copy: bool = False) -> None:
    """`out/labels.csv` and `out/left_out.csv`; the pictures stay where they are if that is inside `out`.

    Else `out/pictures` gets a link to each, or a copy. Raises DatasetError where there is nothing to write, a
    labels.csv already, or another file in a link's place; OSError where `out` can't be written.
    """
    if not imported.found:
        raise DatasetError(f"No picture of {imported.root} is left: see the emotions with --map.")
    if (out / LABELS_FILE).exists():
        raise DatasetError(f"{out / LABELS_FILE} is there already: delete it, or give another --out.")
    out.mkdir(parents=True, exist_ok=True)
    root, target = imported.root.resolve(), out.resolve()
    if root.is_relative_to(target):
        place = root.relative_to(target)
    else:
        place = Path(PICTURES_FOLDER)
        for picture in imported.found:
            _hand_over(root / picture.file, out / place / picture.file, copy=copy)
    rows = (
        (
            (place / picture.file).as_posix(),
            picture.emotion,
            *((r.valence, r.arousal, r.scale) if (r := picture.ratings) else ("", "", "")),
            picture.theme,
        )
        for picture in imported.found
    )
    left_out = ((item.file, item.reason) for item in imported.left_out)
    write_atomically(out / LEFT_OUT_FILE, _table(("file", "reason"), left_out))
    # last: where it is, all is there
    write_atomically(out / LABELS_FILE, _table(_COLUMNS, rows))


def _hand_over(picture: Path, place: Path, *, copy: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        # an import that was stopped goes on
        if not copy and place.is_symlink() and place.resolve() == picture.resolve():
            return
        if not copy or place.is_symlink() or not place.is_file():
            raise DatasetError(f"{place} is in the way: delete it, or give another --out.")
    if copy:
        shutil.copyfile(picture, place)
        return
    try:
        place.symlink_to(picture)
    except OSError as error:
        raise DatasetError(
            f"{place} can't be made a link ({error.strerror}): copy the pictures with --copy."
        ) from error


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode(errors="surrogateescape")


def _summary(imported: ImportedSet) -> str:
    """A few lines for people: counts by emotion, themes, and reasons for what was left out."""
    found = imported.found
    counts = Counter(picture.emotion or "no emotion, ratings only" for picture in found)
    lines = [
        f"{len(found)} pictures: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    ]
    rated = sum(picture.ratings is not None for picture in found)
    if rated:
        lines.append(f"{rated} of them with valence and arousal")
    themes = {picture.theme for picture in found if picture.theme}
    lines.append(
        f"{len(themes)} themes"
        if themes
        else "The set names no themes, so similar pictures may be trained on and tested on at once: "
        f"add some to the column theme of {LABELS_FILE} if you can."
    )
    reasons = Counter(item.reason for item in imported.left_out)
    lines += [f"left out {count}: {reason}" for reason, count in reasons.most_common()]
    return "\n".join([*lines, *imported.warnings]) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_classifier.data.import_set", description=__doc__
    )
    sets = parser.add_subparsers(dest="set", required=True)
    for name in ("emotion6", "unbiasedemo"):
        command = sets.add_parser(name)
        command.add_argument("folder", type=Path, help="where the set was unpacked")
        command.add_argument(
            "--out", type=Path, required=True, help=f"folder for {LABELS_FILE}; may be the set's"
        )
        command.add_argument(
            "--map",
            type=_pair,
            action="append",
            default=[],
            metavar="THEIRS=OURS",
            help="such as fear=sad; fear= leaves it out (default: joy and love happy, anger angry, sadness sad)",
        )
        command.add_argument(
            "--copy", action="store_true", help="copy the pictures instead of linking to them"
        )
        if name == "emotion6":
            command.add_argument(
                "--majority", action="store_true", help="the emotion most raters chose, not the folder's"
            )
            command.add_argument(
                "--keep-unlabelled",
                action="store_true",
                help="keep pictures of other emotions for their valence and arousal",
            )
    return parser


def _pair(text: str) -> tuple[str, str]:
    theirs, sign, ours = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is no THEIRS=OURS, such as fear=sad")
    return theirs.strip().lower(), ours.strip().lower()


if __name__ == "__main__":
    sys.exit(main())
