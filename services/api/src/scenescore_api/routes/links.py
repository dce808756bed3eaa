"""OpenAPI's links: from a job's answer to what can be done with that job."""

from typing import Any


def _link(route: str, path: str, method: str, description: str, **parameters: str) -> dict[str, Any]:
    """`route` is the function's name; with path and method it makes FastAPI's operation id."""
    name = path.replace("/", "_").replace("{", "_").replace("}", "_")
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
