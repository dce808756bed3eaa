"""A child process that does one risky thing, request by request, under limits.

Requests and answers are JSON, each preceded by its length: nothing from the child is ever unpickled. The child
lives from request to request, since starting Python takes longer than most requests; after a crash or a
timeout the next request starts another.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Self

_LENGTH_BYTES = 8
_MAX_LENGTH = 2**26
_SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


_ABANDONED_SECONDS = 300
"""Longer than any limit that a parent sets."""


class ChildFailedError(Exception):
    """The child crashed, took too long, or answered with an error: the message says which."""


class Child:
    """Answers requests in a process of its own, started when first asked.

    `module` is run as `python -m module`; it calls `serve`. A request may take `seconds`; the child may map
    `memory_bytes`. `command` replaces how the child is started. Not for several threads at once.
    """

    def __init__(
        self, module: str, *, seconds: float, memory_bytes: int, command: Sequence[str] | None = None
    ) -> None:
        self._command = [*(command or (sys.executable, "-m", module)), str(memory_bytes)]
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, request: Any) -> Any:
        """The child's answer to a request; both are JSON values.

        Raises ChildFailedError when the child crashes, takes too long or reports an error.
        """
        if self._process is not None and self._process.poll() is not None:
            # it died while nobody asked it anything: that is not this request's fault
            self.close()
        process = self._process or self._start()
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            process.kill()

        timer = threading.Timer(self._seconds, give_up)
        timer.start()
        try:
            _send(_pipe(process.stdin), json.dumps(request).encode())
            answer = json.loads(_receive(_pipe(process.stdout)))
        except (OSError, EOFError, ValueError) as error:
            self.close()
            why = f"took longer than {self._seconds:g} s" if timed_out.is_set() else "crashed"
            raise ChildFailedError(why) from error
        finally:
            timer.cancel()
            timer.join()
        if timed_out.is_set():  # the answer came with the last tick: it holds, but the child is gone
            self.close()
        if "error" in answer:
            raise ChildFailedError(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        """End the child, if there is one."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                _pipe(pipe).close()
            except OSError:  # what it did not read can't be flushed any more
                continue
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(  # noqa: S603 our own module, or the caller's command
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _SINGLE_THREADED,
        )
        return self._process


def _limit_memory(wanted: int) -> None:
    """As far as the system lets us: a lower limit stays, and some systems (macOS) refuse any."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def serve(answer: Callable[[Any], Any], expected: tuple[type[Exception], ...]) -> None:
    """The child's side: limit the memory to the last argument's bytes, then answer until the pipe closes.

    Exceptions of the types `expected` are answered with their message, as are those for lack of memory; any
    other ends the process, which the parent reports as a crash.
    """
    _limit_memory(int(sys.argv[-1]))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not write among the answers
    while True:
        try:
            request = json.loads(_receive(requests))
        except EOFError:
            return
        # should the parent, which keeps the time, be gone: the default action ends the process
        signal.alarm(_ABANDONED_SECONDS)
        try:
            reply = {"answer": answer(request)}
        except MemoryError:
            reply = {"error": "needs too much memory"}
        except expected as error:
            reply = {"error": str(error)}
        signal.alarm(0)
        _send(answers, json.dumps(reply).encode())


def _pipe(stream: Any) -> BinaryIO:
    pipe: BinaryIO = stream
    return pipe


def _send(stream: BinaryIO, message: bytes) -> None:
    stream.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    stream.flush()


def _receive(stream: BinaryIO) -> bytes:
    length = int.from_bytes(_exactly(stream, _LENGTH_BYTES), "big")
    if length > _MAX_LENGTH:
        raise ValueError("not a message of ours")
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other side has gone")
    return data
