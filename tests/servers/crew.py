"""A stack of which everything can break: two of each process, on servers that nobody else uses."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx2
import psycopg
from psycopg.rows import DictRow
from samples.client import Client
from samples.small import small_options, small_picture

from servers.obedient_worker import Gates
from servers.postgres import Postgres
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Stack
from servers.truth import Truth, named_keys

NAMES = ("api", "api-2", "sweeper", "classify", "classify-2", "compose", "compose-2")
WORKERS = tuple(name for name in NAMES if name.startswith("c"))

Found = TypeVar("Found")


class Crew:
    def __init__(self, stack: Stack, postgres: Postgres, redis: Redis, s3: S3) -> None:
        self.stack = stack
        self.postgres = postgres
        self.redis = redis
        self.s3 = s3
        self.truth = Truth(stack.environment)
        self.gates = Gates(stack.folder)
        self._clients: dict[str, Client] = {}

    def start(self) -> tuple[str, ...]:
        """Returns the names of the APIs."""
        self.stack.start(*NAMES)
        return tuple(name for name in NAMES if name.startswith("api"))

    def mend(self) -> None:
        """Thaws and starts whatever should run, and ends what should not."""
        self.gates.open_all()
        self.redis.thaw()
        self.s3.thaw()
        for server in (self.postgres, self.redis, self.s3):
            if not server.running:
                server.start()
        for process in self.stack.processes.values():
            if process.running:
                process.thaw()
        for name in set(self.stack.processes) - set(NAMES):
            self.stack.end(name)
        if missing := [name for name in NAMES if not self.stack.runs(name)]:
            self.stack.start(*missing)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self.stack.stop()

    def client(self, name: str = "api") -> Client:
        if name not in self._clients:
            self._clients[name] = Client(self.stack.url_of(name))
        return self._clients[name]

    def submit(self, *, picture: bool = False, api: str = "api", **metadata: str) -> str:
        """The id of a small job, which the composer alone works on unless there is a picture."""
        options = small_options(picture=picture, **metadata)
        return str(self.client(api).submit(small_picture() if picture else None, **options)["id"])

    def post(
        self, *, picture: bool = False, api: str = "api", request_id: str | None = None
    ) -> httpx2.Response:
        """The answer to a small submission, whatever it is."""
        files: dict[str, Any] = {"image": ("scene.jpg", small_picture())} if picture else {}
        files["options"] = (None, json.dumps(small_options(picture=picture)))
        headers = {"X-Request-ID": request_id} if request_id else {}
        return self.client(api).http.post("/v1/jobs", files=files, headers=headers)

    def kill_api_before_its_wake_up(self, name: str, request_id: str) -> str | None:
        """Kills an API that has committed a job, has not woken anybody for it and has answered nothing.

        Redis hangs meanwhile, so that the API waits between the two; it is restarted, so that what the API has
        written to its socket is lost. Returns the job's id, or None when the API did not come so far.
        """
        self.redis.freeze()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.post, api=name, request_id=request_id)
            committed = until(lambda: self._asked_for_by(request_id) or answer.done(), seconds=30)
            self.stack.kill(name)
            unanswered = isinstance(answer.exception(), httpx2.TransportError)
        self.redis.kill()
        self.redis.start()
        return str(committed[0]["id"]) if unanswered and isinstance(committed, list) else None

    def _asked_for_by(self, request_id: str) -> list[DictRow]:
        try:
            return self.truth.asked_for_by(request_id)
        except psycopg.OperationalError:
            return []

    def assert_done_once(self, job_id: str, *, attempts: int) -> DictRow:
        """It succeeded, its last event says so and no other, and in the store lies what its row names, no more.

        `attempts` are the last step's. Returns the row.
        """
        job = self.client().wait(job_id)
        row = self.truth.job(job_id)
        assert (row["status"], row["attempts"]) == ("succeeded", attempts), row["error"]
        statuses = self.truth.statuses(job_id)
        assert (statuses[-1], statuses.count("succeeded")) == ("succeeded", 1)
        assert hashlib.sha256(self.client().music(job)).hexdigest() == row["outputs"][0]["sha256"]
        until(lambda: self.truth.keys(job_id) == named_keys(row), seconds=10)
        return row

    def holder(self, job_id: str) -> str:
        """The worker whose child has the job in hand, once one has."""

        def found() -> str | None:
            held = self.gates.holder(job_id)
            running = {name: process for name, process in self.stack.processes.items() if name in WORKERS}
            names = [name for name, process in running.items() if held and held.pid in process.children()]
            return names[0] if names else None

        return until(found)

    def kill_child(self, name: str) -> bool:
        """SIGKILL for the worker's child alone; False where it has none at the moment."""
        children = self.stack.processes[name].children()
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        return bool(children)


def until(look: Callable[[], Found | None], *, seconds: float = 120.0) -> Found:
    """What `look` finds, as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def stands_still(pid: int) -> bool:
    """Whether the process is stopped by SIGSTOP."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - a file of the kernel's
        return file.read().rpartition(")")[2].split()[0] == "T"
