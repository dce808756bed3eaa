"""Files that nobody vouches for, parsed by a real child process."""

import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from scenescore_composer import midi
from scenescore_composer.corpus.guarded import GuardedParser
from scenescore_composer.score import Piece
from scenescore_shared.errors import InvalidMidiError


@pytest.fixture(scope="module")
def parser() -> Iterator[GuardedParser]:
    with GuardedParser() as parser:
        yield parser


def _child_that(does: str) -> list[str]:
    """A child that meets the first byte of a file in `does`, and serves any other file as the product does."""
    program = f"""
import base64, os, time
from scenescore_composer.corpus import child, guarded
def answer(request):
    if base64.b64decode(request)[:1] == b"!":
        {does}
    return guarded._answer(request)
child.serve(answer, expected=(guarded.InvalidMidiError,))
"""
    return [sys.executable, "-c", program]


def test_a_good_file_gives_its_music(parser: GuardedParser, make_tune: Callable[..., Piece]) -> None:
    assert parser.parse(midi.write(make_tune(1))) == make_tune(1)


@pytest.mark.parametrize("cut", [0, 1, 13, 14, 30, 100])
def test_truncated_files_are_refused(
    parser: GuardedParser, make_tune: Callable[..., Piece], cut: int
) -> None:
    with pytest.raises(InvalidMidiError):
        parser.parse(midi.write(make_tune(1))[:cut])


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_are_refused_or_read(
    parser: GuardedParser, make_tune: Callable[..., Piece], seed: int
) -> None:
    rng = random.Random(seed)
    data = bytearray(midi.write(make_tune(1)))
    for _ in range(rng.randint(1, 12)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    # whatever the damage, nothing else is raised
    with contextlib.suppress(InvalidMidiError):
        parser.parse(bytes(data))


def test_noise_is_refused(parser: GuardedParser) -> None:
    with pytest.raises(InvalidMidiError):
        parser.parse(random.Random(1).randbytes(5000))


def test_a_huge_file_is_refused_unread(tune_bytes: bytes) -> None:
    with (
        GuardedParser(max_bytes=100) as parser,
        pytest.raises(InvalidMidiError, match="larger than 100 bytes"),
    ):
        parser.parse(tune_bytes)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("os.abort()", "crashed"),
        ("os._exit(0)", "crashed"),
        ("raise RuntimeError", "crashed"),
        ("time.sleep(60)", "took longer than 2 s"),
        ("bytearray(2**40)", "too much memory"),
        ("os.write(1, b'{}' * 100); os._exit(0)", "crashed"),
    ],
)
def test_a_child_that_fails_costs_one_file(tune_bytes: bytes, does: str, reason: str) -> None:
    with GuardedParser(seconds=2.0, command=_child_that(does)) as parser:
        began = time.monotonic()
        with pytest.raises(InvalidMidiError, match=reason):
            parser.parse(b"!")
        assert time.monotonic() - began < 10
        # the next file finds a child that works
        assert parser.parse(tune_bytes).notes


def test_memory_is_really_limited(tune_bytes: bytes) -> None:
    child = _child_that("hoard = [bytearray(2**24) for _ in range(60)]")
    with GuardedParser(memory_bytes=2**29, command=child) as parser:
        with pytest.raises(InvalidMidiError, match="too much memory"):
            parser.parse(b"!")
        assert parser.parse(tune_bytes).notes


def test_closing_twice_is_no_error(tune_bytes: bytes) -> None:
    parser = GuardedParser()
    parser.parse(tune_bytes)
    parser.close()
    parser.close()


def test_a_child_that_died_in_its_sleep_is_no_fault_of_the_next_file(tune_bytes: bytes) -> None:
    with GuardedParser() as parser:
        parser.parse(tune_bytes)
        child = parser._child._process
        assert child is not None
        child.kill()
        child.wait()
        assert parser.parse(tune_bytes).notes


def test_a_lower_limit_of_the_system_stays_and_hurts_nobody(tune_bytes: bytes) -> None:
    command = [
        "sh",
        "-c",
        f"ulimit -v 900000; exec {sys.executable} -m scenescore_composer.corpus.guarded {2**40}",
    ]
    with GuardedParser(command=command) as parser:
        assert parser.parse(tune_bytes).notes
