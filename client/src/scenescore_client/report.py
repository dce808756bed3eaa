"""A job that is done, as a person reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from scenescore_client.plain import plain

_LABELS = {
    ".mid": "MIDI",
    ".ogg": "Sound",
    ".wav": "Sound",
    ".mp3": "Sound",
    ".musicxml": "Score",
    ".png": "Piano roll",
}


class MusicFacts(Protocol):
    """Length in seconds, quarter notes a minute, key such as `G major`, and how many notes."""

    @property
    def seconds(self) -> float: ...
    @property
    def tempo_bpm(self) -> float: ...
    @property
    def key(self) -> str: ...
    @property
    def notes(self) -> int: ...


def as_text(
    emotions: Mapping[str, float] | None,
    music: MusicFacts | None,
    provenance: Mapping[str, Any],
    written: Mapping[str, Path],
) -> str:
    """Lines: the mix, shares of 1; the music; and where each file of `written` is, by name."""
    lines = ["How it feels:"]
    lines += [
        f"  {emotion:6} {share:6.1%}  {'█' * round(share * 30)}"
        for emotion, share in (emotions or {}).items()
    ]
    if music is not None:
        lines.append(
            f"Music: {music.seconds:.1f} s, {music.tempo_bpm:g} bpm, {music.key}, {music.notes} notes, "
            f"learnt from {len(provenance.get('clips', ()))} clips (seed {provenance.get('seed')})"
        )
    lines += [f"{_LABELS.get(place.suffix, 'File')}: {place}" for place in written.values()]
    return plain("\n".join(lines) + "\n")
