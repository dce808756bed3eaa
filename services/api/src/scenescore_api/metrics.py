"""The number of jobs by status and step, read from the database whenever Prometheus asks."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from scenescore_shared.ports import JobRepository


class JobCounts(Collector):
    def __init__(self, jobs: JobRepository) -> None:
        self._jobs = jobs

    def describe(self) -> Iterator[GaugeMetricFamily]:
        # keeps the registry from reading the database when the collector is registered
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = self._family()
        for (status, step), count in self._jobs.counts().items():
            family.add_metric([status, step or ""], count)
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily("scenescore_jobs", "Jobs by status and step", labels=["status", "step"])
