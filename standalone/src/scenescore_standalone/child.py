"""`python -m scenescore_standalone.child MODULE`: a process of `scenescore up` that ends when its supervisor does.

The supervisor holds the other end of its standard input. When that closes, however the supervisor ended, the
process asks itself to stop, as the supervisor would have done.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_supervisor(lifeline: int, process: int) -> None:
    # not through sys.stdin: a fork would inherit its lock, held by this thread for ever
    while os.read(lifeline, 1):
        continue
    # forked children run no threads of their parent, so this is the process that was started
    os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(
        target=_end_with_supervisor, args=(os.dup(sys.stdin.fileno()), os.getpid()), daemon=True
    ).start()
    module = sys.argv[1]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
