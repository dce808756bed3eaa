"""A process's wish to stop, told by signals."""

import signal
import time
from types import FrameType

_SLICE_SECONDS = 0.2


class StopFlag:
    """Set by SIGTERM, SIGINT and SIGHUP. A plain attribute: a handler must not wait for a lock that its own
    thread may hold, as `threading.Event.set` does.
    """

    def __init__(self) -> None:
        self.is_set = False

    def listen(self) -> None:
        """Takes the signals over. For the main thread of a process."""
        for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(kind, self._on_signal)

    def wait(self, seconds: float) -> bool:
        """Sleeps for so long, less when it is set meanwhile. Returns whether it is."""
        deadline = time.monotonic() + seconds
        while not self.is_set and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))
        return self.is_set

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_set = True
