"""Locks across processes: a PostgreSQL advisory lock, or a lock on a file beside an SQLite database."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select

from scenescore_shared.adapters.sql.engine import translated_errors

SWEEP_LOCK_KEY = 0x5CE4E5C0


@contextmanager
def advisory_lock(engine: Engine, key: int) -> Iterator[bool]:
    """True for one session at a time. The lock dies with its connection, so a killed holder frees it."""
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with translated_errors(), autocommit.connect() as connection:
        mine = bool(connection.scalar(select(func.pg_try_advisory_lock(key))))
        try:
            yield mine
        finally:
            if mine:
                connection.scalar(select(func.pg_advisory_unlock(key)))


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
