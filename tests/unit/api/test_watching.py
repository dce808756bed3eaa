import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping

import pytest

from scenescore_api.watching import JobWatch, OpenStreams
from scenescore_shared.errors import BusyError, TransientError


class Seqs:
    """The newest events as a database would tell them; counts how often it is asked."""

    def __init__(self, **seqs: int) -> None:
        self.seqs = seqs
        self.asked: list[list[str]] = []
        self.away = False

    def __call__(self, job_ids: Collection[str]) -> Mapping[str, int]:
        self.asked.append(sorted(job_ids))
        if self.away:
            raise TransientError("gone")
        return {job_id: self.seqs[job_id] for job_id in job_ids if job_id in self.seqs}


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.01)


def test_a_change_ends_the_waiting() -> None:
    async def run() -> None:
        seqs = Seqs(a=1)
        watch = JobWatch(seqs, look_seconds=0.01)
        waiting = asyncio.create_task(watch.changed("a", after_seq=1, seconds=30))
        await until(lambda: seqs.asked)
        assert not waiting.done()
        seqs.seqs["a"] = 2
        assert await waiting

    asyncio.run(run())


def test_what_changed_before_or_is_gone_is_seen_too() -> None:
    async def run() -> None:
        watch = JobWatch(Seqs(a=5), look_seconds=0.01)
        assert await watch.changed("a", after_seq=3, seconds=30)
        assert await watch.changed("gone", after_seq=1, seconds=30)

    asyncio.run(run())


def test_the_waiting_has_an_end_and_leaves_nothing() -> None:
    async def run() -> None:
        seqs = Seqs(a=1)
        watch = JobWatch(seqs, look_seconds=0.01)
        assert not await watch.changed("a", after_seq=1, seconds=0.05)
        await asyncio.sleep(0.05)
        looks = len(seqs.asked)
        await asyncio.sleep(0.05)
        assert len(seqs.asked) == looks
        # and begins anew
        assert await watch.changed("a", after_seq=0, seconds=30)

    asyncio.run(run())


def test_many_who_wait_cost_one_look() -> None:
    async def run() -> None:
        seqs = Seqs(a=1, b=1)
        watch = JobWatch(seqs, look_seconds=0.05)
        waiting = [
            asyncio.create_task(watch.changed(job, after_seq=1, seconds=0.5)) for job in ["a", "b"] * 50
        ]
        assert await asyncio.gather(*waiting) == [False] * 100
        assert len(seqs.asked) <= 12
        assert seqs.asked[0] == ["a", "b"]

    asyncio.run(run())


def test_a_database_that_is_away_is_waited_for() -> None:
    async def run() -> None:
        seqs = Seqs(a=2)
        seqs.away = True
        watch = JobWatch(seqs, look_seconds=0.01)
        waiting = asyncio.create_task(watch.changed("a", after_seq=1, seconds=30))
        await until(lambda: len(seqs.asked) >= 3)
        seqs.away = False
        assert await waiting

    asyncio.run(run())


def test_at_shutdown_nobody_waits_any_longer() -> None:
    async def run() -> None:
        watch = JobWatch(Seqs(a=1), look_seconds=0.01)
        waiting = asyncio.create_task(watch.changed("a", after_seq=1, seconds=30))
        await asyncio.sleep(0.02)
        watch.close()
        assert not await waiting
        assert not await watch.changed("a", after_seq=0, seconds=30)

    asyncio.run(run())


async def _pieces() -> AsyncIterator[bytes]:
    yield b"1"
    yield b"2"


def test_streams_are_counted_while_they_are_open() -> None:
    async def run() -> None:
        streams = OpenStreams(limit=1)
        never_begun = streams.counted(_pieces())
        first = streams.counted(_pieces())
        assert await anext(first) == b"1"
        with pytest.raises(BusyError, match="already serves 1"):
            streams.counted(_pieces())
        assert [piece async for piece in first] == [b"2"]
        assert [piece async for piece in streams.counted(_pieces())] == [b"1", b"2"]
        assert streams.open == 0
        del never_begun

    asyncio.run(run())
