"""A job's progress, as a person sees it: nothing where nobody looks."""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from scenescore_client.jobs import Progress
from scenescore_client.plain import plain

_STEPS = {"classify": "looking at it", "compose": "composing", "render": "rendering"}


class Bar:
    """On the terminal's error output."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar = tqdm(
            total=1.0,
            desc=plain(name),
            bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed}",
            disable=None,
            leave=False,
            file=sys.stderr,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, now: Progress) -> None:
        # a job that is tried again begins again
        self._bar.n = now.progress
        self._bar.set_description_str(plain(f"{self._name}, {said(now)}"))


def said(now: Progress) -> str:
    """What the job is at."""
    if now.queue_position is not None:
        ahead = {0: "next", 1: "1 job ahead"}.get(now.queue_position, f"{now.queue_position} jobs ahead")
        return f"waiting, {ahead}"
    if now.status == "running":
        return _STEPS.get(now.step or "", now.step or "at work")
    return now.status


def note(text: str) -> None:
    """A line beside the bars."""
    tqdm.write(plain(text), file=sys.stderr)
