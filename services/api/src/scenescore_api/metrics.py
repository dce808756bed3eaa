"""The number of jobs by status and step, read from the database when Prometheus asks."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from scenescore_shared.jobs import Status
from scenescore_shared.ports import Clock, JobRepository

ENDED_COUNTED_EVERY = timedelta(minutes=1)
"""Ended jobs may be millions, and nothing is scaled or woken by their number."""


class JobCounts(Collector):
    """Unfinished jobs as they are now; ended ones as they were at most `ENDED_COUNTED_EVERY` ago."""

    def __init__(self, jobs: JobRepository, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._lock = threading.Lock()
        self._ended: tuple[datetime, Mapping[Status, int]] | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        # keeps the registry from reading the database when the collector is registered
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._family()
        for (status, step), count in self._jobs.unfinished_counts().items():
            family.add_metric([status, step], count)
        for status, count in self._ended_counts().items():
            family.add_metric([status, ""], count)
        yield family

    def _ended_counts(self) -> Mapping[Status, int]:
        # two scrapes at once count once
        with self._lock:
            now = self._clock.now()
            if self._ended is None or now - self._ended[0] >= ENDED_COUNTED_EVERY:
                self._ended = now, self._jobs.ended_counts()
            return self._ended[1]

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "scenescore_jobs",
            "Jobs by status and step; those that have ended are counted once a minute",
            labels=["status", "step"],
        )
