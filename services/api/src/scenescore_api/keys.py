"""`python -m scenescore_api.keys`: makes, lists and revokes the keys that open the API."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from scenescore_api.callers import Scope
from scenescore_api.key_arguments import add_key_actions
from scenescore_api.settings import ApiSettings
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.api_keys import ApiKey, is_owner, new_key
from scenescore_shared.errors import InvalidRequestError, ScenescoreError
from scenescore_shared.logs import configure_logging
from scenescore_shared.ports import ApiKeys, Clock
from scenescore_shared.settings import LogSettings
from scenescore_shared.wiring import build_api_keys, build_engine

_FAILED = 1
_USAGE = 2
_LONGEST_NAME = 200


def run(options: argparse.Namespace, keys: ApiKeys, clock: Clock) -> None:
    """Does what the arguments say. Raises ScenescoreError."""
    match options.action:
        case "create":
            _create(options, keys, clock)
        case "list":
            _list(options, keys)
        case _:
            _revoke(options, keys, clock)


def _create(options: argparse.Namespace, keys: ApiKeys, clock: Clock) -> None:
    name = options.name.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise InvalidRequestError(f"a key's name is one line of 1 to {_LONGEST_NAME} characters")
    if options.owner is not None and not is_owner(options.owner):
        raise InvalidRequestError("an owner is 1 to 64 letters, digits or characters of `._@-`")
    key, kept = new_key(name=name, owner=options.owner, scopes=_scopes(options.scopes), now=clock.now())
    keys.add(kept)
    if options.json:
        sys.stdout.write(json.dumps({"key": key, **_as_json(kept)}) + "\n")
        return
    # the key alone on standard output, so that `KEY=$(… keys create me)` is a way to keep it
    sys.stdout.write(f"{key}\n")
    sys.stderr.write(f"Key {_line(kept)}. It is shown this once: nobody can read it later.\n")


def _list(options: argparse.Namespace, keys: ApiKeys) -> None:
    found = keys.list()
    for key in found:
        sys.stdout.write((json.dumps(_as_json(key)) if options.json else _line(key)) + "\n")
    if not found:
        sys.stderr.write("There is no key yet: `keys create NAME` makes one.\n")


def _revoke(options: argparse.Namespace, keys: ApiKeys, clock: Clock) -> None:
    key = keys.revoke(options.id, clock.now())
    sys.stderr.write(f"Key {_line(key)}.\n")


def _scopes(text: str) -> frozenset[str]:
    names = {name.strip() for name in text.split(",")}
    known = {str(scope) for scope in Scope}
    if not names <= known:
        raise InvalidRequestError(f"{text!r} are no scopes; they are {', '.join(sorted(known))}")
    return frozenset(names)


def _line(key: ApiKey) -> str:
    scopes = ", ".join(sorted(key.scopes))
    revoked = f"; revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC" if key.revoked_at else ""
    return f"{key.id}: {key.name}; {scopes}; owner {key.owner}; made {key.created_at:%Y-%m-%d %H:%M} UTC{revoked}"


def _as_json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="scenescore_api.keys", description="The keys that open the API.")
    add_key_actions(parser)
    options = parser.parse_args(arguments)
    try:
        settings = ApiSettings()
        configure_logging(LogSettings(level="error"), service="keys")
        engine = build_engine(settings, application="scenescore-keys")
        try:
            run(options, build_api_keys(engine), SystemClock())
        finally:
            engine.dispose()
    except (ValidationError, SettingsError) as error:
        return _complain(f"a setting is wrong: {error}", _USAGE)
    except ScenescoreError as error:
        return _complain(error.message, _FAILED)
    return 0


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"scenescore_api.keys: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
