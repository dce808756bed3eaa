"""Waiting for changes of jobs: one look at the database at a time for everybody who waits in this process.

So any number of API replicas may run, and each costs the database the same few queries a second, however many
clients listen.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field

from fastapi.concurrency import run_in_threadpool

from scenescore_shared.errors import BusyError
from scenescore_shared.logs import get_logger

_log = get_logger(__name__)

_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    after_seq: int
    changed: asyncio.Future[bool]


@dataclass(slots=True)
class JobWatch:
    """`seqs` gives the newest event's number of each job that is there. For use from one event loop."""

    seqs: Callable[[Collection[str]], Mapping[str, int]]
    look_seconds: float = _LOOK_SECONDS
    closing: bool = False
    _waiters: dict[str, set[_Waiter]] = field(default_factory=dict)
    _looking: asyncio.Task[None] | None = None

    async def changed(self, job_id: str, *, after_seq: int, seconds: float) -> bool:
        """Waits until the job's newest event is another than `after_seq`, or the job is gone.

        False when that did not happen within so many seconds, or the server is shutting down.
        """
        if self.closing:
            return False
        waiter = _Waiter(after_seq, asyncio.get_running_loop().create_future())
        self._waiters.setdefault(job_id, set()).add(waiter)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                return await waiter.changed
        except TimeoutError:
            return False
        finally:
            self._waiters[job_id].discard(waiter)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    def close(self) -> None:
        """Nobody waits any longer: for a server that shuts down and would else wait for those who do."""
        self.closing = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                _tell(waiter, changed=False)

    async def _look(self) -> None:
        while self._waiters:
            await asyncio.sleep(self.look_seconds)
            job_ids = list(self._waiters)
            try:
                newest = await run_in_threadpool(self.seqs, job_ids)
            except Exception as error:  # noqa: BLE001 - who waits goes on waiting, whatever becomes of one look
                _log.warning("watch_failed", reason=str(error))
                continue
            for job_id in job_ids:
                for waiter in self._waiters.get(job_id, ()):
                    if newest.get(job_id) != waiter.after_seq:
                        _tell(waiter, changed=True)
        self._looking = None


@dataclass(slots=True)
class OpenStreams:
    """How many streams are open, at most `limit`: each costs little, but not nothing."""

    limit: int
    open: int = 0

    def counted(self, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The stream, counted from its first piece to its end. Raises BusyError at the limit."""
        if self.open >= self.limit:
            raise BusyError(
                f"This server already serves {self.limit} event streams. Try again later, or poll the job."
            )
        return self._until_closed(stream)

    async def _until_closed(self, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        # only now: an answer that nobody is left to read is never begun
        self.open += 1
        try:
            async for piece in stream:
                yield piece
        finally:
            self.open -= 1


def _tell(waiter: _Waiter, *, changed: bool) -> None:
    if not waiter.changed.done():
        waiter.changed.set_result(changed)
