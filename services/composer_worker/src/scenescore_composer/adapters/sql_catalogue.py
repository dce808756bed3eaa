"""The clip catalogue on SQLAlchemy Core. All of the SQL about clips stands here."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, delete, func, insert, select

from scenescore_composer.corpus.catalogue import Clip, CorpusInfo, CorpusSummary
from scenescore_shared.adapters.sql.engine import for_writing, translated_errors
from scenescore_shared.adapters.sql.tables import clips, corpora
from scenescore_shared.errors import NotFoundError

_TOKEN_TYPE = np.dtype("<u2")
_MOST_PARAMETERS = 500
"""Ids in one query: SQLite's older builds take 999 parameters."""


class SqlClipCatalogue:
    def __init__(self, engine: Engine) -> None:
        self._reads = engine
        self._writes = for_writing(engine)

    def corpora(self) -> list[CorpusSummary]:
        names = select(corpora).order_by(corpora.c.name)
        counts = select(clips.c.corpus, clips.c.emotion, func.count()).group_by(
            clips.c.corpus, clips.c.emotion
        )
        with self._reading() as connection:
            found: dict[str, dict[str, int]] = {}
            for corpus, emotion, count in connection.execute(counts):
                found.setdefault(corpus, {})[emotion] = count
            return [
                CorpusSummary(row.name, row.version, found.get(row.name, {}))
                for row in connection.execute(names)
            ]

    def replace(self, corpus: CorpusInfo, clips: Sequence[Clip]) -> None:
        with translated_errors(), self._writes.begin() as connection:
            # the clips go with their corpus (ON DELETE CASCADE)
            connection.execute(delete(corpora).where(corpora.c.name == corpus.name))
            connection.execute(insert(corpora).values(name=corpus.name, version=corpus.version))
            _insert(connection, clips)

    def ids_by_emotion(self, corpora: Collection[str] | None = None) -> dict[str, list[str]]:
        query = select(clips.c.emotion, clips.c.id).order_by(clips.c.emotion, clips.c.id)
        if corpora is not None:
            query = query.where(clips.c.corpus.in_(corpora))
        ids: dict[str, list[str]] = {}
        with self._reading() as connection:
            for emotion, clip_id in connection.execute(query):
                ids.setdefault(emotion, []).append(clip_id)
        return ids

    def get(self, ids: Sequence[str]) -> list[Clip]:
        found: dict[str, Clip] = {}
        with self._reading() as connection:
            for start in range(0, len(ids), _MOST_PARAMETERS):
                some = ids[start : start + _MOST_PARAMETERS]
                for row in connection.execute(select(clips).where(clips.c.id.in_(some))):
                    found[row.id] = _clip_of(row)
        missing = [clip_id for clip_id in ids if clip_id not in found]
        if missing:
            raise NotFoundError(f"no clip {missing[0]} in the catalogue: build or import the corpus again")
        return [found[clip_id] for clip_id in ids]

    def clips(self, corpus: str) -> Iterable[Clip]:
        query = select(clips).where(clips.c.corpus == corpus).order_by(clips.c.id)
        with self._reading() as connection:
            return [_clip_of(row) for row in connection.execute(query)]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated_errors(), self._reads.connect() as connection:
            yield connection


def _insert(connection: Connection, new: Sequence[Clip]) -> None:
    if new:
        connection.execute(insert(clips), [_row_of(clip) for clip in new])


def _row_of(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "corpus": clip.corpus,
        "title": clip.title,
        "song": clip.song,
        "emotion": clip.emotion,
        "licence": clip.licence,
        "source": clip.source,
        "seconds": clip.seconds,
        "features": dict(clip.features),
        "tokens": np.asarray(clip.tokens, dtype=_TOKEN_TYPE).tobytes(),
        "tokens_version": clip.tokens_version,
        "blob_key": clip.blob_key,
    }


def _clip_of(row: Row[Any]) -> Clip:
    tokens = tuple(np.frombuffer(row.tokens, dtype=_TOKEN_TYPE).tolist())
    return Clip(**{**row._mapping, "tokens": tokens})  # noqa: SLF001 - a public attribute, named so against clashes
