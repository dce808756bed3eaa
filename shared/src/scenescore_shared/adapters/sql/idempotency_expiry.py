"""Takes out what was remembered of requests with an Idempotency-Key, once nobody sends them again."""

from datetime import datetime

from sqlalchemy import Engine, delete, select, tuple_

from scenescore_shared.adapters.sql.engine import for_writing, translated_errors
from scenescore_shared.adapters.sql.tables import idempotency_keys


class SqlIdempotencyExpiry:
    def __init__(self, engine: Engine) -> None:
        self._writes = for_writing(engine)

    def forget(self, *, created_before: datetime, limit: int) -> int:
        """At most `limit` keys, oldest first. Returns how many. May raise TransientError."""
        key = tuple_(idempotency_keys.c.owner, idempotency_keys.c.key)
        old = (
            select(idempotency_keys.c.owner, idempotency_keys.c.key)
            .where(idempotency_keys.c.created_at <= created_before)
            .order_by(idempotency_keys.c.created_at)
            .limit(limit)
        )
        with translated_errors(), self._writes.begin() as connection:
            return connection.execute(delete(idempotency_keys).where(key.in_(old))).rowcount
