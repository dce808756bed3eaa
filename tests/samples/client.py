"""A REST client as users write one: post, poll by `Retry-After`, fetch."""

import json
import time
from typing import Any

import httpx2

ENDED = {"succeeded", "failed", "canceled", "expired"}


class Client:
    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self.http.close()

    def submit(
        self, picture: bytes | None, *, request_id: str | None = None, **options: Any
    ) -> dict[str, Any]:
        files: dict[str, Any] = {"image": ("scene.jpg", picture)} if picture is not None else {}
        files["options"] = (None, json.dumps(options))
        headers = {"X-Request-ID": request_id} if request_id else {}
        answer = self.http.post("/v1/jobs", files=files, headers=headers)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def wait(self, job_id: str, *, seconds: float = 120.0) -> dict[str, Any]:
        """The job once it has ended."""
        deadline = time.monotonic() + seconds
        while (job := self.job(job_id))["status"] not in ENDED:
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        return job

    def music(self, job: dict[str, Any]) -> bytes:
        (output,) = [output for output in job["outputs"] if output["name"] == "music.mid"]
        answer = self.http.get(output["url"], follow_redirects=True)
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == output["bytes"]
        return bytes(answer.content)
