"""OpenAPI's links: from a job's answer to what can be done with that job."""

import re
from typing import Any


def _link(route: str, path: str, method: str, description: str, **parameters: str) -> dict[str, Any]:
    """`route` is the function's name; with path and method it makes FastAPI's operation id."""
    name = re.sub(r"\W", "_", path)
    return {
        "operationId": f"{route}_v1_jobs{name}_{method}",
        "parameters": {"job_id": "$response.body#/id", **parameters},
        "description": description,
    }


LINKS_OF_A_NEW_JOB: dict[str, Any] = {
    "read": _link("get_job", "/{job_id}", "get", "The job as it is now"),
    "cancel": _link("cancel_job", "/{job_id}/cancel", "post", "Stop it"),
    "delete": _link("delete_job", "/{job_id}", "delete", "Take it and its files out"),
    "image": _link("get_image", "/{job_id}/image", "get", "Its picture"),
    "events": _link("follow_job", "/{job_id}/events", "get", "Its changes as they happen"),
    "webhook_deliveries": _link(
        "list_webhook_deliveries", "/{job_id}/webhook-deliveries", "get", "What became of its webhook"
    ),
}
"""There is no music yet."""

LINKS_OF_A_JOB: dict[str, Any] = LINKS_OF_A_NEW_JOB | {
    "output": _link(
        "get_output",
        "/{job_id}/outputs/{name}",
        "get",
        "Its music, once there is some",
        name="music.mid",
    ),
}
