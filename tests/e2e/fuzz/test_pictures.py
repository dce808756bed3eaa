"""Mutated pictures against a real stack: `make fuzz PICTURES=10000`. A picture that fails is kept, and named."""

import io
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from samples.client import Client
from samples.hostile_pictures import good_pictures, hostile_pictures
from samples.mutations import mutated
from servers.memory import family, peaks_of
from servers.postgres import Postgres
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Stack, stack_settings

PICTURES = int(os.environ.get("FUZZ_PICTURES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
_AT_ONCE = 4
_COMPOSE = Path(__file__).parents[3] / "docker-compose.yml"
_SERVICES = {"api": "api", "classify": "classifier_worker"}


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis_server: Redis, s3: S3
) -> Iterator[Stack]:
    """Without a composer: what has been classified is deleted."""
    settings = {**stack_settings(postgres, redis_server, s3), "SCENESCORE_CLASSIFIER__THREADS": "1"}
    servers = Stack(tmp_path_factory.mktemp("fuzz"), settings)
    servers.run("scenescore_shared.provision")
    try:
        servers.start("api", "sweeper", "classify")
        yield servers
    finally:
        statuses = servers.stop()
    assert statuses == {"api": -signal.SIGTERM, "sweeper": 0, "classify": 0}


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where inputs that fail are kept."""
    folder = Path(os.environ.get("FUZZ_KEEP", tmp_path_factory.mktemp("failing")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.timeout(0)
def test_no_mutated_picture_hurts_anybody(stack: Stack, failing: Path, say: Callable[[str], None]) -> None:
    others = (picture for picture in hostile_pictures() if "cut off" not in picture.name)
    seeds = [*good_pictures().values(), *(other.data for other in others if len(other.data) < 20_000)]
    before = {name: family(stack.processes[name].pid) for name in _SERVICES}
    limits = _memory_limits()
    began = time.monotonic()
    with (
        closing(Client(stack.url)) as client,
        peaks_of({name: stack.processes[name].pid for name in _SERVICES}) as peaks,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        answers = Counter(
            pool.map(
                lambda number: _try(client, mutated(seeds, number, run=SEED), number, failing),
                range(PICTURES),
            )
        )
    seconds = time.monotonic() - began
    figures = {"seed": SEED, "seconds": round(seconds, 1), "peaks": peaks, "answers": dict(answers)}
    say(f"fuzzed pictures: {json.dumps(figures)}")
    assert not any(failing.iterdir()), f"see {failing}"
    assert sum(answers.values()) == PICTURES
    assert answers["classified"] > 0
    assert len(answers) > 2
    assert {name: family(stack.processes[name].pid) for name in _SERVICES} == before
    for name, peak in peaks.items():
        assert 0 < peak < limits[name], name
    with closing(Client(stack.url)) as client:
        assert 'status="500"' not in client.http.get("/metrics").text


def _try(client: Client, picture: bytes, number: int, failing: Path) -> str:
    """The refusal's code, or how an accepted job went on. What goes wrong is kept with its picture."""
    answer = client.http.post("/v1/jobs", files={"image": ("p.bin", io.BytesIO(picture))})
    if answer.status_code == 202:
        job = answer.json()["id"]
        outcome = _classified(client, job)
        client.http.delete(f"/v1/jobs/{job}")
        good = outcome == "classified"
    else:
        outcome = answer.json().get("code", "none") if answer.content.startswith(b"{") else "none"
        good = (
            400 <= answer.status_code < 500
            and answer.headers["Content-Type"] == "application/problem+json"
            and answer.json()["detail"].endswith(".")
        )
    if not good:
        (failing / f"{SEED}-{number}.bin").write_bytes(picture)
        (failing / f"{SEED}-{number}.txt").write_text(f"{outcome}\n{answer.status_code} {answer.text}")
    return outcome


def _classified(client: Client, job: str) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        now = client.job(job)
        if now["emotions"] is not None:
            return "classified"
        if now["error"] is not None:
            return f"failed: {now['error']['code']}"
        time.sleep(0.02)
    return "never classified"


def _memory_limits() -> dict[str, int]:
    """What docker-compose.yml gives each service, in bytes."""
    services = yaml.safe_load(_COMPOSE.read_text())["services"]
    units = {"M": 2**20, "G": 2**30}
    limits = {}
    for name, service in _SERVICES.items():
        memory = services[service]["deploy"]["resources"]["limits"]["memory"]
        limits[name] = int(memory[:-1]) * units[memory[-1]]
    return limits
