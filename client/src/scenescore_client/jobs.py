"""What the server tells, as values that don't change. What it may tell one day besides is kept in `raw`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypedDict

ENDED = frozenset({"succeeded", "failed", "canceled", "expired"})


class Options(TypedDict, total=False):
    """What a job may be asked for; all else is the composer's choice. `/v1/capabilities` tells the ranges."""

    seed: int
    seconds: float
    temperature: float
    tempo_bpm: int
    key: str
    instrument: str | int
    variations: int
    emotions: Mapping[str, float]
    webhook_url: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that the job made."""

    name: str
    content_type: str
    bytes: int
    sha256: str

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        return cls(
            name=str(told["name"]),
            content_type=str(told["content_type"]),
            bytes=int(told["bytes"]),
            sha256=str(told["sha256"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """Of `music.mid`: its length, quarter notes a minute, key such as `G major`, and how many notes."""

    seconds: float
    tempo_bpm: float
    key: str
    notes: int

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        return cls(
            seconds=float(told["seconds"]),
            tempo_bpm=float(told["tempo_bpm"]),
            key=str(told["key"]),
            notes=int(told["notes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Why a job failed, or what is missing from one that succeeded. `code` is stable."""

    code: str
    message: str

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        return cls(code=str(told["code"]), message=str(told["message"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is: 0 to 1. `queue_position` is how many jobs come first, None when it does not wait."""

    status: str
    step: str | None
    progress: float
    queue_position: int | None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it was when the server told of it. `status` is queued, running, or one of `ENDED`; `emotions` is the
    mix used, by emotion, summing to 1; `outputs` are the files made so far.
    """

    id: str
    status: str
    step: str | None
    progress: float
    queue_position: int | None
    emotions: Mapping[str, float] | None
    outputs: tuple[Output, ...]
    music: Music | None
    error: Notice | None
    warnings: tuple[Notice, ...]
    options: Mapping[str, Any]
    provenance: Mapping[str, Any]
    created_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """All that the server told, as it told it."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def succeeded(self) -> bool:
        return self.status == "succeeded"

    @property
    def state(self) -> Progress:
        return Progress(
            status=self.status, step=self.step, progress=self.progress, queue_position=self.queue_position
        )

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        """Raises LookupError, TypeError, ValueError or AttributeError for what is no job."""
        music, error = told.get("music"), told.get("error")
        return cls(
            id=str(told["id"]),
            status=str(told["status"]),
            step=told.get("step"),
            progress=float(told.get("progress") or 0),
            queue_position=told.get("queue_position"),
            emotions=told.get("emotions"),
            outputs=tuple(Output.parse(output) for output in told.get("outputs") or ()),
            music=Music.parse(music) if music else None,
            error=Notice.parse(error) if error else None,
            warnings=tuple(Notice.parse(warning) for warning in told.get("warnings") or ()),
            options=(told.get("input") or {}).get("options") or {},
            provenance=told.get("provenance") or {},
            created_at=_time(told.get("created_at")),
            finished_at=_time(told.get("finished_at")),
            expires_at=_time(told.get("expires_at")),
            raw=told,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the server takes and gives. `sound`: whether jobs get sound besides MIDI, None when that is not known;
    `options` is a JSON Schema; `max_bytes` and `max_pixels` are of a picture.
    """

    version: str
    emotions: tuple[str, ...]
    content_types: tuple[str, ...]
    max_bytes: int
    max_pixels: int
    sound: bool | None
    outputs: tuple[str, ...]
    options: Mapping[str, Any] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Self:
        """Raises as `Job.parse` does."""
        picture, sound = told["picture"], told.get("sound")
        return cls(
            version=str(told["version"]),
            emotions=_texts(told["emotions"]),
            content_types=_texts(picture["content_types"]),
            max_bytes=int(picture["max_bytes"]),
            max_pixels=int(picture["max_pixels"]),
            sound=bool(sound["rendered"]) if sound else None,
            outputs=_texts(told.get("outputs") or ()),
            options=told.get("options") or {},
            raw=told,
        )


def _texts(told: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(item) for item in told)


def _time(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
