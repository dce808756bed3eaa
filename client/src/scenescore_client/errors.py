"""What a client's user can run into. Each message is a sentence that says what to do, and holds no secret."""

from dataclasses import dataclass


class ScenescoreError(Exception):
    """Base of all. `transient`: the same again may go well, after `retry_after` seconds where the server said so."""

    transient = False
    retry_after: float | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(ScenescoreError):
    """What was asked for can't be done at all: nothing was sent."""


class ConnectionFailedError(ScenescoreError):
    """No answer, or none to its end."""

    transient = True


class UntrustedServerError(ScenescoreError):
    """The server's TLS certificate is not one to trust."""


class UnexpectedAnswerError(ScenescoreError):
    """An answer that is none of Scenescore's."""


class StoreFailedError(ScenescoreError):
    """The object store that the server sent us to did not hand the file out."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


class DamagedFileError(ScenescoreError):
    """The bytes that came are not those that the job names."""


class UnsafeNameError(ScenescoreError):
    """The server named a file as no file may be named here."""


class FileThereError(ScenescoreError):
    """A file would be overwritten, which nobody asked for."""


class WaitTimeoutError(ScenescoreError):
    """The job has not ended in the time that it was waited for; it goes on."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field of the request that is wrong, such as `options.seconds`."""

    field: str
    message: str


class ProblemError(ScenescoreError):
    """The server refused, by a problem document (RFC 9457). `code` is stable, `detail` says what to do."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        code: str,
        errors: tuple[FieldError, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        transient: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.transient = transient


class NotAuthenticatedError(ProblemError):
    """401: a key is needed, or this one is not known."""


class NotAllowedError(ProblemError):
    """403: the key is good, but not for this."""


class NotFoundError(ProblemError):
    """404: no such job or file, or it is somebody else's."""


class ConflictError(ProblemError):
    """409: the job has already ended."""


class ExpiredError(ProblemError):
    """410: the job's files have gone."""


class PictureRefusedError(ProblemError):
    """413 or 415: too large, or no picture of a kind that is taken."""


class InvalidRequestError(ProblemError):
    """400 or 422: an option is wrong, or the picture is damaged. `errors` names the fields where known."""


class TooManyRequestsError(ProblemError):
    """429: a limit or a quota is used up, for `retry_after` seconds."""


class ServerFailedError(ProblemError):
    """5xx: something is wrong on the server's side."""
