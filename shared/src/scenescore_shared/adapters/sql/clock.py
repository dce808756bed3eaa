"""The database's time as everybody's."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from scenescore_shared.adapters.sql.engine import translated_errors
from scenescore_shared.logs import get_logger
from scenescore_shared.ports import Clock

_log = get_logger(__name__)

_GOOD_FOR_SECONDS = 30.0
_AGAIN_AFTER_SECONDS = 1.0
_LONGEST_ROUND_TRIP_SECONDS = 1.0
"""An answer that took longer says too little: the server may have read its clock at either end of the wait."""


class DatabaseClock:
    """One worker's leases are read by other machines, whose clocks may be minutes apart: a fast one would take jobs
    that are being worked on, and what it submits would lie undue on a slow one. So all go by PostgreSQL's clock.

    It is asked every half minute; between, the monotonic clock counts on, which nobody sets. `until` PostgreSQL has
    answered once, another clock does.
    """

    def __init__(
        self, engine: Engine, *, until: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._until = until
        self._monotonic = monotonic
        self._asking = threading.Lock()
        self._ask_at: float | None = None
        # a time of the database's, and the monotonic clock's reading then: replaced as one
        self._read: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        # nobody waits for another thread's question, but for the very first
        if self._is_stale() and self._asking.acquire(blocking=self._ask_at is None):
            try:
                if self._is_stale():
                    self._ask()
            finally:
                self._asking.release()
        if self._read is None:
            return self._until.now()
        there, at = self._read
        return there + timedelta(seconds=self._monotonic() - at)

    def _is_stale(self) -> bool:
        return self._ask_at is None or self._monotonic() >= self._ask_at

    def _ask(self) -> None:
        try:
            with translated_errors(), self._engine.connect() as connection:
                before = self._monotonic()
                there = connection.execute(select(func.clock_timestamp())).scalar_one()
                after = self._monotonic()
        except Exception as error:  # noqa: BLE001 - a clock never raises; the last reading is still good
            _log.warning("clock_not_read", reason=str(error))
            self._ask_at = self._monotonic() + _AGAIN_AFTER_SECONDS
            return
        if after - before > _LONGEST_ROUND_TRIP_SECONDS:
            self._ask_at = after + _AGAIN_AFTER_SECONDS
            return
        self._read = (there.astimezone(UTC), (before + after) / 2)
        self._ask_at = after + _GOOD_FOR_SECONDS
