"""Where blobs lie, and which of them a job's row names. Pure."""

import re
from dataclasses import dataclass

from scenescore_shared.jobs import Job

JOBS = "jobs/"
CLIPS = "clips/"

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_JOB_FILE = re.compile(rf"jobs/(?P<job>{_ID})/(?:picture\.jpg|outputs/(?P<token>[^/]+)/[^/]+)")
_CLIP = re.compile(r"clips/[^/]+\.mid")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """`lease_token` is of the lease under which an output was made; None for the picture."""

    key: str
    job_id: str
    lease_token: str | None


def picture_key(job_id: str) -> str:
    return f"{job_files(job_id)}picture.jpg"


def output_key(job_id: str, lease_token: str, name: str) -> str:
    """The token keeps a worker that lost its lease from overwriting the winner's file."""
    return f"{job_files(job_id)}outputs/{lease_token}/{name}"


def job_files(job_id: str) -> str:
    """What the keys of all of a job's files start with."""
    return f"{JOBS}{job_id}/"


def clip_key(clip_id: str) -> str:
    return f"{CLIPS}{clip_id}.mid"


def job_file(key: str) -> JobFile | None:
    """None where the key is not one of ours."""
    found = _JOB_FILE.fullmatch(key)
    return JobFile(key=key, job_id=found["job"], lease_token=found["token"]) if found else None


def is_clip(key: str) -> bool:
    return _CLIP.fullmatch(key) is not None


def is_named(file: JobFile, job: Job) -> bool:
    """Whether the row names the file, or the holder of its lease may be about to.

    A worker stores its outputs before it names them, and may name them only while the row bears its token. Tokens are
    never used again: once the row bears another one or none, no row will ever name those outputs.
    """
    if job.files_gone_at is not None:
        return False
    named = {output.blob_key for output in job.outputs}
    if job.picture is not None:
        named.add(job.picture.blob_key)
    return file.key in named or (job.lease is not None and job.lease.token == file.lease_token)
