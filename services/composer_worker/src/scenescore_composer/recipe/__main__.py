"""`python -m scenescore_composer.recipe FOLDER --emotions happy=1 --out OUT.mid`: the thesis's procedure on a draw."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from scenescore_composer import midi
from scenescore_composer.corpus.labelled_files import labelled_files
from scenescore_composer.recipe.procedure import Budget, Recipe, drawn
from scenescore_composer.recipe.representation import first_part, spaced
from scenescore_composer.recordings.reading import GuardedReader
from scenescore_shared.emotions import ALL_EMOTIONS, Mix, normalise
from scenescore_shared.errors import InvalidMidiError, InvalidRequestError, ScenescoreError

FAILED, INTERRUPTED = 1, 130
"""Exit statuses; 130 is what shells give a process ended by Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (of the command line where None) and give its exit status."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        _run(options)
    except ScenescoreError as error:
        sys.stderr.write(f"{error.message}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; nothing was written.\n")
        return INTERRUPTED
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.out is None and not options.time_only:
        raise InvalidRequestError(
            "Say where the music goes with --out OUT.mid, or measure with --time-only N."
        )
    if options.out is not None:
        _check_place(options.out, options.pieces)
    budget = Budget(clips=options.clips, epochs=options.epochs, notes=options.notes)
    recipe = Recipe(_pitches(options), budget, options.seed)
    if options.time_only:
        with tqdm(total=2 * options.time_only, desc="Measuring", unit="step", disable=None) as bar:
            cost = recipe.cost(options.time_only, bar.update)
        sys.stdout.write(json.dumps({**asdict(cost), "seconds": cost.seconds}) + "\n")
        return
    with tqdm(total=recipe.training_steps, desc="Training", unit="step", disable=None) as bar:
        recipe.train(bar.update)
    with tqdm(total=budget.notes, desc="Sampling", unit="note", disable=None) as bar:
        said = recipe.say(bar.update, pieces=options.pieces)
    try:
        for place, pitches in _places(options.out, said):
            place.write_bytes(midi.write(spaced(pitches)))
    except OSError as error:
        raise InvalidRequestError(f"{options.out} can't be written: {error.strerror}.") from error


def _check_place(out: Path, pieces: int) -> None:
    """Raises InvalidRequestError, before hours of training, where what it leads to could not be written."""
    if pieces == 1 and (out.is_dir() or not out.parent.is_dir()):
        raise InvalidRequestError(f"{out} can't be written: name a file in a folder that there is.")
    if pieces > 1 and out.exists() and not out.is_dir():
        raise InvalidRequestError(f"{out} is a file: several pieces need a folder.")


def _places(out: Path, said: Sequence[Sequence[int]]) -> Iterator[tuple[Path, Sequence[int]]]:
    """One piece is the file `out`, several are numbered files in the folder of that name."""
    if len(said) == 1:
        yield out, said[0]
        return
    out.mkdir(parents=True, exist_ok=True)
    for number, pitches in enumerate(said):
        yield out / f"{number}.mid", pitches


def _pitches(options: argparse.Namespace) -> list[int]:
    """The drawn clips' first parts, one after another. Files that can't be used are told of and left out."""
    clips: dict[str, list[str]] = {}
    for file in labelled_files(options.folder):
        clips.setdefault(file.emotion, []).append(str(file.path))
    found: dict[str, list[int]] = {}
    draw = drawn(clips, options.emotions, options.clips, options.seed)
    with GuardedReader() as reader:
        for path in tqdm(sorted(set(draw)), desc="Reading", unit="clip", disable=None):
            try:
                found[path] = first_part(reader.read(Path(path)))
            except InvalidMidiError as error:
                sys.stderr.write(f"{path} is left out: {error.message}\n")
    return [pitch for path in draw for pitch in found.get(path, ())]


def _mix(text: str) -> Mix:
    weights = {}
    for share in text.split(","):
        name, _, weight = share.partition("=")
        if name.strip() not in ALL_EMOTIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(ALL_EMOTIONS)}")
        try:
            weights[name.strip()] = float(weight or 1)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{weight!r} is no number") from error
    try:
        return normalise(weights, [emotion for emotion in ALL_EMOTIONS if emotion in weights])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_composer.recipe", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="clips, with labels.csv (path, emotion) or a subfolder for each emotion"
    )
    parser.add_argument(
        "--emotions", type=_mix, required=True, metavar="MIX", help="such as happy=1, or happy=0.7,sad=0.3"
    )
    parser.add_argument("--out", type=Path, metavar="OUT.mid", help="the MIDI file to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--clips", type=_positive, default=Budget().clips, help="clips to draw (default 1000)"
    )
    parser.add_argument("--epochs", type=_positive, default=Budget().epochs, help="default 20")
    parser.add_argument("--notes", type=_positive, default=Budget().notes, help="notes to say (default 500)")
    parser.add_argument(
        "--pieces",
        type=_positive,
        default=1,
        metavar="N",
        help="say so many after one training, each after another window; --out is a folder then (default 1)",
    )
    parser.add_argument(
        "--time-only",
        type=_positive,
        metavar="N",
        help="measure N steps and print what all of it would take, as JSON",
    )
    parser.add_argument("--threads", type=_positive, default=1, help="of torch (default 1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
