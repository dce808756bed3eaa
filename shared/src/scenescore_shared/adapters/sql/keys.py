"""The API's keys and their sessions on SQLAlchemy Core."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import api_keys, key_sessions
from scenescore_shared.api_keys import ApiKey, KeySession
from scenescore_shared.errors import NotFoundError


class SqlApiKeys(SqlAdapter):
    def find(self, key_hash: str) -> ApiKey | None:
        query = select(api_keys).where(api_keys.c.hash == key_hash, api_keys.c.revoked_at.is_(None))
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return _key_of(row) if row else None

    def add(self, key: ApiKey) -> None:
        values = {
            "id": key.id,
            "hash": key.hash,
            "name": key.name,
            "owner": key.owner,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        with self._writing() as connection:
            connection.execute(insert(api_keys).values(values))

    def list(self) -> list[ApiKey]:
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        with self._reading() as connection:
            return [_key_of(row) for row in connection.execute(query)]

    def revoke(self, key_id: str, now: datetime) -> ApiKey:
        change = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        with self._writing() as connection:
            connection.execute(change.values(revoked_at=now))
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no key {key_id}.")
        return _key_of(row)

    def open_session(self, session: KeySession) -> None:
        values = {
            "hash": session.hash,
            "key_id": session.key_id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        }
        with self._writing() as connection:
            connection.execute(delete(key_sessions).where(key_sessions.c.expires_at <= session.created_at))
            connection.execute(insert(key_sessions).values(values))

    def find_by_session(self, session_hash: str, now: datetime) -> ApiKey | None:
        query = (
            select(api_keys)
            .join(key_sessions, key_sessions.c.key_id == api_keys.c.id)
            .where(
                key_sessions.c.hash == session_hash,
                key_sessions.c.expires_at > now,
                api_keys.c.revoked_at.is_(None),
            )
        )
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return _key_of(row) if row else None

    def close_session(self, session_hash: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(key_sessions).where(key_sessions.c.hash == session_hash))


def _key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        hash=row.hash,
        name=row.name,
        owner=row.owner,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
