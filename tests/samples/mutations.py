"""Bytes gone wrong in the ways that files do: seeded, so that a number names each."""

import random
import re
from collections.abc import Callable, Sequence

_PARTS = re.compile(
    rb"\xff[\xc0-\xfe]|IHDR|IDAT|IEND|PLTE|tRNS|VP8[ LX]|ANMF|ALPH|RIFF|!\xf9|,\0\0|II\*\0|MTrk|MThd|\xff[\x2f\x51\x58]"
)
_SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(seeds: Sequence[bytes], number: int, *, run: int) -> bytes:
    """The mutation of that number in the run of that number, of one of the seeds."""
    rng = random.Random(f"{run}/{number}")
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if data:
            rng.choice(_MUTATIONS)(rng, data, seeds)
    return bytes(data)


def _flip(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    for _bit in range(rng.choice((1, 2, 16))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    data[at : at + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(1, 9))


def _delete(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randrange(1, 65)]


def _copy(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    data[at:at] = bytes(data[start : start + rng.randrange(1, 257)]) * rng.choice((1, 1, 2, 50))


def _insert(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.choice((bytes, rng.randbytes))(rng.randrange(1, 65))


def _resize(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Another number in a header, or beside a part's name, where its size stands."""
    places = [*range(min(40, len(data))), *(found.start() - 4 for found in _PARTS.finditer(data))]
    at = max(0, rng.choice(places) + rng.choice((0, 0, 4, 6, 8)))
    size = rng.choice((1, 2, 4))
    value = rng.choice(_SIZES) % 256**size
    data[at : at + size] = value.to_bytes(size, rng.choice(("big", "little")))


def _swap(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """Two parts, from one name to the next, change places."""
    edges = [found.start() for found in _PARTS.finditer(data)]
    if len(edges) < 3:
        return
    first, second = sorted(rng.sample(range(len(edges) - 1), 2))
    a, b, c, d = edges[first], edges[first + 1], edges[second], edges[second + 1]
    data[a:d] = data[c:d] + data[b:c] + data[a:b]


def _splice(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


def _cut(rng: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


_MUTATIONS: tuple[Mutation, ...] = (_flip, _overwrite, _delete, _copy, _insert, _resize, _swap, _splice, _cut)
