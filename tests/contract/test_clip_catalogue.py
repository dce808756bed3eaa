"""What every clip catalogue promises, run on the fake, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.corpus.catalogue import (
    Clip,
    ClipCatalogue,
    CorpusInfo,
    CorpusSummary,
    InMemoryClipCatalogue,
)
from scenescore_shared.errors import NotFoundError

TINY = CorpusInfo("tiny", "1")


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def catalogue(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> ClipCatalogue:
    if request.param == "fake":
        return InMemoryClipCatalogue()
    return SqlClipCatalogue(engine_of(request.param))


def clip(name: str, emotion: str = "sad", *, corpus: str = "tiny") -> Clip:
    return Clip(
        id=name,
        corpus=corpus,
        title=f"Étude {name}",
        song="Étude",
        emotion=emotion,
        licence="CC0",
        source=f"{name}.mid",
        seconds=9.5,
        features={"tempo": 96.0, "density": 2.25},
        tokens=(0, 1, 511, 65535),
        tokens_version="1",
        blob_key=f"clips/{name}.mid",
    )


def test_clips_come_back_as_they_were_kept_in_the_order_asked_for(catalogue: ClipCatalogue) -> None:
    kept = [clip("b"), clip("a", "happy"), replace(clip("c"), tokens=())]
    catalogue.replace(TINY, kept)
    assert catalogue.get(["c", "b", "a", "b"]) == [kept[2], kept[0], kept[1], kept[0]]
    assert catalogue.get([]) == []
    assert list(catalogue.clips("tiny")) == sorted(kept, key=lambda item: item.id)
    assert list(catalogue.clips("other")) == []


def test_a_clip_that_is_gone_is_not_found(catalogue: ClipCatalogue) -> None:
    catalogue.replace(TINY, [clip("a")])
    with pytest.raises(NotFoundError, match="nowhere"):
        catalogue.get(["a", "nowhere"])


def test_replacing_a_corpus_leaves_nothing_of_the_old_and_touches_no_other(catalogue: ClipCatalogue) -> None:
    catalogue.replace(TINY, [clip("a"), clip("b")])
    catalogue.replace(CorpusInfo("other", "9"), [clip("x", corpus="other")])
    catalogue.replace(CorpusInfo("tiny", "2"), [clip("b", "happy"), clip("c", "happy")])
    assert catalogue.corpora() == [
        CorpusSummary("other", "9", {"sad": 1}),
        CorpusSummary("tiny", "2", {"happy": 2}),
    ]
    assert catalogue.ids_by_emotion() == {"happy": ["b", "c"], "sad": ["x"]}


def test_a_replacement_that_fails_changes_nothing(catalogue: ClipCatalogue) -> None:
    if isinstance(catalogue, InMemoryClipCatalogue):
        return  # it has no constraint to break
    catalogue.replace(TINY, [clip("a")])
    with pytest.raises(Exception, match=r"(?i)unique"):
        catalogue.replace(CorpusInfo("tiny", "2"), [clip("b"), clip("b")])
    assert catalogue.corpora() == [CorpusSummary("tiny", "1", {"sad": 1})]
    assert catalogue.get(["a"]) == [clip("a")]


def test_ids_are_sorted_and_may_be_of_some_corpora_only(catalogue: ClipCatalogue) -> None:
    catalogue.replace(TINY, [clip(name) for name in ("c", "a", "b")])
    catalogue.replace(CorpusInfo("other", "1"), [clip("x", "happy", corpus="other")])
    assert catalogue.ids_by_emotion() == {"happy": ["x"], "sad": ["a", "b", "c"]}
    assert catalogue.ids_by_emotion(["other"]) == {"happy": ["x"]}
    assert catalogue.ids_by_emotion([]) == {}


def test_more_clips_than_a_query_takes_parameters(catalogue: ClipCatalogue) -> None:
    ids = [f"{number:04}" for number in range(1200)]
    catalogue.replace(TINY, [clip(name) for name in ids])
    assert [found.id for found in catalogue.get(ids[::-1])] == ids[::-1]


def test_an_empty_corpus_is_still_one(catalogue: ClipCatalogue) -> None:
    catalogue.replace(TINY, [])
    assert catalogue.corpora() == [CorpusSummary("tiny", "1", {})]
