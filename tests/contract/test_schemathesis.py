"""Schemathesis drives all of OpenAPI: examples, edge cases, random data, and ways along the links.

It runs by its command, since it has its own ideas about warnings and about what a test is.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from samples.api import Api, api_on_fakes, bearer
from samples.jobs import OUTPUT, PICTURE, queued, succeeded
from samples.listening import HEARD_JOB, HEARD_SESSION, TOKEN, rating, session
from samples.pictures import jpeg
from servers.in_thread import served

from scenescore_api.ratings.schemas import ITEM_EXAMPLE, JOB_EXAMPLE, SESSION_EXAMPLE, TOKEN_EXAMPLE
from scenescore_shared.api_keys import hash_of
from scenescore_shared.blob_keys import output_key, picture_key
from scenescore_shared.errors import ScenescoreError
from scenescore_shared.jobs import Job, Status
from scenescore_shared.listening import ListeningItem, ListeningSession
from scenescore_shared.moves import cancel_now
from scenescore_shared.ports import Everybody
from scenescore_shared.webhooks import deliveries_of

_HERE = Path(__file__).parent / "schemathesis"
_SEED = os.environ.get("SCHEMATHESIS_SEED", "20260301")
_EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "12")
_EXAMPLE = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"
"""OpenAPI's example of an id: that job is canceled and may be so again, so that there always is such a one."""
_TURNS_WITHOUT = 20
_METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("with_keys", [False, True])
def test_the_api_keeps_what_its_openapi_says(tmp_path: Path, *, with_keys: bool) -> None:
    # limits are tried elsewhere: here they would hide what lies behind them
    unlimited = {"requests": 0, "submissions": 0, "unfinished_jobs": 0, "listening": 0}
    with api_on_fakes(require_keys=with_keys, limits=unlimited) as api, served(api.client.app) as port:
        document = api.client.get("/openapi.json").json()
        headers = bearer(api.key(scopes="jobs,admin")) if with_keys else {}
        _add_a_delivery(api, document, headers)
        with _workers(api):
            done = _schemathesis(f"http://127.0.0.1:{port}", headers, tmp_path)
    assert done.returncode == 0, done.stdout[-12_000:]
    report = json.loads((tmp_path / "report.json").read_text())
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in _METHODS
    }
    assert report["complete"]
    assert report["operations"]["tested"] == report["operations"]["total"] == len(operations)
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(
        ("examples", "coverage", "fuzzing", "stateful"), "success"
    )
    # every operation was reached with something that it took
    reached = {
        name
        for name, phases in report["valid_rates"].items()
        if sum(phase["accepted"] for phase in phases.values()) > 0
    }
    # a session is made of a key, and the client has none where none is needed
    shut = [] if with_keys else ["POST /v1/session"]
    assert operations - reached == set(shut)
    assert report["warnings"].pop("missing_auth") == shut
    assert not any(report["warnings"].values()), report["warnings"]


def _schemathesis(url: str, headers: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file"),
        *(str(_HERE / "schemathesis.toml"), "run", f"{url}/openapi.json", "--seed", _SEED),
        *("--max-examples", _EXAMPLES, "--generation-database", "none", "--no-color"),
        *("--report", "json", "--report-json-path", str(folder / "report.json")),
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
    ]
    paths = os.pathsep.join([*sys.path, str(_HERE), str(_HERE.parents[1])])
    environment = {**os.environ, "PYTHONPATH": paths, "SCHEMATHESIS_HOOKS": "hooks"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=500
    )


def _add_a_delivery(api: Api, document: Any, headers: Mapping[str, str]) -> None:
    """A message that was delivered, under the id that OpenAPI gives as an example: none leads from a new job to one."""
    (path,) = (path for path in document["paths"] if "{delivery_id}" in path)
    (parameter,) = document["paths"][path]["post"]["parameters"]
    assert api.client.post("/v1/webhooks/secrets", headers=headers).is_success
    submitted = api.client.post("/v1/jobs", files={"image": ("p.jpg", jpeg())}, headers=headers)
    job = replace(api.jobs.get(submitted.json()["id"]), options={"webhook_url": "https://example.com/"})
    (delivery,) = deliveries_of(
        job, cancel_now(job, now=api.clock.now()), new_id=lambda: parameter["schema"]["examples"][0]
    )
    api.jobs.deliveries.insert([delivery])


@contextmanager
def _workers(api: Api) -> Iterator[None]:
    """Takes two of three jobs to their end at once and one later, so that running and finished ones are met, too."""
    ended = threading.Event()

    def work() -> None:
        lacking = 0
        for turn in count():
            if ended.wait(0.05):
                return
            # not at once: what was deleted must not be there when it is asked for again
            lacking = 0 if _has_the_examples(api) else lacking + 1
            if lacking > _TURNS_WITHOUT:
                _add_the_examples(api)
            for job in _jobs(api, Status.QUEUED):
                _advance(
                    api, job, "claimed" if int(job.id[:13].replace("-", ""), 16) % 3 == 0 else "succeeded"
                )
            for job in _jobs(api, Status.RUNNING) if turn % 75 == 0 else ():
                # else whoever follows it would wait for ever
                _advance(api, job, "succeeded")

    _add_the_examples(api)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _has_the_examples(api: Api) -> bool:
    sessions = (_open_session(api, token) for token in (TOKEN, TOKEN_EXAMPLE))
    return (
        len(api.jobs.seqs([_EXAMPLE, JOB_EXAMPLE, HEARD_JOB])) == 3
        and all(found is not None and found.items for found in sessions)
        and bool(api.jobs.ratings.page(JOB_EXAMPLE, listener="ann", limit=1, before_id=None))
    )


def _add_the_examples(api: Api) -> None:
    """Under OpenAPI's examples of ids: a canceled job; one with music, which is rated; a listening session. What the
    example of a link leads to has ids of its own, so that deleting the other examples leaves it there to be rated.
    """
    if not api.jobs.seqs([_EXAMPLE]):
        api.jobs.add(cancel_now(replace(queued(), id=_EXAMPLE), now=api.clock.now()))
    for job_id in (JOB_EXAMPLE, HEARD_JOB):
        if not api.jobs.seqs([job_id]):
            _add_music(api, job_id)
    _add_session(api, SESSION_EXAMPLE, TOKEN, ListeningItem(id="item", job_id=JOB_EXAMPLE))
    _add_session(api, HEARD_SESSION, TOKEN_EXAMPLE, ListeningItem(id=ITEM_EXAMPLE, job_id=HEARD_JOB))
    if not api.jobs.ratings.page(JOB_EXAMPLE, listener="ann", limit=1, before_id=None):
        api.jobs.ratings.put(replace(rating(), job_id=JOB_EXAMPLE))


def _add_music(api: Api, job_id: str) -> None:
    picture = replace(PICTURE, blob_key=picture_key(job_id))
    output = replace(OUTPUT, blob_key=output_key(job_id, "t", OUTPUT.name))
    api.blobs.put(picture.blob_key, jpeg(), "image/jpeg")
    api.blobs.put(output.blob_key, b"MThd-music", output.content_type)
    made = succeeded(replace(queued(), id=job_id, picture=picture))
    api.jobs.add(replace(made, outputs=(output,)))


def _add_session(api: Api, session_id: str, token: str, item: ListeningItem) -> None:
    """Where it is not there, is over, or has lost its piece with the piece's job."""
    sessions = api.jobs.ratings.sessions
    if (found := _open_session(api, token)) is not None and found.items:
        return
    if (over := sessions.find(hash_of(token))) is not None:
        sessions.delete(over.id)
    sessions.add(replace(session(), id=session_id, items=(item,)), token_hash=hash_of(token))


def _open_session(api: Api, token: str) -> ListeningSession | None:
    found = api.jobs.ratings.sessions.find(hash_of(token))
    return found if found is not None and found.is_open(api.clock.now()) else None


def _jobs(api: Api, status: Status) -> list[Job]:
    return api.jobs.page(whose=Everybody(), status=status, limit=50, before_id=None)


def _advance(api: Api, job: Job, to: str) -> None:
    # it may be canceled or deleted meanwhile
    with suppress(ScenescoreError):
        api.advance(job.id, to=to)
