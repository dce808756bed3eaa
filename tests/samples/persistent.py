"""A client that does not give up: it submits until somebody has accepted."""

import json
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import httpx2

_TRY_AGAIN_SECONDS = 0.2
_CONFLICT = 409
"""Another try with the same key is still being worked on."""


class PersistentClient:
    """Knows several replicas and goes to the next one when a try fails. Threads may share it."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._http = httpx2.Client(timeout=20)
        self.accepted: list[str] = []
        """The ids that came with a 202."""
        self.retries = 0

    def close(self) -> None:
        self._http.close()

    def submit(self, key: str, picture: bytes | None, options: dict[str, Any]) -> None:
        """Ends with a 202. `key` names this submission, however often it is sent."""
        files: dict[str, Any] = {"image": ("scene.jpg", picture)} if picture is not None else {}
        files["options"] = (None, json.dumps(options))
        headers = {"Idempotency-Key": f'"{key}"', "X-Request-ID": key}
        for attempt in count():
            url = self._urls[attempt % len(self._urls)]
            try:
                answer = self._http.post(f"{url}/v1/jobs", files=files, headers=headers)
            except httpx2.TransportError:
                # nobody knows whether the job was committed
                pass
            else:
                if answer.is_success:
                    self.accepted.append(answer.json()["id"])
                    return
                assert answer.is_server_error or answer.status_code == _CONFLICT, answer.text
            self.retries += 1
            time.sleep(_TRY_AGAIN_SECONDS)
