"""The arguments of `keys create | list | revoke`, apart from what they do: reading them imports next to nothing."""

import argparse
from collections.abc import Sequence


def add_key_actions(
    parser: argparse.ArgumentParser, *, parents: Sequence[argparse.ArgumentParser] = ()
) -> None:
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    create = actions.add_parser("create", parents=list(parents), help="make a key, and print it this once")
    create.add_argument("name", metavar="NAME", help="who or what it is for")
    create.add_argument(
        "--scopes",
        default="jobs",
        metavar="jobs,admin",
        help="jobs: one's own jobs; admin: everybody's, and the server's figures (default jobs)",
    )
    create.add_argument("--owner", help="whose jobs: keys with one owner share them (default: the key's own)")
    create.add_argument("--json", action="store_true", help="print it as a JSON object")
    show = actions.add_parser("list", parents=list(parents), help="list the keys, revoked ones too")
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    revoke = actions.add_parser("revoke", parents=list(parents), help="let a key in no more, from now on")
    revoke.add_argument("id", metavar="ID", help="as `list` shows it")
