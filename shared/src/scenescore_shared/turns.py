"""A bound on what threads take at once of something scarce, such as memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets callers in while what they take adds up to at most `total`; one that takes more is let in alone."""

    def __init__(self, total: int) -> None:
        self._free = self._total = total
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, amount: int) -> Iterator[None]:
        taken = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= taken)
            self._free -= taken
        try:
            yield
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()
