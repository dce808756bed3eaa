"""`submit`: pictures to a server, and their music back."""

import argparse
import json
import os
import shlex
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenescore_client import files
from scenescore_client.arguments import asked_options
from scenescore_client.bar import Bar, note
from scenescore_client.client import Scenescore
from scenescore_client.environment import Environment
from scenescore_client.errors import (
    ConflictError,
    ConnectionFailedError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    ScenescoreError,
    UntrustedServerError,
    UsageError,
)
from scenescore_client.jobs import Job
from scenescore_client.plain import plain
from scenescore_client.report import as_text
from scenescore_client.retrying import Retry, Retrying

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_DEFAULT_SERVER = "http://127.0.0.1:8000"
_AT_ONCE = 4
"""Jobs in the server's hands at a time: enough to keep it at work, and within anybody's quota."""
_FIRST_FILE = "music.mid"
_POINTLESS = (ConnectionFailedError, NotAllowedError, NotAuthenticatedError, UntrustedServerError)
"""What one picture met, all others will."""


def run(arguments: argparse.Namespace, *, program: str) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        environment = Environment.read(os.environ)
        tasks = _tasks(arguments)
        client = Scenescore(
            arguments.server or environment.server or _DEFAULT_SERVER,
            arguments.api_key or environment.key,
            retries=Retrying(told=lambda retry: note(f"{program}: {_trying_again(retry)}")),
        )
    except UsageError as error:
        note(f"{program}: {error.message}")
        return USAGE
    with client:
        return _Submission(client, arguments, program).run(tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A picture to submit (None: a mix alone), or a job that was submitted before; and where its files go."""

    name: str
    folder: Path
    picture: Path | None = None
    job_id: str | None = None


def _tasks(arguments: argparse.Namespace) -> list[_Task]:
    """Raises UsageError for whatever would fail later: so that no work is done for nothing."""
    pictures: Sequence[Path] = arguments.pictures
    folder: Path = arguments.output
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder with -o.")
    if arguments.resume:
        if pictures or arguments.emotions is not None or arguments.no_wait:
            raise UsageError("--resume waits for jobs that are there: it takes no picture, mix or --no-wait.")
        ids = list(dict.fromkeys(arguments.resume))
        tasks = [_Task(name=job, folder=folder / job if len(ids) > 1 else folder, job_id=job) for job in ids]
    elif pictures:
        for picture in pictures:
            if not picture.is_file():
                raise UsageError(f"{picture} is no file.")
        tasks = [
            _Task(name=picture.name, folder=place, picture=picture)
            for picture, place in zip(pictures, _folders(pictures, folder), strict=True)
        ]
    elif arguments.emotions is not None:
        tasks = [_Task(name="your mix", folder=folder)]
    else:
        raise UsageError("name a picture, or give a mix with --emotions")
    if not (arguments.overwrite or arguments.no_wait):
        _check_free(tasks, arguments.only or [_FIRST_FILE])
    return tasks


def _folders(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """The folder itself for one picture; for each of several one of its own, by its name."""
    if len(pictures) == 1:
        return [folder]
    folders: list[Path] = []
    for picture in pictures:
        place, number = folder / picture.stem, 2
        while place in folders:
            place, number = folder / f"{picture.stem}-{number}", number + 1
        folders.append(place)
    return folders


def _check_free(tasks: Iterable[_Task], names: Iterable[str]) -> None:
    try:
        for task in tasks:
            for name in names:
                place = task.folder / files.checked_name(name)
                # of a job that was there before, it may be the file itself: the job will tell
                if task.job_id is None:
                    files.check_free(place)
    except ScenescoreError as error:
        raise UsageError(f"{error.message} (-o, --overwrite)") from None


@dataclass(slots=True)
class _Submission:
    client: Scenescore
    arguments: argparse.Namespace
    program: str
    failed: bool = False
    sending: str | None = None
    """Of which nobody knows yet whether it has become a job."""
    waiting: deque[tuple[_Task, str]] = field(default_factory=deque)
    """What the server has in hand, and the job's id of each."""

    def run(self, tasks: Sequence[_Task]) -> int:
        try:
            for task in tasks:
                if task.job_id is None and len(self.waiting) >= _AT_ONCE:
                    self._finish_first()
                self._begin(task)
            while self.waiting:
                self._finish_first()
        except KeyboardInterrupt:
            self._interrupted()
            return INTERRUPTED
        except ScenescoreError as error:
            self._complain(error.message)
            if isinstance(error, NotAuthenticatedError):
                self._complain("Give your key in SCENESCORE_CLIENT__KEY, or with --key.")
            self._say_how_to_go_on()
            return FAILED
        return FAILED if self.failed else DONE

    def _begin(self, task: _Task) -> None:
        if task.job_id is not None:
            self.waiting.append((task, task.job_id))
            return
        self.sending = task.name
        try:
            job = self.client.submit(task.picture, asked_options(self.arguments))
        except (ScenescoreError, OSError) as error:
            self.sending = None
            if isinstance(error, _POINTLESS):
                raise
            self._give_up(task.name, error)
            return
        self.sending = None
        if self.arguments.no_wait:
            self._print(_as_json(task, job, {}) if self.arguments.json else f"{job.id}\n")
        else:
            self.waiting.append((task, job.id))

    def _finish_first(self) -> None:
        task, job_id = self.waiting[0]
        try:
            with Bar(task.name) as bar:
                job = self.client.wait(job_id, bar.show)
            self._keep(task, job)
        except _POINTLESS:
            raise
        except (ScenescoreError, OSError) as error:
            self._give_up(f"{task.name}, job {job_id}", error)
        self.waiting.popleft()

    def _keep(self, task: _Task, job: Job) -> None:
        written: dict[str, Path] = {}
        try:
            if job.succeeded:
                task.folder.mkdir(parents=True, exist_ok=True)
                written = self.client.download(
                    job, task.folder, only=self.arguments.only, overwrite=self.arguments.overwrite
                )
        finally:
            for warning in job.warnings:
                self._complain(f"{task.name}: {warning.message}")
        if self.arguments.json:
            self._print(_as_json(task, job, written))
        elif job.succeeded:
            # of one alone everybody knows what it is
            head = f"{plain(task.name)}\n" if task.folder != self.arguments.output else ""
            self._print(head + as_text(job.emotions, job.music, job.provenance, written))
        if not job.succeeded:
            self.failed = True
            self._complain(f"{task.name}: {_end(job)}")

    def _give_up(self, what: str, error: ScenescoreError | OSError) -> None:
        self.failed = True
        self._complain(f"{what}: {error.message if isinstance(error, ScenescoreError) else _os_error(error)}")

    def _interrupted(self) -> None:
        self._complain("interrupted")
        if self.sending is not None:
            self._complain(f"{self.sending} was being sent: it may have become a job all the same.")
        try:
            if self.waiting and (self.arguments.cancel_on_interrupt or _wants_to_cancel(len(self.waiting))):
                self._cancel()
        except KeyboardInterrupt:
            note("")
        except ScenescoreError as error:
            self._complain(error.message)
        self._say_how_to_go_on()

    def _cancel(self) -> None:
        """What has ended meanwhile stays to be fetched, and keeps no other from being canceled."""
        for task, job_id in list(self.waiting):
            try:
                self.client.cancel(job_id)
            except ConflictError as error:
                self._complain(f"{task.name}, job {job_id}: {error.message}")
                continue
            except NotFoundError as error:
                self._complain(f"{task.name}, job {job_id}: {error.message}")
            else:
                self._complain(f"{task.name}: canceled")
            self.waiting.remove((task, job_id))

    def _say_how_to_go_on(self) -> None:
        if not self.waiting:
            return
        asked = self.arguments
        words = [*self.program.split(), "submit", "--resume", *(job_id for _, job_id in self.waiting)]
        if asked.server:
            words += ["--server", asked.server]
        # one alone goes on where its files are by now
        folder = self.waiting[0][0].folder if len(self.waiting) == 1 else asked.output
        if folder != Path():
            words += ["-o", str(folder)]
        for name in asked.only or ():
            words += ["--only", name]
        flags = {"--overwrite": asked.overwrite, "--json": asked.json}
        words += [flag for flag, given in flags.items() if given]
        self._complain(f"what is not saved yet is still there; wait for it again with: {shlex.join(words)}")

    def _print(self, text: str) -> None:
        # what an output of few letters lacks, such as the bars' blocks, becomes question marks
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding))
        sys.stdout.flush()

    def _complain(self, message: str) -> None:
        note(f"{self.program}: {message}")


def _os_error(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"


def _wants_to_cancel(jobs: int) -> bool:
    """Asked where somebody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"Cancel {'the job' if jobs == 1 else f'{jobs} jobs'} on the server, too? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _end(job: Job) -> str:
    """How a job ended that did not succeed."""
    if job.error is not None:
        return f"{job.error.message} ({job.error.code})"
    return {"canceled": "the job was canceled", "expired": "the job's files have gone"}.get(
        job.status, f"the job is {job.status}"
    )


def _trying_again(retry: Retry) -> str:
    return f"{retry.error.message} Trying again in {retry.seconds:.0f} s."


def _as_json(task: _Task, job: Job, written: dict[str, Path]) -> str:
    """The job as the server tells it, and ours: which picture it was, and where its files are."""
    ours = {
        "picture": str(task.picture) if task.picture else None,
        "files": {name: str(place) for name, place in written.items()},
    }
    # in ASCII: a file's name may be bytes that no encoding has, and those come back from their escapes
    return json.dumps({**job.raw, **ours}) + "\n"
