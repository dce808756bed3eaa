"""Mutated MIDI files through the corpus's import: `make fuzz MIDI=2000`. A file that fails is kept, and named."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from samples.hostile_midi import hostile_midi
from samples.midi import piece
from samples.mutations import mutated
from servers.memory import family, peaks_of, resident_bytes

from scenescore_composer.corpus.catalogue import InMemoryClipCatalogue
from scenescore_composer.corpus.guarded import MEMORY_BYTES, GuardedParser
from scenescore_composer.corpus.importing import import_folder
from scenescore_composer.score import Piece
from scenescore_shared.fakes import InMemoryBlobStore

FILES = int(os.environ.get("FUZZ_MIDI", "200"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
_SECONDS = 3.0
"""Less than the product allows, which makes no difference but to how long this takes."""
_MUTATED_UP_TO = 30_000
"""Bytes: what is longer is imported as it is, once."""
_PARENT_BYTES = 2**29
"""The largest piece, its clips and their blobs."""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    hostile = dict(hostile_midi())
    seeds = [data for data in hostile.values() if len(data) <= _MUTATED_UP_TO]
    # mido refuses a file for a single wrong byte: most seeds are music, that some of its mutations may be, too
    seeds += [
        piece(emotion, seed=seed) for emotion in ("happy", "sad", "angry", "calm") for seed in range(20)
    ]
    named = {f"hostile {number:02d}": data for number, data in enumerate(hostile.values())}
    return named | {f"mutated {number:05d}": mutated(seeds, number, run=SEED) for number in range(FILES)}


@pytest.mark.timeout(0)
def test_each_midi_file_is_imported_or_skipped_with_a_reason(
    files: dict[str, bytes], tmp_path: Path, say: Callable[[str], None]
) -> None:
    folder = tmp_path / "happy"
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.mid").write_bytes(data)
    catalogue, seconds = InMemoryClipCatalogue(), _Clock()
    before, already = set(family(os.getpid())), resident_bytes(os.getpid())
    with GuardedParser(seconds=_SECONDS) as parser, peaks_of({"all": os.getpid()}) as peaks:

        def parse(data: bytes) -> Piece:
            seconds.next()
            return parser.parse(data)

        report = import_folder(
            tmp_path,
            corpus="fuzz",
            catalogue=catalogue,
            blobs=InMemoryBlobStore(),
            parse=parse,
            show_progress=False,
        )
        seconds.next()
    # the tests' process, with what ran in it and beside it before, is not what is measured
    grown = peaks["all"] - already
    reasons = Counter(skipped.reason.split(":")[-1].strip() for skipped in report.skipped)
    figures = {
        "seed": SEED,
        "files": len(files),
        "clips": sum(report.clips.values()),
        "seconds": round(sum(seconds.each), 1),
        "slowest": round(max(seconds.each), 1),
        "peak": grown,
        "skipped": reasons,
    }
    say(f"fuzzed MIDI files: {json.dumps(figures)}")
    # each is in the corpus, or said to be skipped, or the same music as one that is
    assert report.clips["happy"] > 0
    assert len(seconds.each) == len(files) + 1
    skipped = {entry.source for entry in report.skipped}
    assert all(entry.reason.strip() for entry in report.skipped)
    assert len(skipped) == len(report.skipped) < len(files)
    assert max(seconds.each) < _SECONDS + 60
    assert grown < _PARENT_BYTES + MEMORY_BYTES
    assert set(family(os.getpid())) - before == set(), "a child is left"


class _Clock:
    """Seconds from call to call."""

    def __init__(self) -> None:
        self.each: list[float] = []
        self._last = time.monotonic()

    def next(self) -> None:
        now = time.monotonic()
        self.each.append(now - self._last)
        self._last = now
