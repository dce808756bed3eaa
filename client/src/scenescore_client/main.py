"""The command `scenescore-client`, for whoever has a server elsewhere."""

import argparse
from collections.abc import Sequence

from scenescore_client import command
from scenescore_client.arguments import add_submit_arguments

_PROGRAM = "scenescore-client"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status, as `command.run`."""
    parser = argparse.ArgumentParser(prog=_PROGRAM, description="Scenescore, from afar.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    submit = commands.add_parser("submit", help="send pictures to a server, and save their music")
    add_submit_arguments(submit)
    return command.run(parser.parse_args(arguments), program=_PROGRAM)
