"""What owners do with ratings and listening sessions, told without HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from scenescore_api.callers import Caller
from scenescore_api.service import JobService
from scenescore_shared.api_keys import hash_of
from scenescore_shared.errors import ExpiredError, IllegalMoveError, InvalidRequestError, NotFoundError
from scenescore_shared.jobs import Job
from scenescore_shared.listening import ListeningSession, new_item, new_token
from scenescore_shared.listening_ports import ListeningSessionRepository, RatingRepository
from scenescore_shared.logs import get_logger
from scenescore_shared.outputs import MIDI
from scenescore_shared.ports import Everybody
from scenescore_shared.ratings import Grade, ListenerProgress, RatedPiece, Rating

_log = get_logger(__name__)

MOST_PIECES = 200
MOST_RATINGS_IN_A_REPORT = 20_000
"""Of all of an owner's; those of a session are bounded by its pieces and listeners."""
_LONGEST_OPEN = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    quality: Grade
    fit: Grade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingService:
    jobs: JobService
    ratings: RatingRepository
    sessions: ListeningSessionRepository
    new_id: Callable[[], str]

    def rate(
        self, job_id: str, caller: Caller, *, listener: str, output: str, grades: Grades
    ) -> tuple[Rating, bool]:
        """The rating, and whether it is a new one. Raises NotFoundError, ExpiredError, InvalidRequestError, and
        IllegalMoveError where there is no music yet.
        """
        job = self.jobs.get(job_id, caller)
        check_audible(job, output)
        check_fit(job, grades)
        return self.ratings.put(self.new_rating(job, output, listener, grades))

    def new_rating(
        self, job: Job, output: str, listener: str, grades: Grades, *, session_id: str | None = None
    ) -> Rating:
        now = self.jobs.clock.now()
        return Rating(
            id=self.new_id(),
            job_id=job.id,
            output=output,
            listener=listener,
            session_id=session_id,
            quality=grades.quality,
            fit=grades.fit,
            created_at=now,
            updated_at=now,
        )

    def page(
        self, job_id: str, caller: Caller, *, listener: str | None, page_size: int, before_id: str | None
    ) -> tuple[list[Rating], bool]:
        """At most `page_size` ratings of the job, newest first, and whether older ones follow."""
        job = self.jobs.get(job_id, caller)
        found = self.ratings.page(job.id, listener=listener, limit=page_size + 1, before_id=before_id)
        return found[:page_size], len(found) > page_size

    def delete(
        self, job_id: str, caller: Caller, *, listener: str, output: str, session_id: str | None
    ) -> None:
        """Raises NotFoundError."""
        job = self.jobs.get(job_id, caller)
        session_id = None if session_id is None else checked_session_id(session_id)
        self.ratings.delete(job.id, output=output, listener=listener, session_id=session_id)

    def make_session(
        self, caller: Caller, *, title: str, job_ids: Sequence[str], closes_at: datetime | None
    ) -> tuple[ListeningSession, str]:
        """The session and its link's token, told this once.

        Raises NotFoundError for jobs that the caller can't see, InvalidRequestError, ExpiredError, and IllegalMoveError
        for those without music.
        """
        now = self.jobs.clock.now()
        if closes_at is not None:
            if not now < closes_at <= now + _LONGEST_OPEN:
                raise InvalidRequestError("closes_at must be in the future, and within ten years.")
            closes_at = closes_at.astimezone(UTC)
        jobs = [self.jobs.get(job_id, caller) for job_id in job_ids]
        if len({job.id for job in jobs}) < len(jobs):
            raise InvalidRequestError("A job is in the list twice: a session has each piece once.")
        for job in jobs:
            check_audible(job, MIDI)
        token = new_token()
        session = ListeningSession(
            id=self.new_id(),
            owner=caller.owner,
            title=title,
            items=tuple(new_item(job.id) for job in jobs),
            created_at=now,
            closes_at=closes_at,
        )
        self.sessions.add(session, token_hash=hash_of(token))
        _log.info("listening_session_made", session_id=session.id, pieces=len(jobs))
        return session, token

    def session(self, session_id: str, caller: Caller) -> ListeningSession:
        """Raises NotFoundError, also for somebody else's."""
        session = self.sessions.get(checked_session_id(session_id))
        if not caller.is_admin and session.owner != caller.owner:
            raise _no_session(session_id)
        return session

    def session_page(
        self, caller: Caller, *, page_size: int, before_id: str | None
    ) -> tuple[list[ListeningSession], bool]:
        whose = Everybody() if caller.is_admin else caller.owner
        found = self.sessions.page(whose=whose, limit=page_size + 1, before_id=before_id)
        return found[:page_size], len(found) > page_size

    def progress(self, sessions: Sequence[ListeningSession]) -> Mapping[str, Sequence[ListenerProgress]]:
        """Who rated how much in each of them."""
        return self.ratings.progress([session.id for session in sessions])

    def close_session(self, session_id: str, caller: Caller) -> ListeningSession:
        """Its link opens nothing any more; what was said stays. Raises NotFoundError."""
        session = self.session(session_id, caller)
        return self.sessions.close(session.id, self.jobs.clock.now())

    def delete_session(self, session_id: str, caller: Caller) -> None:
        """With all that was said in it. Raises NotFoundError."""
        self.sessions.delete(self.session(session_id, caller).id)
        _log.info("listening_session_deleted", session_id=session_id)

    def rated_in_session(self, session_id: str, caller: Caller) -> list[RatedPiece]:
        """As `said_in_session`, with what made the pieces. Raises NotFoundError."""
        return self.ratings.with_versions(self.said_in_session(session_id, caller))

    def rated(self, caller: Caller) -> list[RatedPiece]:
        """As `said`, with what made the pieces."""
        return self.ratings.with_versions(self.said(caller))

    def said_in_session(self, session_id: str, caller: Caller) -> list[Rating]:
        """Raises NotFoundError."""
        return self.ratings.of_session(self.session(session_id, caller).id)

    def said(self, caller: Caller) -> list[Rating]:
        """Of the caller's jobs; of everybody's for an administrator."""
        whose = Everybody() if caller.is_admin else caller.owner
        return self.ratings.of_owner(whose, limit=MOST_RATINGS_IN_A_REPORT)


def check_fit(job: Job, grades: Grades) -> None:
    """Raises InvalidRequestError unless the fit to a picture was judged where there is one."""
    if grades.fit is None and job.picture is not None:
        raise InvalidRequestError("Say how the music fits the picture, too: `fit` is one of the grades.")
    if grades.fit is not None and job.picture is None:
        raise InvalidRequestError("There is no picture for the music to fit: leave `fit` out, or null.")


def check_audible(job: Job, output: str) -> None:
    """Raises ExpiredError, IllegalMoveError or InvalidRequestError unless this music of the job can be heard."""
    if job.files_gone_at is not None and job.music is not None:
        raise ExpiredError(
            f"The music of job {job.id} was kept for its time and has gone: nobody can hear it any more."
        )
    if job.music is None:
        raise IllegalMoveError(
            f"Job {job.id} is {job.status} and has no music to listen to"
            + ("." if job.finished else " yet: wait until it is rendered, or has ended."),
            code="no_music",
        )
    if output not in {each.name for each in job.outputs}:
        names = ", ".join(each.name for each in job.outputs if each.name.endswith(".mid"))
        raise InvalidRequestError(f"Job {job.id} has no music {output!r}; it has: {names}.")


def checked_session_id(session_id: str) -> str:
    """As it stands in the database. Raises NotFoundError for what can't be one."""
    try:
        return str(UUID(session_id))
    except ValueError:
        raise _no_session(session_id) from None


def _no_session(session_id: str) -> NotFoundError:
    return NotFoundError(f"There is no listening session {session_id[:64]!r}.")
