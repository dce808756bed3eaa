"""Small music for the composer's tests: no corpus is built for them."""

import random
from collections.abc import Callable, Iterator

import pytest
import torch

from scenescore_composer import midi
from scenescore_composer.corpus.catalogue import Clip, InMemoryClipCatalogue
from scenescore_composer.corpus.clips import LabelledMusic, keep
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.score import Bar, Note, Piece, tidy
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.fakes import InMemoryBlobStore

_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small are slower on several threads, and much slower where others compute too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def blobs() -> InMemoryBlobStore:
    return InMemoryBlobStore()


@pytest.fixture
def catalogue() -> InMemoryClipCatalogue:
    return InMemoryClipCatalogue()


@pytest.fixture(scope="session")
def tiny_base() -> TokenLstm:
    """A base model of a few units that never learnt anything."""
    return TokenLstm(ModelSize(embedding=8, hidden=16), torch.Generator().manual_seed(0))


@pytest.fixture
def make_tune() -> Callable[..., Piece]:
    return _tune


@pytest.fixture
def tune_bytes() -> bytes:
    return midi.write(_tune(0))


@pytest.fixture
def clips() -> list[Clip]:
    """Twelve clips of ten seconds with the emotions in turn."""
    catalogue = InMemoryClipCatalogue()
    found = [
        LabelledMusic(
            music=_tune(i, bpm=90 + 5 * (i % 4)),
            emotion=ALL_EMOTIONS[i % 4],
            title=f"Tune {i}",
            song=f"Tune {i}",
            licence="CC0",
            source="tests",
        )
        for i in range(12)
    ]
    return keep("tests", found, catalogue, InMemoryBlobStore()).clips


def _tune(seed: int, *, bars: int = 4, bpm: int = 96) -> Piece:
    """Three voices of scale steps in C major and 4/4, in crotchets and quavers."""
    rng = random.Random(seed)
    notes = []
    for lowest, length in ((48, 12), (60, 12), (67, 6)):
        step = 0
        for onset in range(0, bars * 48, length):
            step = (step + rng.choice((-1, 0, 1, 2))) % len(_SCALE)
            notes.append(Note(onset, lowest + _SCALE[step], length, 72))
    return Piece((Bar(4, 4, bpm),) * bars, tidy(notes, bars * 48))
