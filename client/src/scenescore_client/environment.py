"""What the environment says: `SCENESCORE_CLIENT__SERVER` and `SCENESCORE_CLIENT__KEY`.

A group of the variables that Scenescore's services read, which let it pass: they refuse names that are in no group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from scenescore_client.errors import UsageError

_PREFIX = "SCENESCORE_CLIENT__"
_KNOWN = ("SERVER", "KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    server: str | None = None
    key: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Raises UsageError for a variable of the group that is not known: a misspelt one must not be silent."""
        given = {name.upper(): value for name, value in variables.items()}
        for name in given:
            if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _KNOWN:
                known = " and ".join(f"{_PREFIX}{word}" for word in _KNOWN)
                raise UsageError(f"unknown setting {name}; there are {known}")
        return cls(server=given.get(f"{_PREFIX}SERVER") or None, key=given.get(f"{_PREFIX}KEY") or None)
