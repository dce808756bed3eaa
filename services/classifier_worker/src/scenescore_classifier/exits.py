"""How the commands for training end."""

import sys
from collections.abc import Callable

from scenescore_shared.errors import ScenescoreError

FAILED, INTERRUPTED = 1, 130
"""Exit statuses; 130 is what shells give a process ended by Ctrl-C."""


def exit_status(work: Callable[[], None], *, stopped: str) -> int:
    """Does the work: 0, or FAILED with the error's sentence, or INTERRUPTED with `stopped`, on the error stream."""
    try:
        work()
    except ScenescoreError as error:
        sys.stderr.write(f"{error.message}\n")
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write(f"\nStopped. {stopped}\n")
        return INTERRUPTED
    return 0
