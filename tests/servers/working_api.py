"""The API on fakes behind a real socket, and somebody who does its jobs at once: no music, but every status."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog
from samples.api import Api, api_on_fakes

from scenescore_shared.jobs import Job
from scenescore_shared.ports import Everybody
from servers.in_thread import served


@dataclass
class WorkingApi:
    api: Api
    url: str
    held: threading.Event = field(default_factory=threading.Event)
    """As long as it is set, nobody works."""

    def jobs(self) -> list[Job]:
        """Oldest first."""
        return self.api.jobs.page(whose=Everybody(), status=None, limit=100, before_id=None)[::-1]

    def work(self, ended: threading.Event) -> None:
        while not ended.wait(0.02):
            for job in self.jobs():
                if not job.finished and not self.held.is_set():
                    self.api.advance(job.id, to="succeeded")


def _drop(*_: object) -> NoReturn:
    raise structlog.DropEvent


@contextmanager
def _quiet() -> Iterator[None]:
    """It would log to the output of the command that is tested in the same process."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def working_api(**settings: Any) -> Iterator[WorkingApi]:
    ended = threading.Event()
    # quiet until the server has stopped: it logs a stream when that has ended
    with _quiet(), api_on_fakes(**settings) as api, served(api.app) as port:
        working = WorkingApi(api, f"http://127.0.0.1:{port}")
        worker = threading.Thread(target=working.work, args=(ended,))
        worker.start()
        try:
            yield working
        finally:
            ended.set()
            worker.join()
