"""The job repository on SQLAlchemy Core. All of the SQL about jobs stands here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from scenescore_shared.adapters.sql.engine import SqlAdapter
from scenescore_shared.adapters.sql.idempotency import complete
from scenescore_shared.adapters.sql.rows import job_of, row_of
from scenescore_shared.adapters.sql.tables import job_events, jobs
from scenescore_shared.adapters.sql.webhooks import insert_deliveries
from scenescore_shared.errors import IllegalMoveError, NotFoundError, QuotaExceededError
from scenescore_shared.idempotency import Answered
from scenescore_shared.jobs import UNFINISHED, Job, Status, Step, event_data
from scenescore_shared.ports import Change, Everybody, JobEvent, Sweep
from scenescore_shared.webhooks import deliveries_of

# made once: making a query of so many columns takes longer than asking it
_JOB = select(jobs).where(jobs.c.id == bindparam("job_id"))
_LOCKED_JOB = _JOB.with_for_update()
_NEW_JOB = insert(jobs)
_NEW_EVENT = insert(job_events)


class SqlJobRepository(SqlAdapter):
    """On PostgreSQL a row lock guards each change and claims skip locked rows (`FOR UPDATE SKIP LOCKED`);
    on SQLite the database's one write lock does both.
    """

    def __init__(self, engine: Engine, sweep_lock: Callable[[Sweep], AbstractContextManager[bool]]) -> None:
        super().__init__(engine)
        self._sweep_lock = sweep_lock

    def add(self, job: Job, *, max_unfinished: int | None = None, answered: Answered | None = None) -> None:
        with self._writing() as connection:
            if max_unfinished is not None and job.owner is not None:
                _check_quota(connection, job.owner, max_unfinished)
            if answered is not None:
                complete(connection, answered)
            connection.execute(_NEW_JOB, row_of(job))
            _append_events(connection, [job])

    def get(self, job_id: str) -> Job:
        with self._reading() as connection:
            row = connection.execute(_JOB, {"job_id": job_id}).one_or_none()
        if row is None:
            raise _no_job(job_id)
        return job_of(row)

    def get_many(self, job_ids: Collection[str]) -> Mapping[str, Job]:
        with self._reading() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.id.in_(job_ids)))
            return {row.id: job_of(row) for row in rows}

    def update(self, job_id: str, change: Change) -> Job:
        with self._writing() as connection:
            job = _locked(connection, job_id)
            changed = change(job)
            if changed != job:
                _save(connection, before=[job], after=[changed])
        return changed

    def claim(
        self, step: Step, limit: int, now: datetime, change: Change, *, first_attempts: bool = False
    ) -> list[Job]:
        due = (
            select(jobs)
            .where(jobs.c.step == str(step), jobs.c.due_at <= now)
            .order_by(jobs.c.due_at)
            .with_for_update(skip_locked=True)
        )
        untried = due.where(jobs.c.attempts == 0)
        with self._writing() as connection:
            before = _jobs(connection, untried.limit(limit) if first_attempts else due.limit(1))
            if len(before) < limit and not first_attempts and before and not before[0].attempts:
                # SKIP LOCKED does not skip one's own lock
                before += _jobs(connection, untried.where(jobs.c.id != before[0].id).limit(limit - 1))
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

    def unfinished(self, owner: str) -> int:
        with self._reading() as connection:
            return _unfinished(connection, owner)

    def due_times(self, step: Step, *, now: datetime, limit: int) -> list[datetime]:
        query = (
            select(jobs.c.due_at)
            .where(jobs.c.step == str(step), jobs.c.due_at <= now)
            .order_by(jobs.c.due_at)
            .limit(limit)
        )
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

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

    def seqs(self, job_ids: Collection[str]) -> Mapping[str, int]:
        query = select(jobs.c.id, jobs.c.seq).where(jobs.c.id.in_(job_ids))
        with self._reading() as connection:
            return {row.id: row.seq for row in connection.execute(query)}

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

    def unfinished_counts(self) -> Mapping[tuple[Status, Step], int]:
        kind = (jobs.c.status, jobs.c.step)
        query = select(*kind, func.count()).where(jobs.c.due_at.is_not(None)).group_by(*kind)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return {(Status(status), Step(step)): count for status, step, count in rows}

    def ended_counts(self) -> Mapping[Status, int]:
        ended = [str(status) for status in Status if status not in UNFINISHED]
        query = select(jobs.c.status, func.count()).where(jobs.c.status.in_(ended)).group_by(jobs.c.status)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return {Status(status): count for status, count in rows}

    def expire(self, *, finished_before: datetime, limit: int, change: Change) -> list[Job]:
        ended = (
            select(jobs)
            .where(jobs.c.finished_at <= finished_before, jobs.c.files_gone_at.is_(None))
            .order_by(jobs.c.finished_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            before = _jobs(connection, ended)
            after = [change(job) for job in before]
            _save(connection, before=before, after=after)
        return after

    def remove(self, *, finished_before: datetime, limit: int) -> int:
        old = (
            select(jobs.c.id)
            .where(jobs.c.finished_at <= finished_before, jobs.c.files_gone_at.is_not(None))
            .order_by(jobs.c.finished_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            ids = connection.execute(old).scalars().all()
            if ids:
                # events and deliveries go with their job (ON DELETE CASCADE)
                connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
        return len(ids)

    def sweeping(self, sweep: Sweep) -> AbstractContextManager[bool]:
        return self._sweep_lock(sweep)

    def ping(self) -> None:
        with self._reading() as connection:
            # not a bare SELECT 1: without its schema the database is of no use yet
            connection.execute(select(jobs.c.id).limit(1))


def _jobs(connection: Connection, query: Select[Any]) -> list[Job]:
    return [job_of(row) for row in connection.execute(query)]


def _check_quota(connection: Connection, owner: str, quota: int) -> None:
    if connection.dialect.name == "postgresql":
        # one add of this owner's at a time, until its commit; on SQLite every writer waits for the one lock anyway
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(owner, 0))))
    if _unfinished(connection, owner) >= quota:
        raise QuotaExceededError(quota)


def _unfinished(connection: Connection, owner: str) -> int:
    # due_at is null once a job has ended: the partial index on it answers this
    counted = select(func.count()).where(jobs.c.owner == owner, jobs.c.due_at.is_not(None))
    return connection.execute(counted).scalar_one()


def _locked(connection: Connection, job_id: str) -> Job:
    row = connection.execute(_LOCKED_JOB, {"job_id": job_id}).one_or_none()
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
        # a list of one would go the longer way of many
        connection.execute(_NEW_EVENT, rows if len(rows) > 1 else rows[0])


def _no_job(job_id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id}.")
