"""The ports of ratings and listening sessions in memory. The in-memory repository of jobs takes out of them what goes
with a job, as foreign keys do in a database.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime

from scenescore_shared.errors import NotFoundError
from scenescore_shared.jobs import Job
from scenescore_shared.listening import ListeningSession
from scenescore_shared.ports import Everybody
from scenescore_shared.ratings import (
    ListenerProgress,
    ModelVersion,
    RatedPiece,
    Rating,
    rated_pieces,
    too_many_listeners,
    version_of,
)

_Identity = tuple[str, str, str | None, str]


class InMemoryRatingRepository:
    """`job_of` raises NotFoundError for a job that is not there. `lock` is that of the jobs: with one of its own, who
    deletes a job and who rates it would wait for each other.
    """

    def __init__(self, job_of: Callable[[str], Job], lock: AbstractContextManager[object]) -> None:
        self._job_of = job_of
        self._ratings: dict[_Identity, Rating] = {}
        self._lock = lock
        self.sessions = InMemoryListeningSessionRepository(job_of, self, lock)

    def put(self, rating: Rating, *, most_listeners: int | None = None) -> tuple[Rating, bool]:
        with self._lock:
            self._job_of(rating.job_id)
            if rating.session_id is not None:
                self.sessions.get(rating.session_id)
                self._check_listeners(rating.session_id, rating.listener, most_listeners)
            earlier = self._ratings.get(_identity(rating))
            kept = (
                replace(rating, id=earlier.id, created_at=earlier.created_at)
                if earlier is not None
                else rating
            )
            self._ratings[_identity(rating)] = kept
            return kept, earlier is None

    def page(self, job_id: str, *, listener: str | None, limit: int, before_id: str | None) -> list[Rating]:
        found = [
            rating
            for rating in self._all()
            if rating.job_id == job_id
            and (listener is None or rating.listener == listener)
            and (before_id is None or rating.id < before_id)
        ]
        return sorted(found, key=lambda rating: rating.id, reverse=True)[:limit]

    def delete(self, job_id: str, *, output: str, listener: str, session_id: str | None) -> None:
        with self._lock:
            if self._ratings.pop((job_id, output, session_id, listener), None) is None:
                raise NotFoundError(f"{listener} has not rated {output} of job {job_id}.")

    def of_listener(self, session_id: str, listener: str) -> list[Rating]:
        return [
            rating
            for rating in self._all()
            if rating.session_id == session_id and rating.listener == listener
        ]

    def progress(self, session_ids: Collection[str]) -> Mapping[str, list[ListenerProgress]]:
        counts = Counter(
            (rating.session_id, rating.listener)
            for rating in self._all()
            if rating.session_id is not None and rating.session_id in session_ids
        )
        found: dict[str, list[ListenerProgress]] = {}
        for (session_id, listener), rated in sorted(counts.items()):
            found.setdefault(session_id, []).append(ListenerProgress(listener=listener, rated=rated))
        return found

    def of_session(self, session_id: str) -> list[Rating]:
        found = [rating for rating in self._all() if rating.session_id == session_id]
        return sorted(found, key=_reading_order)

    def of_owner(self, whose: str | Everybody | None, *, limit: int) -> list[Rating]:
        with self._lock:
            found = [
                rating
                for rating in self._all()
                if isinstance(whose, Everybody) or self._job_of(rating.job_id).owner == whose
            ]
        return sorted(found, key=lambda rating: rating.id, reverse=True)[:limit]

    def with_versions(self, ratings: Sequence[Rating]) -> list[RatedPiece]:
        versions: dict[str, ModelVersion] = {}
        with self._lock:
            for job_id in {rating.job_id for rating in ratings}:
                with suppress(NotFoundError):
                    versions[job_id] = version_of(self._job_of(job_id).provenance)
        return rated_pieces(ratings, versions)

    def forget_job(self, job_id: str) -> None:
        """For the repository of jobs, as it deletes one."""
        self._forget(lambda rating: rating.job_id == job_id)
        self.sessions.forget_job(job_id)

    def forget_session(self, session_id: str) -> None:
        """For the repository of sessions, as it deletes one."""
        self._forget(lambda rating: rating.session_id == session_id)

    def _forget(self, goes: Callable[[Rating], bool]) -> None:
        with self._lock:
            self._ratings = {key: each for key, each in self._ratings.items() if not goes(each)}

    def _all(self) -> list[Rating]:
        with self._lock:
            return list(self._ratings.values())

    def _check_listeners(self, session_id: str, listener: str, most: int | None) -> None:
        known = {rating.listener for rating in self._all() if rating.session_id == session_id}
        if most is not None and listener not in known and len(known) >= most:
            raise too_many_listeners(most)


class InMemoryListeningSessionRepository:
    def __init__(
        self,
        job_of: Callable[[str], Job],
        ratings: InMemoryRatingRepository,
        lock: AbstractContextManager[object],
    ) -> None:
        self._job_of = job_of
        self._ratings = ratings
        self._sessions: dict[str, ListeningSession] = {}
        self._ids_by_hash: dict[str, str] = {}
        self._lock = lock

    def add(self, session: ListeningSession, *, token_hash: str) -> None:
        with self._lock:
            for item in session.items:
                self._job_of(item.job_id)
            self._sessions[session.id] = replace(session, items=tuple(session.items))
            self._ids_by_hash[token_hash] = session.id

    def get(self, session_id: str) -> ListeningSession:
        with self._lock:
            try:
                return self._sessions[session_id]
            except KeyError:
                raise NotFoundError(f"There is no listening session {session_id}.") from None

    def find(self, token_hash: str) -> ListeningSession | None:
        with self._lock:
            return self._sessions.get(self._ids_by_hash.get(token_hash, ""))

    def page(
        self, *, whose: str | Everybody | None, limit: int, before_id: str | None
    ) -> list[ListeningSession]:
        with self._lock:
            found = [
                session
                for session in self._sessions.values()
                if (isinstance(whose, Everybody) or session.owner == whose)
                and (before_id is None or session.id < before_id)
            ]
        return sorted(found, key=lambda session: session.id, reverse=True)[:limit]

    def close(self, session_id: str, now: datetime) -> ListeningSession:
        with self._lock:
            session = self.get(session_id)
            if session.is_open(now):
                self._sessions[session_id] = replace(session, closes_at=now)
            return self._sessions[session_id]

    def delete(self, session_id: str) -> None:
        with self._lock:
            self.get(session_id)
            del self._sessions[session_id]
            self._ids_by_hash = {key: each for key, each in self._ids_by_hash.items() if each != session_id}
            self._ratings.forget_session(session_id)

    def forget_job(self, job_id: str) -> None:
        """For the repository of jobs, as it deletes one."""
        with self._lock:
            for session in self._sessions.values():
                left = tuple(item for item in session.items if item.job_id != job_id)
                self._sessions[session.id] = replace(session, items=left)


def _identity(rating: Rating) -> _Identity:
    return rating.job_id, rating.output, rating.session_id, rating.listener


def _reading_order(rating: Rating) -> tuple[str, str, str]:
    return rating.job_id, rating.output, rating.listener
