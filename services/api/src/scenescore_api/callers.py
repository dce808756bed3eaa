"""Who asks, and whose jobs that one may see. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from scenescore_shared.jobs import Job


class Scope(StrEnum):
    """What a key may do: `jobs` is one's own jobs, `admin` everybody's and the server's figures."""

    JOBS = "jobs"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The holder of a key. `owner` and `key_id` are None for whoever asks without one where that is allowed."""

    owner: str | None
    scopes: frozenset[Scope]
    key_id: str | None = None

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    def may_see(self, job: Job) -> bool:
        return self.is_admin or job.owner == self.owner


LOCAL = Caller(owner=None, scopes=frozenset(Scope))
"""Whoever reaches a server that listens on loopback only and asks for no key."""
