"""The job repository on SQLAlchemy Core. All of the SQL about jobs stands here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, or_, select, update

from scenescore_shared.adapters.sql.engine import for_writing, translated_errors
from scenescore_shared.adapters.sql.rows import job_of, row_of
from scenescore_shared.adapters.sql.tables import job_events, jobs
from scenescore_shared.adapters.sql.webhooks import insert_deliveries
from scenescore_shared.errors import IllegalMoveError, NotFoundError
from scenescore_shared.jobs import Job, Status, Step, event_data
from scenescore_shared.ports import Change, Everybody, JobEvent
from scenescore_shared.webhooks import deliveries_of


class SqlJobRepository:
    """On PostgreSQL a row lock guards each change and claims skip locked rows (`FOR UPDATE SKIP LOCKED`);
    on SQLite the database's one write lock does both.
    """

    def __init__(self, engine: Engine, sweep_lock: Callable[[], AbstractContextManager[bool]]) -> None:
        self._reads = engine
        self._writes = for_writing(engine)
        self._sweep_lock = sweep_lock

    def add(self, job: Job) -> None:
        with self._writing() as connection:
            connection.execute(insert(jobs).values(row_of(job)))
            _append_events(connection, [job])

    def get(self, job_id: str) -> Job:
        with self._reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
        if row is None:
            raise _no_job(job_id)
        return job_of(row)

    def update(self, job_id: str, change: Change) -> Job:
        with self._writing() as connection:
            job = _locked(connection, job_id)
            changed = change(job)
            if changed != job:
                _save(connection, before=[job], after=[changed])
        return changed

    def claim(self, step: Step, limit: int, now: datetime, change: Change) -> list[Job]:
        due = (
            select(jobs)
            .where(jobs.c.step == str(step), jobs.c.due_at <= now)
            .order_by(jobs.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            before = [job_of(row) for row in connection.execute(due)]
            after = [change(job) for job in before]
            _save(connection, before=before, after=after)
        return after

    def delete(self, job_id: str) -> Job:
        with self._writing() as connection:
            job = _locked(connection, job_id)
            if not job.finished:
                raise IllegalMoveError(f"Job {job_id} is still {job.status}: cancel it first.")
            connection.execute(delete(jobs).where(jobs.c.id == job_id))
        return job

    def page(
        self, *, whose: str | Everybody | None, status: Status | None, limit: int, before_id: str | None
    ) -> list[Job]:
        query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
        if not isinstance(whose, Everybody):
            query = query.where(jobs.c.owner == whose)
        if status is not None:
            query = query.where(jobs.c.status == str(status))
        if before_id is not None:
            query = query.where(jobs.c.id < before_id)
        with self._reading() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def queue_position(self, job: Job) -> int | None:
        if job.finished or job.lease is not None:
            return None
        ahead = select(func.count()).where(
            jobs.c.step == str(job.step), jobs.c.due_at < job.due_at, jobs.c.lease_token.is_(None)
        )
        with self._reading() as connection:
            return connection.execute(ahead).scalar_one()

    def wakeable(
        self, step: Step, *, due_before: datetime, woken_before: datetime, now: datetime, limit: int
    ) -> list[Job]:
        query = (
            select(jobs)
            .where(
                jobs.c.step == str(step),
                jobs.c.due_at <= due_before,
                or_(jobs.c.woken_at.is_(None), jobs.c.woken_at <= woken_before),
            )
            .order_by(jobs.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            found = [replace(job_of(row), woken_at=now) for row in connection.execute(query)]
            if found:
                ids = [job.id for job in found]
                connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(woken_at=now))
        return found

    def events(self, job_id: str, *, after_seq: int, limit: int) -> list[JobEvent]:
        query = (
            select(job_events)
            .where(job_events.c.job_id == job_id, job_events.c.seq > after_seq)
            .order_by(job_events.c.seq)
            .limit(limit)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [JobEvent(job_id=row.job_id, seq=row.seq, at=row.at, data=row.data) for row in rows]

    def counts(self) -> Mapping[tuple[Status, Step | None], int]:
        query = select(jobs.c.status, jobs.c.step, func.count()).group_by(jobs.c.status, jobs.c.step)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return {(Status(status), Step(step) if step else None): count for status, step, count in rows}

    def sweeping(self) -> AbstractContextManager[bool]:
        return self._sweep_lock()

    def ping(self) -> None:
        with self._reading() as connection:
            # not a bare SELECT 1: without its schema the database is of no use yet
            connection.execute(select(jobs.c.id).limit(1))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated_errors(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated_errors(), self._writes.begin() as connection:
            yield connection


def _locked(connection: Connection, job_id: str) -> Job:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise _no_job(job_id)
    return job_of(row)


def _save(connection: Connection, *, before: Sequence[Job], after: Sequence[Job]) -> None:
    for old, new in zip(before, after, strict=True):
        was, is_now = row_of(old), row_of(new)
        changed = {name: value for name, value in is_now.items() if value != was[name]}
        if changed:
            connection.execute(update(jobs).where(jobs.c.id == new.id).values(changed))
        insert_deliveries(connection, deliveries_of(old, new))
    _append_events(connection, [new for old, new in zip(before, after, strict=True) if new.seq > old.seq])


def _append_events(connection: Connection, changed: Sequence[Job]) -> None:
    if changed:
        rows = [
            {"job_id": job.id, "seq": job.seq, "at": job.updated_at, "data": event_data(job)}
            for job in changed
        ]
        connection.execute(insert(job_events), rows)


def _no_job(job_id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id}.")
