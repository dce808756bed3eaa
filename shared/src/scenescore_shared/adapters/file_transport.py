"""kombu's filesystem transport with whole messages only.

The original opens a message's file and then writes it, so that a consumer may read it empty and die of that; it
keeps its bindings in a file with the same fault. Here a message is written aside and renamed, taken by another
rename, and routed to the queue that its routing key names, which is all that direct exchanges like ours do.
"""

import json
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem

from scenescore_shared.logs import get_logger

SCHEME = "scenescore-files"

_log = get_logger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # type: ignore[override] # as its base
        folder = Path(self.data_folder_out)
        # names sort by time, across processes; a leading dot hides what is not whole yet
        name = f"{time.time_ns():020}_{uuid4().hex}.{queue}.msg"
        staged = folder / f".{name}"
        try:
            staged.write_text(json.dumps(payload))
            staged.rename(folder / name)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.startswith(".") or not name.endswith(f".{queue}.msg"):
                continue
            taken = folder / f".{name}.taken"
            with suppress(FileNotFoundError):  # another consumer was faster
                (folder / name).rename(taken)
                text = taken.read_text()
                taken.unlink()
                try:
                    payload: dict[str, Any] = json.loads(text)
                except ValueError:
                    _log.warning("message_dropped", reason="not JSON", file=name)
                    continue
                return payload
        raise Empty

    def _queue_bind(self, *_: Any) -> None:
        """Nothing to remember: see `_lookup`."""

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        return []

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        return [routing_key]


class Transport(filesystem.Transport):
    Channel = Channel


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
