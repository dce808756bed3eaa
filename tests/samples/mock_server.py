"""A server for the client's tests that answers what it is told, and a time that passes when somebody waits."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from scenescore_client import Retrying, RetryPolicy, Scenescore

JOB_ID = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"
JOB_PATH = f"/v1/jobs/{JOB_ID}"
KEY = "scs_0123456789ab_secretsecretsecretsecretsecretsecretsecretsec"
SERVER = "http://scenescore.test:8000"

Behaviour = Callable[[httpx2.Request], httpx2.Response]
Answer = httpx2.Response | Exception | Behaviour


def job_json(**changes: Any) -> dict[str, Any]:
    """A job that has just been accepted, as the API tells it, but for these changes."""
    return {
        "id": JOB_ID,
        "object": "job",
        "status": "queued",
        "step": "classify",
        "progress": 0.0,
        "queue_position": 0,
        "input": {"image": None, "options": {"seconds": 30.0, "variations": 1, "metadata": {}}},
        "emotions": None,
        "outputs": [],
        "music": None,
        "provenance": {},
        "error": None,
        "warnings": [],
        "metrics": {},
        "created_at": "2026-03-01T12:00:00.123456Z",
        "started_at": None,
        "finished_at": None,
        "expires_at": None,
        "links": {"self": JOB_PATH},
        **changes,
    }


def output_json(name: str = "music.mid", data: bytes = b"MThd", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "content_type": "audio/midi",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "url": f"{JOB_PATH}/outputs/{name}",
        **changes,
    }


def job(code: int = 200, /, *, headers: dict[str, str] | None = None, **changes: Any) -> httpx2.Response:
    return httpx2.Response(code, json=job_json(**changes), headers=headers)


def problem(status: int, code: str, detail: str = "No.", **headers: str) -> httpx2.Response:
    told = {"type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(
        status, text=json.dumps(told), headers={"Content-Type": "application/problem+json", **named}
    )


class Chunks(httpx2.SyncByteStream):
    """A body in pieces; an exception among them breaks it off."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def events(*pieces: str | Exception) -> httpx2.Response:
    stream = Chunks(*(piece.encode() if isinstance(piece, str) else piece for piece in pieces))
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=stream)


def event(number: int, **data: Any) -> str:
    return f"id: {number}\ndata: {json.dumps({'step': 'compose', 'progress': 0.0, **data})}\n\n"


@dataclass
class FakeTime:
    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class MockServer:
    """`answers` by method and path, each in turn, the last one from then on; `requests` is what came."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[httpx2.Request] = field(default_factory=list)
    time: FakeTime = field(default_factory=FakeTime)

    def on(self, route: str, *answers: Answer) -> None:
        """`route` such as `GET /v1/jobs`, or with a host of its own, `GET http://store.test/file`."""
        self.answers[route] = list(answers)

    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def client(self, *, key: str | None = KEY, url: str = SERVER, **retries: Any) -> Scenescore:
        retrying = Retrying(
            policy=RetryPolicy(),
            sleep=self.time.sleep,
            clock=lambda: self.time.now,
            luck=lambda: 0.0,
            **retries,
        )
        return Scenescore(url, key, transport=httpx2.MockTransport(self._handle), retries=retrying)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        local = f"{request.method} {request.url.path}"
        whole = f"{request.method} {request.url.copy_with(query=None)}"
        waiting = self.answers.get(whole) or self.answers[local]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else answer(request)
