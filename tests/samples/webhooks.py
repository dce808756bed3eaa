"""Jobs that ask for a webhook, and the deliveries of their ends."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from samples.jobs import NOW, job_id, queued
from scenescore_shared.jobs import Job
from scenescore_shared.moves import cancel_now
from scenescore_shared.ports import JobRepository
from scenescore_shared.webhooks import Delivery, deliveries_of

URL = "https://example.com/hooks/scenescore?token=hidden"


def asking(number: int = 1, *, url: str = URL, owner: str | None = None) -> Job:
    """A queued job."""
    job = queued(number)
    return replace(job, options={**job.options, "webhook_url": url}, owner=owner)


def delivery_of(job: Job | None = None, *, at: datetime = NOW) -> Delivery:
    """What the cancellation of the job gives to deliver."""
    job = job or asking()
    (delivery,) = deliveries_of(job, cancel_now(job, now=at))
    return delivery


def end(jobs: JobRepository, number: int = 1, *, url: str, at: datetime, owner: str | None = None) -> str:
    """Adds a job, cancels it, and returns its id: its delivery is due."""
    jobs.add(asking(number, url=url, owner=owner))
    jobs.update(job_id(number), partial(cancel_now, now=at))
    return job_id(number)
