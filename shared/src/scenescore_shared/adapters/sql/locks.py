"""Locks across processes: a PostgreSQL advisory lock, or a lock on a file beside an SQLite database."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

from scenescore_shared.adapters.sql.engine import translated_errors

_FROZEN_SECONDS = 60.0


@contextmanager
def advisory_lock(engine: Engine, key: int, *, frozen_seconds: float = _FROZEN_SECONDS) -> Iterator[bool]:
    """True for one transaction at a time.

    The lock ends with its transaction, so a killed holder frees it, and no pooled connection can keep it by mistake.
    A holder that lives but stands still (SIGSTOP, a paused machine) keeps its connection open, and a lock of the
    session's would stay with it for ever: PostgreSQL ends a transaction that idles for `frozen_seconds`. What is done
    under the lock must therefore be harmless when two do it; then the first one hears of it by a TransientError at
    the end.
    """
    patience = func.set_config("idle_in_transaction_session_timeout", f"{frozen_seconds * 1000:.0f}", True)
    with translated_errors(), engine.begin() as connection:
        connection.execute(select(patience))
        # it wrote nothing and holds no snapshot, so it keeps no vacuum waiting
        yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """True for one holder at a time. The kernel frees the lock when its process ends."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
