"""Idempotency keys on SQLAlchemy Core."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import idempotency_keys as table
from scenescore_shared.errors import IdempotencyKeyInFlightError
from scenescore_shared.idempotency import Answered, Claimant, Reservation, earlier_answer, reserved


class SqlIdempotencyKeys(SqlAdapter):
    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def reserve(self, claimant: Claimant, *, now: datetime) -> Mapping[str, Any] | None:
        fresh = reserved(claimant, now)
        values = {
            "fingerprint": fresh.fingerprint,
            "token": fresh.token,
            "reserved_until": fresh.reserved_until,
            "created_at": fresh.created_at,
            "answer": None,
        }
        with self._writing() as connection:
            # of two requests at the same moment one inserts; the other waits for it and then finds its row
            statement = self._insert(table).values(owner=claimant.owner, key=claimant.key, **values)
            if connection.execute(statement.on_conflict_do_nothing().returning(table.c.key)).first():
                return None
            row = connection.execute(select(table).where(_is(claimant)).with_for_update()).one_or_none()
            if row is None:
                # released between the two statements
                raise IdempotencyKeyInFlightError
            found = Reservation(
                fingerprint=row.fingerprint,
                token=row.token,
                reserved_until=row.reserved_until,
                created_at=row.created_at,
                answer=row.answer,
            )
            answer = earlier_answer(found, claimant, now)
            if answer is None:
                connection.execute(update(table).where(_is(claimant)).values(values))
            return answer

    def release(self, claimant: Claimant) -> None:
        with self._writing() as connection:
            connection.execute(delete(table).where(_is_held_by(claimant)))

    def forget(self, *, created_before: datetime, limit: int) -> int:
        old = (
            select(table.c.owner, table.c.key)
            .where(table.c.created_at <= created_before)
            .order_by(table.c.created_at)
            .limit(limit)
        )
        with self._writing() as connection:
            return connection.execute(
                delete(table).where(tuple_(table.c.owner, table.c.key).in_(old))
            ).rowcount


def complete(connection: Connection, answered: Answered) -> None:
    """Within the transaction that commits the job. Raises IdempotencyKeyInFlightError when the key is another's now."""
    statement = update(table).where(_is_held_by(answered.claimant)).values(answer=dict(answered.answer))
    if not connection.execute(statement).rowcount:
        raise IdempotencyKeyInFlightError


def _is(claimant: Claimant) -> ColumnElement[bool]:
    return and_(table.c.owner == claimant.owner, table.c.key == claimant.key)


def _is_held_by(claimant: Claimant) -> ColumnElement[bool]:
    return and_(_is(claimant), table.c.token == claimant.token, table.c.answer.is_(None))
