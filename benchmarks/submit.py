"""Jobs accepted a second by one API process, on private PostgreSQL, Redis and S3: `make bench`.

A job is accepted when its picture lies in the store and its row is committed to the disk. The floor, in the same
run and in turn with it, is what no such server can do without: one put of the same stored bytes, with the client
that the API has, and one commit of the same row; in bare loops of as many threads, from one bare Python process.
"""

import http.client
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
from machine import machine, postgres_version
from psycopg import sql
from psycopg.types.json import Json
from samples.photographs import web_photographs
from servers.scenescore import Stack, stack_settings
from servers_of_a_run import Servers, running_servers
from uuid_utils.compat import uuid7

from scenescore_api.pictures import STORED_CONTENT_TYPE, PictureLimits, PictureReader
from scenescore_shared.adapters.s3 import make_client
from scenescore_shared.adapters.sql.rows import row_of
from scenescore_shared.jobs import Picture, new_job
from scenescore_shared.options import JobOptions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONCURRENCIES = (8, 16)
ROUNDS = 6
PER_ROUND = 240
WARM_UP = 80
PHOTOGRAPHS = 32
_BOUNDARY = "benchmark-boundary"


@dataclass(frozen=True, slots=True)
class Round:
    seconds: float
    milliseconds: list[float]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds


@dataclass
class Rounds:
    """What was measured of one side at one concurrency."""

    rounds: list[Round] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(each.rate for each in self.rounds)

    def percentile(self, percent: int) -> float:
        values = [value for each in self.rounds for value in each.milliseconds]
        return statistics.quantiles(values, n=100)[percent - 1]


Attempt = Callable[[bytes], None]
"""Does the work for one photograph, or for what is stored of it, and fails loudly."""


def main() -> None:
    with running_servers() as servers:
        settings = stack_settings(servers.postgres, servers.redis, servers.s3)
        stack = Stack(servers.folder, settings)
        stack.run("scenescore_shared.provision")
        stack.start("api")
        try:
            measure(servers, stack, settings)
        finally:
            stack.stop()


def measure(servers: Servers, stack: Stack, settings: Mapping[str, str]) -> None:
    uploads = web_photographs(PHOTOGRAPHS)
    reader = PictureReader(PictureLimits(max_bytes=10**8, max_pixels=10**8), pixels_at_once=10**8)
    stored = [reader.read(upload).jpeg for upload in uploads]
    url = settings["SCENESCORE_DATABASE__URL"].replace("+psycopg", "", 1)
    floor = Floor(servers, settings["SCENESCORE_STORAGE__BUCKET"], url)
    print(f"{len(uploads)} photographs of {_kilobytes(uploads)}, stored as {_kilobytes(stored)}")
    for concurrency in CONCURRENCIES:
        ours, bare = Rounds(), Rounds()
        one_round(partial(submitting, stack.url), uploads, concurrency, WARM_UP)
        one_round(floor.attempts, stored, concurrency, WARM_UP)
        for number in range(ROUNDS):
            for side in (ours, bare) if number % 2 else (bare, ours):
                if side is ours:
                    found = one_round(partial(submitting, stack.url), uploads, concurrency, PER_ROUND)
                else:
                    found = one_round(floor.attempts, stored, concurrency, PER_ROUND)
                side.rounds.append(found)
        report(concurrency, ours, bare)
    print(f"{machine()}, {postgres_version(url)}, fsync on, Swift's S3; all on this machine")


def one_round(
    attempts: Callable[[], Iterator[Attempt]], pictures: Sequence[bytes], concurrency: int, count: int
) -> Round:
    """`count` attempts, each thread with connections of its own that are open before the clock starts."""

    def work(thread: int) -> list[float]:
        mine = islice(cycle(pictures), thread, None)
        took = []
        for _ in range(count // concurrency):
            before = time.perf_counter()
            ready[thread](next(mine))
            took.append((time.perf_counter() - before) * 1000)
        return took

    generators = [attempts() for _ in range(concurrency)]
    ready = [next(generator) for generator in generators]
    with ThreadPoolExecutor(concurrency) as pool:
        started = time.perf_counter()
        took = [value for values in pool.map(work, range(concurrency)) for value in values]
        seconds = time.perf_counter() - started
    for generator in generators:
        next(generator, None)
    return Round(seconds, took)


def submitting(url: str) -> Iterator[Attempt]:
    """`POST /v1/jobs` over one kept connection. The form is written by hand: a client library's time isn't ours."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.connect()
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="scene.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode()

    def submit(upload: bytes) -> None:
        connection.request(
            "POST",
            "/v1/jobs",
            body=head + upload + tail,
            headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        )
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.ACCEPTED or json.loads(body)["status"] != "queued":
            raise RuntimeError(f"{answer.status}: {body[:500]!r}")

    yield submit
    connection.close()


class Floor:
    def __init__(self, servers: Servers, bucket: str, url: str) -> None:
        self._s3: S3Client = make_client(
            endpoint_url=servers.s3.endpoint_url,
            region=servers.s3.region,
            access_key_id=servers.s3.access_key_id,
            secret_access_key=servers.s3.secret_access_key,
        )
        self._bucket = bucket
        self._url = url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE floor (LIKE jobs INCLUDING ALL)")

    def attempts(self) -> Iterator[Attempt]:
        with psycopg.connect(self._url, autocommit=True) as connection:

            def put_and_commit(stored: bytes) -> None:
                job_id = str(uuid7())
                key = f"floor/{job_id}/picture.jpg"
                self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=stored, ContentType=STORED_CONTENT_TYPE
                )
                connection.execute(*_insertion(job_id, key))

            yield put_and_commit


def _insertion(job_id: str, key: str) -> tuple[sql.Composed, list[Any]]:
    """The row that the API writes for such a job, in the table `floor`."""
    picture = Picture(
        sha256="ab" * 32, content_type="image/jpeg", width=640, height=427, bytes=90_000, blob_key=key
    )
    row = row_of(
        new_job(
            job_id,
            now=datetime.now(UTC),
            request_id="ab" * 16,
            options=JobOptions().as_json(),
            picture=picture,
            emotions=None,
        )
    )
    values = [Json(value) if isinstance(value, dict | list) else value for value in row.values()]
    statement = sql.SQL("INSERT INTO floor ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
    )
    return statement, values


def _kilobytes(pictures: Sequence[bytes]) -> str:
    return f"{statistics.mean(map(len, pictures)) / 1000:.0f} kB"


def report(concurrency: int, ours: Rounds, bare: Rounds) -> None:
    print(f"\n{concurrency} at a time, {ROUNDS} rounds of {PER_ROUND} in turn")
    for name, side in (("POST /v1/jobs", ours), ("put and commit", bare)):
        rates = " ".join(f"{each.rate:.0f}" for each in side.rounds)
        print(
            f"{name:14}  {side.rate:6.1f} a second   p50 {side.percentile(50):6.1f} ms   "
            f"p99 {side.percentile(99):6.1f} ms   rounds: {rates}"
        )
    ratios = [a.rate / b.rate for a, b in zip(ours.rounds, bare.rounds, strict=True)]
    print(
        f"of the floor    {statistics.median(ratios):6.2f} (median of {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
