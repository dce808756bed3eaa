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
from pathlib import Path
from typing import Any

import pytest
from samples.api import Api, api_on_fakes
from servers.in_thread import served

from scenescore_shared.errors import ScenescoreError
from scenescore_shared.jobs import Status

_HERE = Path(__file__).parent / "schemathesis"
_SEED = os.environ.get("SCHEMATHESIS_SEED", "20260301")
_EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "12")
_METHODS = {"get", "put", "post", "delete", "patch"}


def headers_without_keys(_: Api) -> Mapping[str, str]:
    return {}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("headers_of", [headers_without_keys])
def test_the_api_keeps_what_its_openapi_says(headers_of: Any, tmp_path: Path) -> None:
    with api_on_fakes() as api, served(api.client.app) as port, _workers(api):
        document = api.client.get("/openapi.json").json()
        done = _schemathesis(f"http://127.0.0.1:{port}", headers_of(api), tmp_path)
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
    assert operations - reached == set()
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


@contextmanager
def _workers(api: Api) -> Iterator[None]:
    """Takes two of three jobs on, so that running and finished ones are met, too."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            for job in api.jobs.page(whose=None, status=Status.QUEUED, limit=20, before_id=None):
                # a job may be canceled or deleted meanwhile
                with suppress(ScenescoreError):
                    api.advance(
                        job.id,
                        to="claimed" if int(job.id[:13].replace("-", ""), 16) % 3 == 0 else "succeeded",
                    )

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
