"""Claims and reads with a long history and a long queue, beside those without: `make bench`.

Two databases in one private PostgreSQL whose commits reach the disk. The bare one holds only the jobs that are
claimed and read, the full one a million ended jobs and a hundred thousand waiting ones besides. Claims are a
worker's own, of one job and of sixteen at a time; reads are `GET /v1/jobs/{id}` over HTTP, of one API process for
each database, in turn.
"""

import http.client
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from machine import machine, postgres_version
from servers.scenescore import Stack, stack_settings
from servers_of_a_run import Servers, running_servers

from scenescore_api.queue_places import MAX_QUEUE_POSITION
from scenescore_shared import moves
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.adapters.sql.jobs import SqlJobRepository
from scenescore_shared.jobs import Job, LeasePolicy, Status, Step
from scenescore_shared.ports import Everybody
from scenescore_shared.wiring import build_job_repository

if TYPE_CHECKING:
    from collections.abc import Callable

ENDED = 1_000_000
WAITING = 100_000
CLAIMABLE = 4_000
"""Waiting jobs of the bare database: what the rounds claim and read, and some."""

WORKERS = 4
ROUNDS = 5
CLAIMS = 240
READS = 400
HEARTBEATS = 50_000
POLICY = LeasePolicy(seconds=3600, max_attempts=3)

_FILL = """
INSERT INTO jobs (id, status, step, due_at, next_attempt_at, created_at, updated_at, request_id, owner, progress,
    attempts, cancel_requested, options, picture, emotions, outputs, music, provenance, step_seconds, started_at,
    finished_at, seq)
SELECT id, CASE WHEN ended THEN 'succeeded' ELSE 'queued' END, CASE WHEN ended THEN NULL ELSE 'classify' END,
    CASE WHEN ended THEN NULL ELSE at END, CASE WHEN ended THEN NULL ELSE at END, at, at, md5(number::text),
    'owner-' || number %% 100, ended::int, ended::int, false,
    '{"seconds": 30.0, "metadata": {}}',
    json_build_object('sha256', md5(number::text) || md5(number::text), 'content_type', 'image/jpeg',
        'width', 640, 'height', 427, 'bytes', 73512, 'blob_key', 'jobs/' || id || '/picture.jpg'),
    CASE WHEN ended THEN '{"happy": 0.71, "angry": 0.08, "sad": 0.21}'::json END,
    CASE WHEN ended THEN json_build_array(json_build_object('name', 'music.mid', 'content_type', 'audio/midi',
        'bytes', 2413, 'sha256', md5(number::text) || md5(number::text),
        'blob_key', 'jobs/' || id || '/outputs/' || md5(id::text) || '/music.mid')) ELSE '[]'::json END,
    CASE WHEN ended THEN '{"seconds": 30.0, "tempo_bpm": 96, "key": "A minor", "notes": 180}'::json END,
    CASE WHEN ended THEN '{"seed": 7, "classifier": "thesis-relu@1c0ffee0", "composer": "lstm-remi@1"}'::json
        ELSE '{}'::json END,
    CASE WHEN ended THEN '{"classify": 0.1, "compose": 9.5}'::json ELSE '{}'::json END,
    CASE WHEN ended THEN at END, CASE WHEN ended THEN at END, 1
FROM (
    SELECT number, ended, now() - make_interval(secs => (total - number) * 0.1) AS at,
        (lpad(to_hex(number + 1700000000000), 12, '0') || '7' || substr(md5(number::text), 1, 3) || '8'
            || substr(md5(number::text), 4, 15))::uuid AS id
    FROM (
        SELECT number, number <= %(ended)s AS ended, %(ended)s + %(waiting)s AS total
        FROM generate_series(1, %(ended)s + %(waiting)s) AS number
    ) AS numbers
) AS made
"""
_TAKE_BACK = """
UPDATE jobs SET status = 'queued', lease_token = NULL, lease_expires_at = NULL, due_at = created_at,
    next_attempt_at = created_at, attempts = 0, started_at = NULL, step_started_at = NULL
WHERE lease_token IS NOT NULL
"""
_EVENTS = """
INSERT INTO job_events (job_id, seq, at, data)
SELECT id, 1, created_at, json_build_object('status', status, 'step', step, 'progress', progress) FROM jobs
"""


@dataclass
class Side:
    """One database, the API on it, and what was measured there."""

    name: str
    stack: Stack
    url: str
    repository: SqlJobRepository
    rates: dict[str, list[float]] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def conninfo(self) -> str:
        return self.url.replace("+psycopg", "", 1)

    def fill(self, *, ended: int, waiting: int) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(_FILL, {"ended": ended, "waiting": waiting})
            connection.execute(_EVENTS)
            connection.execute("VACUUM ANALYZE jobs")
            connection.execute("VACUUM ANALYZE job_events")

    def take_back_claims(self) -> None:
        with psycopg.connect(self.conninfo) as connection:
            connection.execute(_TAKE_BACK)

    def job(self, status: Status, *, newest: bool = True) -> str:
        """The id of the newest job of that status, or of the oldest."""
        order = "DESC" if newest else "ASC"
        with psycopg.connect(self.conninfo) as connection:
            row = connection.execute(
                f"SELECT id FROM jobs WHERE status = %s ORDER BY id {order} LIMIT 1",  # noqa: S608 - one of the two words above
                [status],
            ).fetchone()
        if row is None:
            raise RuntimeError(f"there is no job that is {status}")
        return str(row[0])


def _side(name: str, servers: Servers, until: ExitStack) -> Side:
    folder = servers.folder / name
    folder.mkdir()
    settings = stack_settings(servers.postgres, servers.redis, servers.s3)
    stack = Stack(folder, settings)
    stack.run("scenescore_shared.provision")
    url = settings["SCENESCORE_DATABASE__URL"]
    engine = make_engine(url, application="bench")
    until.callback(engine.dispose)
    return Side(name=name, stack=stack, url=url, repository=build_job_repository(engine))


def in_turn(bare: Side, full: Side, when: str) -> None:
    """Each figure of both sides, a round of one beside a round of the other, and their ratio."""
    for side in (bare, full):
        side.rates, side.milliseconds = {}, {}
    waiting = {side.name: side.job(Status.QUEUED) for side in (bare, full)}
    ended = {side.name: side.job(Status.SUCCEEDED, newest=False) for side in (bare, full)}
    for number in range(ROUNDS + 1):
        for side in (bare, full) if number % 2 else (full, bare):
            for limit in (1, 16):
                rate = claims(side, limit)
                side.rates.setdefault(f"claims of {limit}", []).append(rate)
            for what, job_id in (("waiting job", waiting[side.name]), ("ended job", ended[side.name])):
                side.milliseconds.setdefault(what, []).extend(reads(side.stack.url, job_id) if number else [])
    print(f"\n{when}: {WORKERS} workers, {ROUNDS} rounds in turn")
    for name in bare.rates:
        # the first round was the warm-up
        slow, fast = full.rates[name][1:], bare.rates[name][1:]
        ratio = statistics.median(a / b for a, b in zip(slow, fast, strict=True))
        print(
            f"{name:20} full {statistics.median(slow):7.0f} a second   "
            f"bare {statistics.median(fast):7.0f}   ratio {ratio:.2f}"
        )
    for name in bare.milliseconds:
        for percent in (50, 99):
            slow_ms, fast_ms = (
                statistics.quantiles(side.milliseconds[name], n=100)[percent - 1] for side in (full, bare)
            )
            print(
                f"GET {name:11} p{percent}  full {slow_ms:7.2f} ms         "
                f"bare {fast_ms:7.2f}   ratio {fast_ms / slow_ms:.2f}"
            )


def claims(side: Side, limit: int) -> float:
    """Jobs claimed a second. What was claimed is handed back, out of the measured time, to be claimed again."""

    def work(_: int) -> list[Job]:
        mine: list[Job] = []
        while len(mine) < CLAIMS // WORKERS:
            found = side.repository.claim(Step.CLASSIFY, limit, datetime.now(UTC), _claim)
            if not found:
                raise RuntimeError("no job is left to be claimed")
            mine += found
        return mine

    with ThreadPoolExecutor(WORKERS) as pool:
        started = time.perf_counter()
        claimed = [job for mine in pool.map(work, range(WORKERS)) for job in mine]
        seconds = time.perf_counter() - started
    side.take_back_claims()
    return len(claimed) / seconds


def _claim(job: Job) -> Job:
    return moves.claim(job, now=datetime.now(UTC), token=uuid4().hex, policy=POLICY)


def reads(url: str, job_id: str) -> list[float]:
    """Milliseconds of each of `READS` over one kept connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    took = []
    for _ in range(READS):
        before = time.perf_counter()
        connection.request("GET", f"/v1/jobs/{job_id}")
        answer = connection.getresponse()
        answer.read()
        took.append((time.perf_counter() - before) * 1000)
        if answer.status != http.client.OK:
            raise RuntimeError(f"GET {job_id}: {answer.status}")
    connection.close()
    return took


def heartbeats(side: Side) -> float:
    """Seconds that `HEARTBEATS` took on a few claimed jobs, which are handed back afterwards."""
    repository = side.repository
    held = repository.claim(Step.CLASSIFY, WORKERS, datetime.now(UTC), _claim)

    def beat(job: Job) -> None:
        token = job.lease.token if job.lease else ""
        for _ in range(HEARTBEATS // WORKERS):
            now = datetime.now(UTC)
            repository.update(
                job.id, partial(moves.renew, now=now, token=token, policy=POLICY, step_progress=0.0)
            )

    with ThreadPoolExecutor(WORKERS) as pool:
        started = time.perf_counter()
        list(pool.map(beat, held))
        seconds = time.perf_counter() - started
    side.take_back_claims()
    return seconds


def other_questions(side: Side) -> None:
    """What the sweeper, Prometheus and lists ask, in milliseconds."""
    repository, now = side.repository, datetime.now(UTC)
    page = partial(repository.page, limit=100, before_id=None)

    def wakeable() -> None:
        repository.wakeable(
            Step.CLASSIFY,
            due_before=datetime.now(UTC),
            woken_before=now - timedelta(seconds=30),
            now=datetime.now(UTC),
            limit=2,
        )

    questions: dict[str, Callable[[], object]] = {
        "wakeable, 2 at a time": wakeable,
        "page of an owner": partial(page, whose="owner-7", status=None),
        "page of an owner by status": partial(page, whose="owner-7", status=Status.QUEUED),
        "page of a rare status": partial(page, whose=Everybody(), status=Status.FAILED),
        "page of an owner's rare status": partial(page, whose="owner-7", status=Status.FAILED),
        "head of the queue": partial(repository.due_times, Step.CLASSIFY, now=now, limit=MAX_QUEUE_POSITION),
        "counts of unfinished jobs": repository.unfinished_counts,
        "counts of ended jobs": repository.ended_counts,
    }
    for name, ask in questions.items():
        took = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            ask()
            took.append((time.perf_counter() - before) * 1000)
        print(f"{name:30} {statistics.median(took):8.1f} ms   at most {max(took):8.1f}")


def main() -> None:
    with running_servers() as servers, ExitStack() as stack:
        bare, full = (_side(name, servers, stack) for name in ("bare", "full"))
        started = time.perf_counter()
        bare.fill(ended=100, waiting=CLAIMABLE)
        full.fill(ended=ENDED, waiting=WAITING)
        print(f"{ENDED:,} ended and {WAITING:,} waiting jobs made in {time.perf_counter() - started:.0f} s")
        for side in (bare, full):
            side.stack.start("api")
            stack.callback(side.stack.stop)
        in_turn(bare, full, "as filled")
        print(f"\nother questions to the full database, median of {ROUNDS}")
        other_questions(full)
        seconds = heartbeats(full)
        print(f"{HEARTBEATS:,} heartbeats on the full database: {HEARTBEATS / seconds:.0f} a second")
        in_turn(bare, full, f"after {HEARTBEATS:,} heartbeats on the full one")
        print(f"\n{machine()}, {postgres_version(full.url)}, fsync on; all on this machine")


if __name__ == "__main__":
    main()
