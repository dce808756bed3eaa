"""Engines for PostgreSQL and SQLite, and the translation of their errors."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InvalidatePoolError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from scenescore_shared.errors import TransientError

_POSTGRES_CONNECT: dict[str, Any] = {
    "connect_timeout": 3,
    # a server that vanished without a word is noticed within seconds, not hours
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000",
}

_PING_AFTER_IDLE_SECONDS = 0.1
"""No server restarts in less, and under load no connection idles so long: a ping, which costs as much as reading a
job, is paid where nobody feels it.
"""

_UNDEFINED_TABLE = "42P01"
_PASSING_STATES = frozenset({"25006", "25P03"})
"""A server that has just become read-only (a failover), and one that ended a transaction that idled."""

_BEGIN_MODE = "sqlite_begin_mode"


def make_engine(url: str, *, application: str) -> Engine:
    """An engine for `postgresql+psycopg://…` or `sqlite:///…`. No connection is made yet.

    Its errors, which end in logs, name no values: they may be users' texts or the hashes of keys.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _make_sqlite_engine(url)
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={**_POSTGRES_CONNECT, "application_name": application},
    )
    _ping_the_idle(engine)
    return engine


def sqlite_file(url: str | URL) -> Path:
    """The file of an SQLite URL."""
    return Path(make_url(url).database or "")


def for_writing(engine: Engine) -> Engine:
    """The engine whose transactions take SQLite's write lock at once.

    One that reads first and then writes could not wait for another writer: SQLite answers it "database is
    locked". On PostgreSQL it is the same engine.
    """
    return engine.execution_options(**{_BEGIN_MODE: "IMMEDIATE"})


def for_reading(engine: Engine) -> Engine:
    """The engine for transactions of a single SELECT. PostgreSQL needs no BEGIN and ROLLBACK around one: two ways
    there and back less.
    """
    return (
        engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns "the database is away" into TransientError; anything else is a fault of ours and passes."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise _not_answering(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _not_answering(error) from error
        if getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
            # services may start before the migration has run
            raise TransientError(
                "The database has no schema yet: run scenescore_shared.provision."
            ) from error
        if getattr(error.orig, "sqlstate", None) in _PASSING_STATES or type(error) is DatabaseError:
            raise _not_answering(error) from error
        raise


class SqlAdapter:
    """An engine's two ways in, for adapters to build on. Errors are translated."""

    def __init__(self, engine: Engine) -> None:
        self._reads = for_reading(engine)
        self._writes = for_writing(engine)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """For one SELECT: see `for_reading`."""
        with translated_errors(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end."""
        with translated_errors(), self._writes.begin() as connection:
            yield connection


def _not_answering(error: Exception) -> TransientError:
    cause = getattr(error, "orig", None) or error
    return TransientError(f"The database did not answer as expected: {cause}")


def _ping_the_idle(engine: Engine) -> None:
    """Has a connection that idled asked whether it still lives before it is used; a dead one is replaced, and with it
    all that are as old. (SQLAlchemy's `pool_pre_ping` asks each time.)
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < _PING_AFTER_IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _make_sqlite_engine(url: str) -> Engine:
    folder = sqlite_file(url).parent
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # transactions are begun by `begin` below, not by the driver when it sees fit
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get(_BEGIN_MODE, "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine
