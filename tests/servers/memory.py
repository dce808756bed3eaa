"""What processes take, as the kernel says."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all that descend from it, itself first."""
    found = [pid]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found.extend(int(child) for child in task.read_text().split())
            except OSError:
                continue
    return found


def resident_bytes(pid: int) -> int:
    """Of a process and all its descendants together, shared pages counted each time."""
    return sum(_resident(member) for member in family(pid))


@contextmanager
def peaks_of(pids: Mapping[str, int], *, every_seconds: float = 0.05) -> Iterator[dict[str, int]]:
    """The most that each family took at once, while the block ran."""
    peaks, ended = dict.fromkeys(pids, 0), threading.Event()

    def sample() -> None:
        while not ended.wait(every_seconds):
            for name, pid in pids.items():
                peaks[name] = max(peaks[name], resident_bytes(pid))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
