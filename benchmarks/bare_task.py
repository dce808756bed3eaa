"""The baseline of `overhead.py`: a Celery worker on the same Redis whose task only tells when it started.

python benchmarks/bare_task.py REDIS_URL
"""

import sys
import time

import redis

from scenescore_shared.adapters.celery import make_celery

TASK = "bare.task"
QUEUE = "bare"
STARTED = "bare:started"

if __name__ == "__main__":
    url = sys.argv[1]
    app = make_celery(url, name="bare")
    client = redis.Redis.from_url(url)

    def tell() -> None:
        client.rpush(STARTED, time.time())

    app.task(name=TASK)(tell)
    app.worker_main(
        [
            "worker",
            *("--pool=prefork", "--concurrency=1", f"--queues={QUEUE}"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"),
        ]
    )
