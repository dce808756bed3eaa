"""What every store of keys promises, run on the fake, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from samples.jobs import NOW
from sqlalchemy import Engine

from scenescore_shared.api_keys import ApiKey, hash_of, new_key, new_session
from scenescore_shared.errors import NotFoundError
from scenescore_shared.fakes import InMemoryApiKeys
from scenescore_shared.ports import ApiKeys
from scenescore_shared.wiring import build_api_keys

LATER = NOW + timedelta(minutes=1)


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def keys(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> ApiKeys:
    if request.param == "fake":
        return InMemoryApiKeys()
    return build_api_keys(engine_of(request.param))


def made(name: str = "ann", *, owner: str | None = None, minutes: int = 0) -> tuple[str, ApiKey]:
    scopes = frozenset({"jobs", "admin"})
    return new_key(name=name, owner=owner, scopes=scopes, now=NOW + timedelta(minutes=minutes))


def test_a_key_is_found_by_its_hash_as_it_was_added(keys: ApiKeys) -> None:
    key, kept = made()
    _, other = made("bob", owner="team")
    keys.add(kept)
    keys.add(other)
    assert keys.find(hash_of(key)) == kept
    assert keys.find(hash_of(made()[0])) is None
    assert keys.find(key) is None


def test_a_revoked_key_is_found_no_more_but_still_listed(keys: ApiKeys) -> None:
    (_, first), (_, second) = made(minutes=1), made("bob", minutes=0)
    keys.add(first)
    keys.add(second)
    assert keys.revoke(first.id, LATER) == replace(first, revoked_at=LATER)
    assert keys.find(first.hash) is None
    assert keys.find(second.hash) == second
    assert keys.list() == [second, replace(first, revoked_at=LATER)]


def test_revoking_again_changes_nothing_and_an_unknown_key_is_told(keys: ApiKeys) -> None:
    _, kept = made()
    keys.add(kept)
    keys.revoke(kept.id, NOW)
    assert keys.revoke(kept.id, LATER).revoked_at == NOW
    with pytest.raises(NotFoundError, match="no key nobody"):
        keys.revoke("nobody", NOW)


def test_a_session_stands_for_its_key_until_its_time_is_over(keys: ApiKeys) -> None:
    _, kept = made()
    keys.add(kept)
    token, session = new_session(kept, now=NOW, lasts=timedelta(minutes=1))
    keys.open_session(session)
    assert keys.find_by_session(hash_of(token), NOW) == kept
    assert keys.find_by_session(token, NOW) is None
    assert keys.find(session.hash) is None
    assert keys.find_by_session(session.hash, LATER - timedelta(seconds=1)) == kept
    assert keys.find_by_session(session.hash, LATER) is None


def test_a_session_ends_when_it_is_closed_or_its_key_is_revoked_and_others_go_on(keys: ApiKeys) -> None:
    (_, first), (_, second) = made(), made("bob")
    sessions = []
    for key in (first, first, second):
        if key not in keys.list():
            keys.add(key)
        _, session = new_session(key, now=NOW, lasts=timedelta(hours=1))
        keys.open_session(session)
        sessions.append(session.hash)
    keys.close_session(sessions[0])
    keys.close_session("unknown")
    assert [keys.find_by_session(hash_, NOW) for hash_ in sessions] == [None, first, second]
    keys.revoke(first.id, NOW)
    assert [keys.find_by_session(hash_, NOW) for hash_ in sessions] == [None, None, second]


def test_a_new_session_does_away_with_those_that_are_over(keys: ApiKeys) -> None:
    _, kept = made()
    keys.add(kept)
    _, old = new_session(kept, now=NOW, lasts=timedelta(minutes=1))
    keys.open_session(old)
    keys.open_session(new_session(kept, now=LATER, lasts=timedelta(minutes=1))[1])
    assert keys.find_by_session(old.hash, NOW) is None
