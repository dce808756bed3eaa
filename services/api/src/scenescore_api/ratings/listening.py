"""What listeners do, who have a link and no key, told without HTTP. None of it says what made a piece."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from scenescore_api.ratings.service import Grades, RatingService, check_fit
from scenescore_shared.api_keys import hash_of
from scenescore_shared.errors import ExpiredError, NotFoundError
from scenescore_shared.jobs import Job, Output
from scenescore_shared.listening import ListeningSession, in_order_for
from scenescore_shared.outputs import MIDI, MP3, OGG, WAV
from scenescore_shared.ratings import Rating

MOST_LISTENERS = 200
"""Of a session: whoever has its link may make up any number of names."""

SOUNDS = (OGG, MP3, WAV)
"""What a browser would rather fetch first."""

_GONE = "This piece was kept for its time and has gone. The other pieces may still be there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a listener may know of a piece. `sound` is the name of its sound, where it has some."""

    item: str
    has_picture: bool
    sound: str | None
    available: bool
    grades: Grades | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningService:
    owners: RatingService

    def session(self, token: str) -> ListeningSession:
        """Raises NotFoundError, also once the session is closed: a link that is over is as good as none."""
        session = self.owners.sessions.find(hash_of(token))
        if session is None or not session.is_open(self.owners.jobs.clock.now()):
            raise NotFoundError(
                "There is no listening session behind this link, or it is over. Ask whoever sent it."
            )
        return session

    def pieces(self, session: ListeningSession, listener: str) -> list[Piece]:
        """In the listener's own order, with what that one said of them."""
        jobs = self.owners.jobs.jobs.get_many([item.job_id for item in session.items])
        said = {
            rating.job_id: Grades(quality=rating.quality, fit=rating.fit)
            for rating in self.owners.ratings.of_listener(session.id, listener)
        }
        return [
            _piece(item.id, jobs[item.job_id], said.get(item.job_id))
            for item in in_order_for(listener, session)
            if item.job_id in jobs
        ]

    def picture(self, session: ListeningSession, item: str) -> Callable[[], Iterator[bytes]]:
        """What opens the upright JPEG, to give it in chunks, and raises ExpiredError where it has just gone.

        Raises NotFoundError or ExpiredError.
        """
        job = self._job(session, item)
        if job.picture is None:
            raise NotFoundError("This piece has no picture.")
        if job.files_gone_at is not None:
            raise ExpiredError(_GONE)
        return partial(self._stream, job.picture.blob_key)

    def music(
        self, session: ListeningSession, item: str, name: str
    ) -> tuple[Output, Callable[[], Iterator[bytes]]]:
        """With what opens it, as for `picture`, to be streamed from here: a URL of the object store's would name the
        job. Raises NotFoundError or ExpiredError.
        """
        job = self._job(session, item)
        if job.files_gone_at is not None:
            raise ExpiredError(_GONE)
        output = next((each for each in job.outputs if each.name == name), None)
        if output is None:
            raise NotFoundError(f"This piece has no {name}.")
        return output, partial(self._stream, output.blob_key)

    def rate(
        self, session: ListeningSession, item: str, *, listener: str, grades: Grades
    ) -> tuple[Rating, bool]:
        """The rating, and whether it is a new one. Raises NotFoundError, ExpiredError, InvalidRequestError, and
        IllegalMoveError where the session has listeners enough.
        """
        job = self._job(session, item)
        if job.files_gone_at is not None:
            raise ExpiredError(_GONE)
        check_fit(job, grades)
        rating = self.owners.new_rating(job, MIDI, listener, grades, session_id=session.id)
        with _blind():
            return self.owners.ratings.put(rating, most_listeners=MOST_LISTENERS)

    def _stream(self, blob_key: str) -> Iterator[bytes]:
        with _blind():
            return self.owners.jobs.blobs.stream(blob_key)

    def _job(self, session: ListeningSession, item: str) -> Job:
        job_ids = [each.job_id for each in session.items if each.id == item]
        found = self.owners.jobs.jobs.get_many(job_ids)
        if not found:
            raise NotFoundError("There is no such piece in this listening session.")
        return found[job_ids[0]]


def rated_by(pieces: Sequence[Piece]) -> int:
    return sum(piece.grades is not None for piece in pieces)


@contextmanager
def _blind() -> Iterator[None]:
    """What is gone between two looks is told without the name that it had: that is its job's."""
    try:
        yield
    except NotFoundError:
        raise ExpiredError(_GONE) from None


def _piece(item: str, job: Job, grades: Grades | None) -> Piece:
    names = {output.name for output in job.outputs}
    return Piece(
        item=item,
        has_picture=job.picture is not None,
        sound=next((name for name in SOUNDS if name in names), None),
        available=job.files_gone_at is None and MIDI in names,
        grades=grades,
    )
