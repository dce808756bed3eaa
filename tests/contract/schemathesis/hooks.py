"""What Schemathesis can't make up itself: pictures, good ones and others."""

import re
from datetime import datetime
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from samples.hostile_pictures import good_pictures
from samples.listening import HEARD_JOB

from scenescore_api.ratings.schemas import MUSIC_PATTERN

_PICTURES = list(good_pictures().values())

for content_type in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"):
    schemathesis.openapi.media_type(content_type, st.sampled_from(_PICTURES))

# addresses that a webhook may go to: random ones are refused, for reasons that no schema tells
schemathesis.openapi.format(
    "uri", st.sampled_from(["https://example.com/", "https://hooks.example.org:8443/in?from=scenescore"])
)

_numbers = count()
_KEPT_JOBS = re.compile(r"0197f2a0-5c1e-7d3a-9b52-3f6c1de0a0\w\w", re.IGNORECASE)
_NOBODYS_JOB = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0ffff"


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _are_ids(value: Any) -> bool:
    """What the schema takes for a list of jobs: what it refuses must be refused."""
    strings = isinstance(value, list) and all(isinstance(each, str) and len(each) <= 64 for each in value)
    return strings and 0 < len(value) == len(set(value)) <= 200


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: Any, __: Any) -> None:
    """The jobs of OpenAPI's examples are not deleted: brought back, they would look like deleted ones that are still
    there. Other jobs are.
    """
    if (case.method, case.path) == ("DELETE", "/v1/jobs/{job_id}") and _KEPT_JOBS.fullmatch(
        str(case.path_parameters["job_id"])
    ):
        case.path_parameters["job_id"] = _NOBODYS_JOB


@schemathesis.hook
def map_headers(_: schemathesis.HookContext, headers: Any) -> Any:
    """Of two random requests with the same short key the second is refused, and rightly so."""
    if headers and "Idempotency-Key" in headers and next(_numbers) % 4:
        headers["Idempotency-Key"] = f"{next(_numbers)}"
    return headers


@schemathesis.hook
def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """A job with a picture and one piece of music needs a grade of the fit, and takes none of other pieces; random
    times are past or too far ahead, and random ids are nobody's.
    """
    if not isinstance(body, dict) or not next(_numbers) % 4:
        return body
    if _is_time(body.get("closes_at")):
        body["closes_at"] = None
    if _are_ids(body.get("jobs")):
        body["jobs"] = [HEARD_JOB]
    if "quality" in body:
        if body.get("fit") is None:
            body["fit"] = "fair"
        if "output" in body and re.fullmatch(MUSIC_PATTERN, str(body["output"])):
            body["output"] = "music.mid"
    return body
