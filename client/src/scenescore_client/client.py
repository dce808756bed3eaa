"""The client: one object for one server."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx2

from scenescore_client import files
from scenescore_client.connection import Connection
from scenescore_client.errors import NotFoundError, UnexpectedAnswerError, UsageError
from scenescore_client.following import Follower
from scenescore_client.jobs import Capabilities, Job, Options, Output, Progress
from scenescore_client.retrying import Retrying, RetryPolicy

_JOBS = "/v1/jobs"
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")

Told = TypeVar("Told")


class Scenescore:
    """A Scenescore server. `with Scenescore("https://scenescore.example", key) as scenescore: …`

    Not for several threads at once. `timeout` is how many seconds an answer may let us wait; what fails is tried
    again as `retries` says. Raises UsageError for an address or a key that can't be one.

    Every method raises ConnectionFailedError when the server does not answer, and a ProblemError when it refuses.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
        retries: Retrying | RetryPolicy | None = None,
    ) -> None:
        self._connection = Connection(url, key, timeout=timeout, transport=transport)
        self._retrying = (
            retries if isinstance(retries, Retrying) else Retrying(policy=retries or RetryPolicy())
        )

    def __repr__(self) -> str:
        return f"Scenescore({self._connection.server!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def submit(
        self,
        picture: bytes | str | PathLike[str] | None,
        options: Options | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Job:
        """A new job. `picture` is a file's path or its bytes; None where the options tell the `emotions`.

        However often it has to be sent, the server makes one job of it: by an idempotency key, which is new for each
        call unless you give yours. Raises OSError when the picture can't be read.
        """
        form: dict[str, Any] = {"options": (None, _as_json(options or {}), "application/json")}
        if picture is not None:
            data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
            # the file's own name is nobody's business
            form["image"] = ("picture", data)
        headers = {"Idempotency-Key": _checked(idempotency_key or str(uuid4()))}
        return self._retrying.call(lambda: self._job("POST", _JOBS, files=form, headers=headers)[0])

    def get(self, job: Job | str) -> Job:
        """The job as it is now."""
        return self._look(_path(job))[0]

    def list(self, *, status: str | None = None, page_size: int = 100) -> Iterator[Job]:
        """Your jobs, newest first, asked for page by page as you go on."""
        query: dict[str, str | int] = {"page_size": page_size} | ({"status": status} if status else {})
        token: str | None = None
        while True:
            asked = query | ({"page_token": token} if token else {})
            jobs, token = self._retrying.call(lambda asked=asked: self._page(asked))  # type: ignore[misc] # mypy infers no lambda with a default
            yield from jobs
            if token is None:
                return

    def cancel(self, job: Job | str) -> Job:
        """Canceled, or about to be. Canceling twice is no error, and so it is retried without an idempotency key.

        Raises ConflictError when the job has ended otherwise.
        """
        path = f"{_path(job)}/cancel"
        return self._retrying.call(lambda: self._job("POST", path)[0])

    def delete(self, job: Job | str) -> None:
        """The job and its files; one that still runs is canceled first."""
        path, sent = _path(job), 0

        def attempt() -> None:
            nonlocal sent
            sent += 1
            try:
                self._connection.json("DELETE", path)
            except NotFoundError:
                # the try before, whose answer was lost, has done it
                if sent == 1:
                    raise

        self._retrying.call(attempt)

    def wait(
        self,
        job: Job | str,
        on_progress: Callable[[Progress], None] | None = None,
        *,
        timeout: float | None = None,
    ) -> Job:
        """The job once it has ended, well or not. `on_progress` hears of each change.

        Raises WaitTimeoutError after `timeout` seconds, without a doing to the job.
        """
        path = _path(job)
        deadline = None if timeout is None else self._retrying.clock() + timeout
        return Follower(
            job_id=_id(job),
            path=f"{path}/events",
            connection=self._connection,
            retrying=self._retrying,
            look=lambda: self._look(path),
            on_progress=on_progress,
            deadline=deadline,
        ).until_ended()

    def output(self, job: Job, name: str) -> bytes:
        """A file that the job made, checked against its SHA-256.

        Raises UsageError for one that `job` does not have, DamagedFileError, StoreFailedError.
        """
        (output,) = _chosen(job, [name])
        return self._retrying.call(lambda: b"".join(self._chunks(job, output)))

    def download(
        self,
        job: Job,
        folder: str | PathLike[str],
        *,
        only: Collection[str] | None = None,
        overwrite: bool = False,
    ) -> dict[str, Path]:
        """Saves the job's files, or those of the names in `only`, in a folder that is there; returns where, by name.
        One that a download before this has saved there, by its SHA-256, is not fetched again.

        Raises as `output`, OSError, UnsafeNameError for a name that is no plain file name, and FileThereError before
        anything is fetched.
        """
        chosen = _chosen(job, only)
        places = {output.name: Path(folder) / files.checked_name(output.name) for output in chosen}
        missing = [output for output in chosen if not files.is_there(places[output.name], output)]
        if not overwrite:
            for output in missing:
                files.check_free(places[output.name])
        for output in missing:
            self._save(job, output, places[output.name], overwrite=overwrite)
        return places

    def image(self, job: Job | str) -> bytes:
        """The picture as it is kept: a JPEG, upright and without metadata."""
        path = f"{_path(job)}/image"

        def attempt() -> bytes:
            with self._connection.file(path) as response:
                return response.read()

        return self._retrying.call(attempt)

    def capabilities(self) -> Capabilities:
        """What the server takes and gives."""

        def attempt() -> Capabilities:
            return self._parsed(Capabilities.parse, self._connection.json("GET", "/v1/capabilities")[0])

        return self._retrying.call(attempt)

    def _look(self, path: str) -> tuple[Job, httpx2.Response]:
        return self._retrying.call(lambda: self._job("GET", path))

    def _job(self, method: str, path: str, **request: Any) -> tuple[Job, httpx2.Response]:
        told, response = self._connection.json(method, path, **request)
        return self._parsed(Job.parse, told), response

    def _page(self, query: Mapping[str, str | int]) -> tuple[Sequence[Job], str | None]:
        told, _ = self._connection.json("GET", _JOBS, params=query)
        return self._parsed(_page_of, told)

    def _save(self, job: Job, output: Output, place: Path, *, overwrite: bool) -> None:
        def attempt() -> None:
            files.write_whole(self._chunks(job, output), place, overwrite=overwrite)

        self._retrying.call(attempt)

    def _chunks(self, job: Job, output: Output) -> Iterator[bytes]:
        with self._connection.file(f"{_path(job)}/outputs/{quote(output.name, safe='')}") as response:
            yield from files.verified(response.iter_bytes(), output)

    def _parsed(self, parse: Callable[[Any], Told], told: Any) -> Told:
        try:
            return parse(told)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UnexpectedAnswerError(
                f"What {self._connection.server} answers is not as Scenescore's API has it."
            ) from error


def _id(job: Job | str) -> str:
    """Raises UsageError for what can't be a job's id, and might lead to another path."""
    text = job.id if isinstance(job, Job) else job
    try:
        return str(UUID(text))
    except ValueError:
        raise UsageError(f"{text[:64]!r} is no job's id.") from None


def _checked(idempotency_key: str) -> str:
    if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise UsageError("An idempotency key is 1 to 255 visible ASCII characters, such as a UUID.")
    return idempotency_key


def _page_of(told: Mapping[str, Any]) -> tuple[Sequence[Job], str | None]:
    """The jobs, and the token of the next page. Raises as `Job.parse` does."""
    return [Job.parse(job) for job in told["data"]], told.get("next_page_token")


def _path(job: Job | str) -> str:
    return f"{_JOBS}/{_id(job)}"


def _chosen(job: Job, names: Collection[str] | None) -> list[Output]:
    """The job's outputs of these names, or all. Raises UsageError when one is not there."""
    there = {output.name: output for output in job.outputs}
    wanted = list(there) if names is None else list(dict.fromkeys(names))
    if missing := [name for name in wanted if name not in there]:
        raise UsageError(
            f"Job {job.id} has no {', '.join(missing)}; it has: {', '.join(there) or 'nothing yet'}."
        )
    return [there[name] for name in wanted]


def _as_json(options: Options) -> str:
    """Raises UsageError for what JSON can't say."""
    try:
        return json.dumps(options, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"These options are no JSON: {error}.") from None
