"""Listening sessions on SQLAlchemy Core."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import listening_items as items
from scenescore_shared.adapters.sql.tables import listening_sessions as table
from scenescore_shared.errors import NotFoundError
from scenescore_shared.listening import ListeningItem, ListeningSession
from scenescore_shared.ports import Everybody


class SqlListeningSessionRepository(SqlAdapter):
    def add(self, session: ListeningSession, *, token_hash: str) -> None:
        values = {
            "id": session.id,
            "token_hash": token_hash,
            "owner": session.owner,
            "title": session.title,
            "created_at": session.created_at,
            "closes_at": session.closes_at,
        }
        rows = [
            {"session_id": session.id, "id": item.id, "job_id": item.job_id, "position": position}
            for position, item in enumerate(session.items)
        ]
        try:
            with self._writing() as connection:
                connection.execute(insert(table).values(values))
                if rows:
                    connection.execute(insert(items), rows)
        except IntegrityError:
            raise NotFoundError("One of the jobs is not there any more.") from None

    def get(self, session_id: str) -> ListeningSession:
        with self._reading() as connection:
            return _existing(connection, session_id)

    def find(self, token_hash: str) -> ListeningSession | None:
        with self._reading() as connection:
            row = connection.execute(select(table).where(table.c.token_hash == token_hash)).one_or_none()
            return _sessions(connection, [row])[0] if row else None

    def page(
        self, *, whose: str | Everybody | None, limit: int, before_id: str | None
    ) -> list[ListeningSession]:
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if not isinstance(whose, Everybody):
            query = query.where(table.c.owner == whose)
        if before_id is not None:
            query = query.where(table.c.id < before_id)
        with self._reading() as connection:
            return _sessions(connection, connection.execute(query).all())

    def close(self, session_id: str, now: datetime) -> ListeningSession:
        still_open = or_(table.c.closes_at.is_(None), table.c.closes_at > now)
        with self._writing() as connection:
            connection.execute(
                update(table).where(table.c.id == session_id, still_open).values(closes_at=now)
            )
            return _existing(connection, session_id)

    def delete(self, session_id: str) -> None:
        with self._writing() as connection:
            # its items and ratings go with it (ON DELETE CASCADE)
            if connection.execute(delete(table).where(table.c.id == session_id)).rowcount == 0:
                raise _no_session(session_id)


def _existing(connection: Connection, session_id: str) -> ListeningSession:
    row = connection.execute(select(table).where(table.c.id == session_id)).one_or_none()
    if row is None:
        raise _no_session(session_id)
    return _sessions(connection, [row])[0]


def _sessions(connection: Connection, rows: Sequence[Row[Any]]) -> list[ListeningSession]:
    query = (
        select(items)
        .where(items.c.session_id.in_([row.id for row in rows]))
        .order_by(items.c.session_id, items.c.position)
    )
    found: dict[str, list[ListeningItem]] = {row.id: [] for row in rows}
    for row in connection.execute(query):
        found[row.session_id].append(ListeningItem(id=row.id, job_id=row.job_id))
    return [
        ListeningSession(
            id=row.id,
            owner=row.owner,
            title=row.title,
            items=tuple(found[row.id]),
            created_at=row.created_at,
            closes_at=row.closes_at,
        )
        for row in rows
    ]


def _no_session(session_id: str) -> NotFoundError:
    return NotFoundError(f"There is no listening session {session_id}.")
