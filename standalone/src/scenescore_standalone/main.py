"""The command line: reads arguments, calls one function, turns errors into sentences and exit codes."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_settings import SettingsError

from scenescore_api.key_arguments import add_key_actions
from scenescore_client.arguments import add_music_options, add_submit_arguments
from scenescore_shared.errors import ScenescoreError
from scenescore_shared.settings import LogSettings

if TYPE_CHECKING:
    from scenescore_standalone.settings import StandaloneSettings

_FAILED = 1
_USAGE = 2
_INTERRUPTED = 130

_LAST_PORT = 65535

_UP = "supervising:run"
_SUBMIT = "submit"
"""Of the client's, which reads no settings of ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        return _complain(f"a setting is wrong: {reasons}", _USAGE)
    except SettingsError as error:
        return _complain(f"a setting is wrong: {error}", _USAGE)
    except ScenescoreError as error:
        return _complain(error.message, _FAILED)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _complain(f"{error.strerror or error}{where}", _FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing half-done was kept", _INTERRUPTED)


def _run(options: argparse.Namespace) -> int:
    # imported only now: `--help` and a mistyped option need not wait for torch
    if options.run == _SUBMIT:
        from scenescore_client import command  # noqa: PLC0415 - no other command needs HTTP and bars

        return command.run(options, program="scenescore")
    settings = _settings(options)
    module, function = options.run.split(":")
    status: int = getattr(import_module(f"scenescore_standalone.{module}"), function)(settings, options)
    return status


def _settings(options: argparse.Namespace) -> "StandaloneSettings":
    from scenescore_standalone.settings import StandaloneSettings  # noqa: PLC0415 - it brings torch, as above

    given = {"data_dir": options.data_dir} if options.data_dir else {}
    settings = StandaloneSettings(**given)
    if options.run != _UP and "log" not in settings.model_fields_set:
        # a command's own words go to a person; the services' notes would only be noise between them
        settings = settings.model_copy(update={"log": LogSettings(level="error")})
    return settings


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"scenescore: {message}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scenescore",
        description="A picture of a scene in, how it feels and music that feels the same out.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir",
        type=Path,
        help="where everything is kept (default: SCENESCORE_DATA_DIR, or .scenescore)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_up, _add_compose, _add_submit, _add_classify, _add_corpus, _add_models, _add_keys):
        add(commands, common)
    return parser


def _add_up(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    up = commands.add_parser("up", parents=[common], help="run the API and its workers on this machine")
    up.add_argument("--port", type=_port, help="the API's port on 127.0.0.1 (default 8000)")
    up.set_defaults(run=_UP)


def _add_compose(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    compose = commands.add_parser("compose", parents=[common], help="compose the music of one picture")
    compose.add_argument("image", type=Path, nargs="?", metavar="IMAGE")
    compose.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mid")
    add_music_options(compose, key_flags=("--key", "--music-key"))
    compose.add_argument(
        "--audio", action="store_true", help="render it too: OUT.ogg beside OUT.mid (needs a SoundFont)"
    )
    compose.add_argument("--json", action="store_true", help="print the whole job as JSON")
    compose.set_defaults(run="composing:run")


def _add_submit(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", _common: argparse.ArgumentParser
) -> None:
    submit = commands.add_parser("submit", help="send pictures to a server, and save their music")
    add_submit_arguments(submit)
    submit.set_defaults(run=_SUBMIT)


def _add_classify(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    classify = commands.add_parser("classify", parents=[common], help="how pictures feel")
    classify.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    classify.add_argument("--json", action="store_true", help="one JSON object a line")
    classify.set_defaults(run="classifying:run")


def _add_corpus(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    corpus = commands.add_parser("corpus", help="the clips that music is learnt from")
    actions = corpus.add_subparsers(required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", parents=[common], help="build the starter corpus (once, a minute or two)"
    )
    build.set_defaults(run="corpora:build")
    import_ = actions.add_parser(
        "import", parents=[common], help="import a folder per emotion, or a folder with a CSV of labels"
    )
    import_.add_argument("folder", type=Path, metavar="DIR")
    import_.add_argument("--name", help="the corpus's name (default: the folder's)")
    import_.set_defaults(run="corpora:import_folder")
    list_ = actions.add_parser("list", parents=[common], help="list the corpora")
    list_.add_argument("--json", action="store_true", help="one JSON object a line")
    list_.set_defaults(run="corpora:show")


def _add_models(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    models = commands.add_parser("models", help="the classifiers that tell how a picture feels")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    list_ = actions.add_parser("list", parents=[common], help="which can be used here, and what others need")
    list_.add_argument("--json", action="store_true", help="one JSON object a line")
    list_.set_defaults(run="managing_models:show")
    pull = actions.add_parser(
        "pull", parents=[common], help="fetch the backbones of a model (mobilenet: 7 MB, Apache-2.0)"
    )
    pull.add_argument("model", choices=["mobilenet"], metavar="mobilenet")
    pull.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="take them from there, not from the network",
    )
    pull.set_defaults(run="managing_models:pull_backbones")


def _add_keys(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    keys = commands.add_parser("keys", help="the keys that open the API")
    add_key_actions(keys, parents=[common])
    keys.set_defaults(run="managing_keys:run")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; name one from 1 to {_LAST_PORT}")
    return int(text)
