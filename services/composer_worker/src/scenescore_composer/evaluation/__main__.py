"""`python -m scenescore_composer.evaluation GENERATED --judge-clips FOLDER --near FOLDER`: how good the music is.

Writes `result.json` and piano rolls to the folder `--out`, and beside it a document of its name with `.md`. Sections
that you write to `notes.md` in that folder go into the document. With `--again` it makes the document anew from these
alone.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scenescore_composer.evaluation.evaluating import Task, evaluate
from scenescore_composer.evaluation.generated import GeneratedSet, read_generated
from scenescore_composer.evaluation.pictures import piano_roll
from scenescore_composer.evaluation.real import read_labelled, read_near
from scenescore_composer.evaluation.report import written
from scenescore_composer.recordings.reading import GuardedReader
from scenescore_shared.emotions import ALL_EMOTIONS, DEFAULT_EMOTIONS
from scenescore_shared.errors import InvalidRequestError, ScenescoreError

FAILED, INTERRUPTED = 1, 130
"""Exit statuses; 130 is what shells give a process ended by Ctrl-C."""
RESULT_FILE = "result.json"
NOTES_FILE = "notes.md"
_OURS = "generated"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    try:
        if not options.again:
            _evaluate(options)
        _document(options.out)
    except ScenescoreError as error:
        sys.stderr.write(f"{error.message}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; nothing was written.\n")
        return INTERRUPTED
    return 0


def _evaluate(options: argparse.Namespace) -> None:
    if options.generated is None or options.judge_clips is None:
        raise InvalidRequestError(
            "Name the folder of generated pieces, and --judge-clips FOLDER; or use --again."
        )
    folders = {_OURS: options.generated, **dict(options.beside)}
    with GuardedReader() as reader:
        generated = [read_generated(name, place, options.emotions, reader) for name, place in folders.items()]
        labelled, unreadable = read_labelled(options.judge_clips, options.emotions, reader)
        near = [
            read_near(
                place, options.emotions, reader, seconds=options.seconds, most=options.most, seed=options.seed
            )
            for place in options.near
        ]
    task = Task(
        generated=generated,
        labelled=labelled,
        near=near,
        emotions=options.emotions,
        seconds=options.seconds,
        seed=options.seed,
        controls=options.controls,
    )
    result = evaluate(task, lambda what: print(f"{what} …", file=sys.stderr))  # noqa: T201 a command that tells
    if unreadable:
        result["missing"].append(
            f"{len(unreadable)} labelled clips could not be read, the first: {unreadable[0]}"
        )
    result["pictures"] = _pictures(generated[0], options.out)
    (options.out / RESULT_FILE).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _pictures(generated: GeneratedSet, out: Path) -> dict[str, str]:
    """The first piece of each emotion as a picture in the folder: caption → file name."""
    out.mkdir(parents=True, exist_ok=True)
    found = {}
    for emotion, pieces in generated.pieces.items():
        if pieces:
            name = f"{emotion}.png"
            piano_roll(pieces[0].music).save(out / name, optimize=True)
            found[f"{emotion}, {pieces[0].name}"] = name
    return found


def _document(out: Path) -> None:
    try:
        result: Mapping[str, Any] = json.loads((out / RESULT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(f"{out / RESULT_FILE} can't be read: run the evaluation first.") from error
    pictures = {caption: f"{out.name}/{name}" for caption, name in result["pictures"].items()}
    notes = out / NOTES_FILE
    text = notes.read_text(encoding="utf-8") if notes.is_file() else ""
    document = out.with_suffix(".md")
    document.write_text(
        written(result, result_file=f"{out.name}/{RESULT_FILE}", pictures=pictures, notes=text),
        encoding="utf-8",
    )
    sys.stdout.write(f"{document}\n" + "".join(f"Missing: {sentence}\n" for sentence in result["missing"]))


def _beside(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    return name, Path(folder)


def _emotions(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if len(names) < 2 or not set(names) <= set(ALL_EMOTIONS):  # noqa: PLR2004 one can't be confused with itself
        raise argparse.ArgumentTypeError(f"name at least two of {', '.join(ALL_EMOTIONS)}, with commas")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_composer.evaluation", description=__doc__)
    parser.add_argument(
        "generated",
        type=Path,
        nargs="?",
        help="pieces as EMOTION/SEED.mid and mix-EMOTION-EMOTION-SHARE/SEED.mid",
    )
    parser.add_argument(
        "--judge-clips",
        type=Path,
        metavar="FOLDER",
        help="human-labelled clips: labels.csv with path, emotion, song",
    )
    parser.add_argument(
        "--near",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="music that people made, or a text file that lists some; twice: the first two make the unit of distance",
    )
    parser.add_argument(
        "--beside",
        type=_beside,
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="another folder of generated pieces for the same table; may be repeated",
    )
    parser.add_argument("--out", type=Path, default=Path("docs/composer"), help="default docs/composer")
    parser.add_argument("--emotions", type=_emotions, default=DEFAULT_EMOTIONS, metavar="A,B,…")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="length of excerpts and controls (default 30)"
    )
    parser.add_argument("--most", type=int, default=400, help="pieces of each near set at most (default 400)")
    parser.add_argument("--controls", type=int, default=30, help="random pieces an emotion (default 30)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--again", action="store_true", help="only make the document from the result that is there"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
