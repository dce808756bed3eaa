"""Webhook deliveries and the names of their secrets on SQLAlchemy Core. All of the SQL about them stands here."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import webhook_attempts, webhook_deliveries, webhook_secrets
from scenescore_shared.errors import NotFoundError
from scenescore_shared.webhooks import (
    Attempt,
    Delivery,
    DeliveryChange,
    DeliveryStatus,
    Moved,
    WebhookSecret,
)

_SECRETS_LOCK_KEY = 0x5CE4E5C1


def insert_deliveries(connection: Connection, deliveries: Iterable[Delivery]) -> None:
    """For the repository of jobs: within its own transaction."""
    rows = [_row_of(delivery) for delivery in deliveries]
    if rows:
        connection.execute(insert(webhook_deliveries), rows)


class SqlDeliveryRepository(SqlAdapter):
    """Locks as in the repository of jobs: rows on PostgreSQL, the whole database on SQLite."""

    def get(self, delivery_id: str) -> Delivery:
        with self._reading() as connection:
            return _one(connection, delivery_id, lock=False)

    def claim(self, limit: int, now: datetime, change: DeliveryChange) -> list[Delivery]:
        due = (
            select(webhook_deliveries)
            .where(webhook_deliveries.c.due_at <= now)
            .order_by(webhook_deliveries.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._reading() as connection:
            # most rounds find nothing: those need no write lock, of which SQLite has one for all
            if connection.execute(due.with_only_columns(webhook_deliveries.c.id).limit(1)).first() is None:
                return []
        with self._writing() as connection:
            found = [_delivery_of(row) for row in connection.execute(due)]
            return [_save(connection, change(delivery)) for delivery in found]

    def update(self, delivery_id: str, change: DeliveryChange) -> Delivery:
        with self._writing() as connection:
            return _save(connection, change(_one(connection, delivery_id, lock=True)))

    def of_job(self, job_id: str) -> list[Delivery]:
        query = (
            select(webhook_deliveries)
            .where(webhook_deliveries.c.job_id == job_id)
            .order_by(webhook_deliveries.c.created_at)
        )
        with self._reading() as connection:
            return [_delivery_of(row) for row in connection.execute(query)]

    def attempts(self, delivery_id: str, *, limit: int) -> list[Attempt]:
        query = (
            select(webhook_attempts)
            .where(webhook_attempts.c.delivery_id == delivery_id)
            .order_by(webhook_attempts.c.number.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [Attempt(**row._mapping) for row in reversed(rows)]  # noqa: SLF001 - a public name of Row's


class SqlSecretRepository(SqlAdapter):
    def add(self, secret: WebhookSecret, *, at_most: int) -> bool:
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                # one at a time for each owner, so that nobody counts what another is about to add
                key = func.hashtext(secret.owner)
                connection.execute(select(func.pg_advisory_xact_lock(_SECRETS_LOCK_KEY, key)))
            if len(_live(connection, secret.owner)) >= at_most:
                return False
            connection.execute(insert(webhook_secrets).values(asdict(secret)))
        return True

    def live(self, owner: str) -> list[WebhookSecret]:
        with self._reading() as connection:
            return _live(connection, owner)

    def revoke(self, secret_id: str, *, owner: str, now: datetime) -> None:
        statement = (
            update(webhook_secrets)
            .where(
                webhook_secrets.c.id == secret_id,
                webhook_secrets.c.owner == owner,
                webhook_secrets.c.revoked_at.is_(None),
            )
            .values(revoked_at=now)
        )
        with self._writing() as connection:
            if connection.execute(statement).rowcount == 0:
                raise NotFoundError(f"There is no webhook secret {secret_id[:64]!r}.")


def _one(connection: Connection, delivery_id: str, *, lock: bool) -> Delivery:
    query = select(webhook_deliveries).where(webhook_deliveries.c.id == delivery_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no webhook delivery {delivery_id[:64]!r}.")
    return _delivery_of(row)


def _save(connection: Connection, moved: Moved) -> Delivery:
    delivery = moved.delivery
    connection.execute(
        update(webhook_deliveries).where(webhook_deliveries.c.id == delivery.id).values(_row_of(delivery))
    )
    if moved.attempt is not None:
        connection.execute(insert(webhook_attempts).values(asdict(moved.attempt)))
    return delivery


def _live(connection: Connection, owner: str) -> list[WebhookSecret]:
    columns = webhook_secrets.c
    query = (
        select(columns.id, columns.owner, columns.created_at)
        .where(columns.owner == owner, columns.revoked_at.is_(None))
        .order_by(columns.created_at.desc(), columns.id)
    )
    return [WebhookSecret(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above


def _row_of(delivery: Delivery) -> dict[str, Any]:
    return {**asdict(delivery), "status": str(delivery.status)}


def _delivery_of(row: Row[Any]) -> Delivery:
    columns = dict(row._mapping)  # noqa: SLF001 - as above
    return Delivery(**{**columns, "status": DeliveryStatus(row.status)})
