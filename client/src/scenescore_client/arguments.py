"""The command line's arguments: those of music, which other commands share, and those of `submit`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scenescore_client.jobs import Options

_ASKED = ("seed", "seconds", "temperature", "tempo_bpm", "key", "instrument", "variations", "emotions")


def add_music_options(parser: "argparse._ActionsContainer", *, key_flags: Sequence[str]) -> None:
    """What the music shall be like. `key_flags` name the argument for its key."""
    parser.add_argument("--seed", type=int, help="the same seed gives the same music")
    parser.add_argument("--seconds", type=float, help="length of the music, 10 to 180 (default 30)")
    parser.add_argument("--temperature", type=float, help="how daring: 0.5 to 1.5")
    parser.add_argument("--tempo-bpm", type=int, help="quarter notes a minute, 30 to 240")
    parser.add_argument(*key_flags, dest="key", help='such as "F# minor"')
    parser.add_argument("--instrument", type=_instrument, help="of General MIDI: a name, or a number from 0")
    parser.add_argument("--variations", type=int, help="how many pieces, 1 to 8")
    parser.add_argument(
        "--emotions", type=_mix, metavar="happy=0.7,sad=0.3", help="a mix instead of the picture's"
    )


def asked_options(arguments: argparse.Namespace) -> Options:
    """What was asked for of the above, and nothing else."""
    asked = {name: getattr(arguments, name) for name in _ASKED}
    options: Options = {name: value for name, value in asked.items() if value is not None}  # type: ignore[assignment] # the names are those of Options
    return options


def add_submit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pictures", type=Path, nargs="*", metavar="PICTURE")
    server = parser.add_argument_group("the server")
    server.add_argument(
        "--server",
        metavar="URL",
        help="its address (default: SCENESCORE_CLIENT__SERVER, or http://127.0.0.1:8000)",
    )
    server.add_argument(
        "--key",
        dest="api_key",
        help="your key, scs_…; other users of this machine may see it here: better set SCENESCORE_CLIENT__KEY",
    )
    add_music_options(parser.add_argument_group("the music"), key_flags=("--music-key",))
    saving = parser.add_argument_group("what becomes of it")
    saving.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where the files go (default: here); of several pictures, into a folder for each",
    )
    saving.add_argument(
        "--only", action="append", metavar="NAME", help="save this file alone, such as music.mid; repeatable"
    )
    saving.add_argument("--overwrite", action="store_true", help="replace files that are there")
    saving.add_argument("--json", action="store_true", help="print each job as a JSON object a line")
    saving.add_argument("--no-wait", action="store_true", help="print the jobs' ids and leave")
    saving.add_argument(
        "--resume",
        nargs="+",
        metavar="ID",
        help="wait for jobs that were submitted before, and save their files",
    )
    saving.add_argument(
        "--cancel-on-interrupt", action="store_true", help="Ctrl-C cancels what is not done, without asking"
    )


def _instrument(text: str) -> str | int:
    """A number as a number; the options say what there is."""
    return int(text) if text.isascii() and text.isdigit() else text


def _mix(text: str) -> dict[str, float]:
    """`happy=0.7,sad=0.3` as weights. Raises argparse's error for anything else."""
    try:
        pairs = [part.split("=") for part in text.split(",")]
        return {emotion.strip(): float(weight) for emotion, weight in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no mix; write it as happy=0.7,sad=0.3") from None
