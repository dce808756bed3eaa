"""The API's keys on SQLAlchemy Core."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import api_keys
from scenescore_shared.api_keys import ApiKey
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
