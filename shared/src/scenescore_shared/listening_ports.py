"""The ports that keep ratings and listening sessions. Adapters implement them, and `fake_listening` in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from scenescore_shared.listening import ListeningSession
from scenescore_shared.ports import Everybody
from scenescore_shared.ratings import ListenerProgress, RatedPiece, Rating


class RatingRepository(Protocol):
    """Every method is one transaction; each may raise TransientError. Ratings go with their job, or their session."""

    def put(self, rating: Rating, *, most_listeners: int | None = None) -> tuple[Rating, bool]:
        """Keeps a rating, and tells it as kept and whether it is new: else an earlier one of the same listener was
        changed, which keeps its id and `created_at`.

        Raises NotFoundError when the job or the session is not there, and IllegalMoveError for a listener who is new to
        a session that has `most_listeners` already. New ones at the same moment may exceed that; all of them stay.
        """

    def page(self, job_id: str, *, listener: str | None, limit: int, before_id: str | None) -> list[Rating]:
        """At most `limit` ratings of the job, newest first (ids are UUIDv7), older than `before_id` only."""

    def delete(self, job_id: str, *, output: str, listener: str, session_id: str | None) -> None:
        """Raises NotFoundError."""

    def of_listener(self, session_id: str, listener: str) -> list[Rating]:
        """What one said in a session, in no particular order."""

    def progress(self, session_ids: Collection[str]) -> Mapping[str, Sequence[ListenerProgress]]:
        """Who rated how much in each of these sessions, by name. Sessions that nobody rated in are left out."""

    def of_session(self, session_id: str) -> list[Rating]:
        """All that was said in a session, by job, output and listener."""

    def of_owner(self, whose: str | Everybody | None, *, limit: int) -> list[Rating]:
        """The newest `limit` ratings of an owner's jobs (None: of nobody's), in sessions and out of them."""

    def with_versions(self, ratings: Sequence[Rating]) -> list[RatedPiece]:
        """Each with what made its piece, in the same order, without those whose job has gone since. A job is read once,
        however many ratings it has.
        """


class ListeningSessionRepository(Protocol):
    """Every method is one transaction; each may raise TransientError. An item goes with its job."""

    def add(self, session: ListeningSession, *, token_hash: str) -> None:
        """Raises NotFoundError when one of the jobs is not there any more."""

    def get(self, session_id: str) -> ListeningSession:
        """Raises NotFoundError."""

    def find(self, token_hash: str) -> ListeningSession | None:
        """The session with this link, open or closed."""

    def page(
        self, *, whose: str | Everybody | None, limit: int, before_id: str | None
    ) -> list[ListeningSession]:
        """At most `limit` sessions of an owner (None: of nobody's), newest first (ids are UUIDv7), older than
        `before_id` only.
        """

    def close(self, session_id: str, now: datetime) -> ListeningSession:
        """It ends `now`; one that has ended keeps its end. Raises NotFoundError."""

    def delete(self, session_id: str) -> None:
        """Its ratings go with it. Raises NotFoundError."""
