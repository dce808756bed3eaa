"""Listeners' ratings on SQLAlchemy Core."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.tables import jobs
from scenescore_shared.adapters.sql.tables import ratings as table
from scenescore_shared.errors import NotFoundError
from scenescore_shared.ports import Everybody
from scenescore_shared.ratings import (
    Grade,
    ListenerProgress,
    ModelVersion,
    RatedPiece,
    Rating,
    rated_pieces,
    too_many_listeners,
)

_CHANGEABLE = ("quality", "fit", "updated_at")
_MODELS = ("classifier", "composer", "base_model")
_JOBS_AT_ONCE = 1000
"""Of a statement: databases bound its parameters."""


class SqlRatingRepository(SqlAdapter):
    def put(self, rating: Rating, *, most_listeners: int | None = None) -> tuple[Rating, bool]:
        try:
            with self._writing() as connection:
                if rating.session_id is not None and most_listeners is not None:
                    _check_listeners(connection, rating.session_id, rating.listener, most_listeners)
                kept = _upserted(connection, rating)
        except IntegrityError:
            raise NotFoundError(
                f"There is no job {rating.job_id}, or its listening session is over."
            ) from None
        return kept, kept.id == rating.id

    def page(self, job_id: str, *, listener: str | None, limit: int, before_id: str | None) -> list[Rating]:
        query = select(table).where(table.c.job_id == job_id).order_by(table.c.id.desc()).limit(limit)
        if listener is not None:
            query = query.where(table.c.listener == listener)
        if before_id is not None:
            query = query.where(table.c.id < before_id)
        return self._ratings(query)

    def delete(self, job_id: str, *, output: str, listener: str, session_id: str | None) -> None:
        of_session = table.c.session_id.is_(None) if session_id is None else table.c.session_id == session_id
        statement = delete(table).where(
            table.c.job_id == job_id, table.c.output == output, table.c.listener == listener, of_session
        )
        with self._writing() as connection:
            if connection.execute(statement).rowcount == 0:
                raise NotFoundError(f"{listener} has not rated {output} of job {job_id}.")

    def of_listener(self, session_id: str, listener: str) -> list[Rating]:
        return self._ratings(
            select(table).where(table.c.session_id == session_id, table.c.listener == listener)
        )

    def progress(self, session_ids: Collection[str]) -> Mapping[str, list[ListenerProgress]]:
        query = (
            select(table.c.session_id, table.c.listener, func.count())
            .where(table.c.session_id.in_(session_ids))
            .group_by(table.c.session_id, table.c.listener)
        )
        with self._reading() as connection:
            counts = connection.execute(query).all()
        found: dict[str, list[ListenerProgress]] = {}
        # sorted here: databases differ in how they order letters
        for session_id, listener, rated in sorted(tuple(row) for row in counts):
            found.setdefault(session_id, []).append(ListenerProgress(listener=listener, rated=rated))
        return found

    def of_session(self, session_id: str) -> list[Rating]:
        found = self._ratings(select(table).where(table.c.session_id == session_id))
        return sorted(found, key=_reading_order)

    def of_owner(self, whose: str | Everybody | None, *, limit: int) -> list[Rating]:
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if not isinstance(whose, Everybody):
            query = query.join(jobs, jobs.c.id == table.c.job_id).where(jobs.c.owner == whose)
        return self._ratings(query)

    def with_versions(self, ratings: Sequence[Rating]) -> list[RatedPiece]:
        job_ids = sorted({rating.job_id for rating in ratings})
        versions: dict[str, ModelVersion] = {}
        for start in range(0, len(job_ids), _JOBS_AT_ONCE):
            versions |= self._versions(job_ids[start : start + _JOBS_AT_ONCE])
        return rated_pieces(ratings, versions)

    def _ratings(self, query: Select[Any]) -> list[Rating]:
        with self._reading() as connection:
            return [_rating_of(row) for row in connection.execute(query)]

    def _versions(self, job_ids: Sequence[str]) -> Mapping[str, ModelVersion]:
        names = (jobs.c.provenance[name].as_string().label(name) for name in _MODELS)
        with self._reading() as connection:
            return {
                row.id: ModelVersion(
                    classifier=row.classifier, composer=row.composer, base_model=row.base_model
                )
                for row in connection.execute(select(jobs.c.id, *names).where(jobs.c.id.in_(job_ids)))
            }


def _upserted(connection: Connection, rating: Rating) -> Rating:
    """Two requests of one listener at the same moment make one rating, with the later one's grades."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(
        {**asdict(rating), "quality": str(rating.quality), "fit": rating.fit and str(rating.fit)}
    )
    columns = [table.c.job_id, table.c.output, table.c.listener]
    if rating.session_id is None:
        target, where = columns, table.c.session_id.is_(None)
    else:
        target, where = [table.c.session_id, *columns], table.c.session_id.is_not(None)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=target,
            index_where=where,
            set_={name: getattr(statement.excluded, name) for name in _CHANGEABLE},
        ).returning(table)
    ).one()
    return _rating_of(row)


def _check_listeners(connection: Connection, session_id: str, listener: str, most: int) -> None:
    listeners = select(table.c.listener).where(table.c.session_id == session_id).distinct()
    known = set(connection.execute(listeners).scalars())
    if listener not in known and len(known) >= most:
        raise too_many_listeners(most)


def _reading_order(rating: Rating) -> tuple[str, str, str]:
    return rating.job_id, rating.output, rating.listener


def _rating_of(row: Row[Any]) -> Rating:
    return Rating(
        id=row.id,
        job_id=row.job_id,
        output=row.output,
        listener=row.listener,
        session_id=row.session_id,
        quality=Grade(row.quality),
        fit=Grade(row.fit) if row.fit else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
