"""Jobs to rows and back."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from scenescore_shared.jobs import Job, JobError, JobWarning, Lease, Music, Output, Picture, Status, Step

_AS_THEY_ARE = (
    "id",
    "created_at",
    "updated_at",
    "woken_at",
    "request_id",
    "owner",
    "progress",
    "attempts",
    "next_attempt_at",
    "cancel_requested",
    "options",
    "emotions",
    "provenance",
    "step_started_at",
    "step_seconds",
    "started_at",
    "finished_at",
    "files_gone_at",
    "seq",
)


def row_of(job: Job) -> dict[str, Any]:
    """The job's columns. `due_at` is derived, so that one index serves claims, retries and lost leases."""
    return {
        **{name: getattr(job, name) for name in _AS_THEY_ARE},
        "status": str(job.status),
        "step": job.step and str(job.step),
        "due_at": job.due_at,
        "lease_token": job.lease and job.lease.token,
        "lease_expires_at": job.lease and job.lease.expires_at,
        "picture": job.picture and asdict(job.picture),
        "outputs": [asdict(output) for output in job.outputs],
        "music": job.music and asdict(job.music),
        "error": job.error and asdict(job.error),
        "warnings": [asdict(warning) for warning in job.warnings] or None,
    }


def job_of(row: Row[Any]) -> Job:
    lease = Lease(token=row.lease_token, expires_at=row.lease_expires_at) if row.lease_token else None
    return Job(
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
        status=Status(row.status),
        step=Step(row.step) if row.step else None,
        lease=lease,
        picture=Picture(**row.picture) if row.picture else None,
        outputs=tuple(Output(**output) for output in row.outputs),
        music=Music(**row.music) if row.music else None,
        error=JobError(**row.error) if row.error else None,
        warnings=tuple(JobWarning(**warning) for warning in row.warnings or ()),
    )
