"""The one error tree. Each error knows a stable code; what a code means over HTTP is the API's business."""

_QUOTA_RETRY_SECONDS = 10
"""About what a job takes: nobody knows when one ends."""


class ScenescoreError(Exception):
    """Base of every error that Scenescore raises on purpose.

    The message is a sentence for the user that says what to do; `code` is stable and for machines.
    """

    code = "internal_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class TransientError(ScenescoreError):
    """Worth another try: a store or a database that did not answer."""

    code = "temporarily_unavailable"


class PermanentError(ScenescoreError):
    """Will fail the same way again: the job ends `failed` at once."""

    code = "job_failed"


class InvalidRequestError(PermanentError):
    """The user asked for something that is not on offer."""

    code = "invalid_request"


class InvalidPictureError(PermanentError):
    """The picture can't be used: its code says which limit it broke."""

    code = "invalid_picture"


class InvalidMidiError(PermanentError):
    """The MIDI file can't be parsed, or holds nothing to learn from."""

    code = "invalid_midi"


class EmptyCorpusError(PermanentError):
    """There is no clip to draw for the emotions asked for."""

    code = "empty_corpus"


class NotFoundError(ScenescoreError):
    """No such job, output or blob."""

    code = "not_found"


class BusyError(ScenescoreError):
    """The server has as much in hand as it takes."""

    code = "busy"


class ExpiredError(ScenescoreError):
    """It was there; its time to be kept is over."""

    code = "expired"


class IllegalMoveError(ScenescoreError):
    """The job's status does not allow this move."""

    code = "illegal_move"


class IdempotencyKeyReusedError(PermanentError):
    """The key came with another request before."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used with another picture or other options in the last 24 hours. "
            "Use a new key for a new request."
        )


class IdempotencyKeyInFlightError(ScenescoreError):
    """The request that came with this key first is still at work."""

    code = "idempotency_key_in_flight"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being worked on. Send it again in a moment.")


class JobInterruptedError(ScenescoreError):
    """The work on one job must end; it says nothing about the others of its batch."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"The work on job {job_id} was interrupted.")
        self.job_id = job_id


class LeaseLostError(JobInterruptedError):
    """Somebody else holds the job now: the writer must drop what it made."""

    code = "lease_lost"


class JobCanceledError(JobInterruptedError):
    """The job's owner canceled it: raised at the next checkpoint."""

    code = "canceled"


class WorkerStoppingError(ScenescoreError):
    """The worker is shutting down: the job is handed back, its attempt not counted."""

    code = "worker_stopping"


class NotAuthenticatedError(ScenescoreError):
    """Nobody knows who asks. `key_sent` tells a wrong key from none."""

    code = "not_authenticated"

    def __init__(self, message: str, *, key_sent: bool) -> None:
        super().__init__(message)
        self.key_sent = key_sent


class NotAllowedError(ScenescoreError):
    """The key is good, but not for this."""

    code = "not_allowed"

    def __init__(self, message: str, *, scope: str) -> None:
        super().__init__(message)
        self.scope = scope


class CrossSiteError(ScenescoreError):
    """A browser sent it, and not from a page of this server's."""

    code = "cross_site"


class TooManyRequestsError(ScenescoreError):
    """Too much at once: fine again in `retry_after` seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QuotaExceededError(TooManyRequestsError):
    """The owner has as many unfinished jobs as one may have."""

    code = "too_many_unfinished_jobs"

    def __init__(self, quota: int) -> None:
        super().__init__(
            f"You have {quota} unfinished jobs, which is the limit. Wait for one to end, or cancel one.",
            retry_after=_QUOTA_RETRY_SECONDS,
        )
