"""What travels over the broker: task names, queues and versioned payloads. Ids only; the database is the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from scenescore_shared.jobs import Step

PAYLOAD_VERSION = 1

TASK_NAMES: Mapping[Step, str] = MappingProxyType(
    {Step.CLASSIFY: "jobs.classify", Step.COMPOSE: "jobs.compose", Step.RENDER: "jobs.render"}
)
QUEUES: Mapping[Step, str] = MappingProxyType(
    {Step.CLASSIFY: "classify", Step.COMPOSE: "compose", Step.RENDER: "render"}
)
"""One queue per workload, so that a slow composer never holds up a classifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """Tells a worker that there is work. The id is a hint: the worker claims the oldest due jobs of its step."""

    job_id: str
    request_id: str

    def to_payload(self) -> dict[str, Any]:
        return {"version": PAYLOAD_VERSION, "job_id": self.job_id, "request_id": self.request_id}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Reads this version and, since fields are only ever added, every later one.

        Raises ValueError for a payload that is no wake-up.
        """
        version, job_id = payload.get("version"), payload.get("job_id")
        if not isinstance(version, int) or version < PAYLOAD_VERSION or not isinstance(job_id, str):
            raise ValueError(f"not a wake-up: version {version!r}, job_id {job_id!r}")
        return cls(job_id=job_id, request_id=str(payload.get("request_id", "")))
