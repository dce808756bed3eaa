"""From `POST` to an idle worker's claim, on private PostgreSQL, Redis and S3: `make bench`.

The picture is checked, decoded, stored and committed in between. The baseline, in the same run and in turn with
it, is a bare Celery task on the same Redis: sent, and started by an idle worker that touches nothing else.
"""

import platform
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import redis
from bare_task import QUEUE, STARTED, TASK
from samples.client import Client
from samples.photographs import photographs
from servers.postgres import Postgres
from servers.process import ServerProcess
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Stack, stack_settings

from scenescore_shared.adapters.celery import make_celery

RUNS = 60
WARM_UP = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PostgreSQL runs as another user
        folder.chmod(0o755)
        folders = {part: folder / part for part in ("postgres", "redis", "s3", "stack")}
        for path in folders.values():
            path.mkdir()
        postgres, redis_server, s3 = (
            Postgres(folders["postgres"]),
            Redis(folders["redis"]),
            S3(folders["s3"]),
        )
        for server in (postgres, redis_server, s3):
            server.start()
        try:
            measure(folders["stack"], postgres, redis_server, s3)
        finally:
            for server in (s3, redis_server, postgres):
                server.stop()


def measure(folder: Path, postgres: Postgres, redis_server: Redis, s3: S3) -> None:
    stack = Stack(folder, stack_settings(postgres, redis_server, s3))
    stack.run("scenescore_shared.provision")
    stack.start("api", "classify")
    bare = ServerProcess(
        [sys.executable, str(Path(__file__).with_name("bare_task.py")), redis_server.url], folder / "bare.log"
    )
    bare.start()
    try:
        with closing(Client(stack.url)) as client:
            ours, baseline = in_turn(client, redis_server.url)
    finally:
        bare.stop()
        stack.stop()
    report(ours, baseline)


def in_turn(client: Client, redis_url: str) -> tuple[list[float], list[float]]:
    """Milliseconds to the claim and to the bare task's start, `RUNS` each, the warm-up left out."""
    ours, baseline = [], []
    app, connection = make_celery(redis_url, name="bench"), redis.Redis.from_url(redis_url)
    for picture in photographs(WARM_UP + RUNS):
        sent = time.time()
        app.send_task(TASK, queue=QUEUE, ignore_result=True)
        told = connection.blpop([STARTED], timeout=30)
        if told is None:
            raise RuntimeError("the bare worker did not start the task within 30 s")
        baseline.append((float(told[1]) - sent) * 1000)
        sent = time.time()
        job = client.submit(picture)
        while job["started_at"] is None or job["step"] == "classify":
            time.sleep(0.02)
            job = client.job(job["id"])
        ours.append((datetime.fromisoformat(job["started_at"]).timestamp() - sent) * 1000)
    return ours[WARM_UP:], baseline[WARM_UP:]


def report(ours: list[float], baseline: list[float]) -> None:
    for name, values in (("POST to claim", ours), ("bare Celery task", baseline)):
        deciles = statistics.quantiles(values, n=10)
        print(
            f"{name:17} median {statistics.median(values):6.1f} ms   p90 {deciles[8]:6.1f} ms   n {len(values)}"
        )
    print(f"ratio of medians  {statistics.median(ours) / statistics.median(baseline):6.1f}")
    print(f"on {platform.processor() or platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
