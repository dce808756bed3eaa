"""Who is let in, and how often. Told without HTTP; the routes' dependencies ask here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from scenescore_api.callers import LOCAL, Caller, Scope
from scenescore_shared.api_keys import ApiKey, hash_of, is_well_formed, new_session
from scenescore_shared.errors import NotAllowedError, NotAuthenticatedError, TooManyRequestsError
from scenescore_shared.ports import ApiKeys, Clock, RateLimiter
from scenescore_shared.rate_limits import RateLimit, Standing

_HOW = "Send it as the header `Authorization: Bearer scs_…`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    keys: ApiKeys
    limiter: RateLimiter
    clock: Clock
    keys_required: bool
    limits: tuple[RateLimit, ...]
    """Of every request."""
    submission_limits: tuple[RateLimit, ...]
    """Of submitting a job, on top."""
    listening_limits: tuple[RateLimit, ...]
    """Of the requests that all listeners of a session make."""
    session_lasts: timedelta
    """How long a browser stays signed in."""

    def stranger(self) -> Caller:
        """Whoever sends no key. Raises NotAuthenticatedError where one is needed."""
        if self.keys_required:
            raise NotAuthenticatedError(f"This needs a key. {_HOW}", key_sent=False)
        return LOCAL

    def holder(self, authorization: Sequence[str]) -> Caller:
        """Whoever sent these `Authorization` headers: they are checked, needed or not.

        Raises NotAuthenticatedError, or TransientError when nobody can tell.
        """
        return _caller_of(self._key(authorization))

    def sign_in(self, authorization: Sequence[str]) -> tuple[str, Caller]:
        """A session for whoever sent these headers: its token, and who asks with it. Raises NotAuthenticatedError, as
        without a header, or TransientError.
        """
        if not authorization:
            raise NotAuthenticatedError(f"This needs a key. {_HOW}", key_sent=False)
        key = self._key(authorization)
        token, session = new_session(key, now=self.clock.now(), lasts=self.session_lasts)
        self.keys.open_session(session)
        return token, _caller_of(key)

    def visitor(self, token: str) -> Caller | None:
        """Who asks with this session, if it still is one. Raises TransientError when nobody can tell."""
        key = self.keys.find_by_session(hash_of(token), self.clock.now())
        return _caller_of(key) if key else None

    def sign_out(self, token: str) -> None:
        self.keys.close_session(hash_of(token))

    def _key(self, authorization: Sequence[str]) -> ApiKey:
        key = self.keys.find(hash_of(_key_in(authorization)))
        if key is None:
            raise NotAuthenticatedError("This key is not known here, or was revoked.", key_sent=True)
        return key

    def count(self, key_id: str, *, submitting: bool) -> tuple[Standing, ...]:
        """Counts a request made with the key, and tells how its limits stand."""
        limits = self.limits + (self.submission_limits if submitting else ())
        return self.limiter.take(key_id, limits) if limits else ()

    def count_listening(self, session_id: str) -> tuple[Standing, ...]:
        """Counts a request made with the link of a listening session, also where no keys are needed."""
        holder = f"listening:{session_id}"
        return self.limiter.take(holder, self.listening_limits) if self.listening_limits else ()


def _caller_of(key: ApiKey) -> Caller:
    scopes = frozenset(scope for scope in Scope if scope in key.scopes)
    return Caller(owner=key.owner, key_id=key.id, scopes=scopes)


def check_scope(caller: Caller, scope: Scope) -> None:
    """Raises NotAllowedError unless the caller has the scope, or `admin`, which has them all."""
    if not caller.is_admin and scope not in caller.scopes:
        raise NotAllowedError(f"Your key may not do this: it needs the scope `{scope}`.", scope=scope)


def check_standings(standings: Sequence[Standing]) -> None:
    """Raises TooManyRequestsError when a limit is used up."""
    wait = max((standing.wait for standing in standings), default=0)
    if wait:
        # rounded up, so that coming back at that time is not too early
        seconds = max(1, math.ceil(wait))
        raise TooManyRequestsError(
            f"That was too many requests. Try again in {seconds} s.", retry_after=seconds
        )


def _key_in(authorization: Sequence[str]) -> str:
    scheme, _, key = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "bearer" or not is_well_formed(key.strip()):
        raise NotAuthenticatedError(f"This is no key of Scenescore's. {_HOW}", key_sent=True)
    return key.strip()
