"""What is true of every job that succeeded."""

import hashlib
import io
from typing import Any

from miditoolkit import MidiFile


def assert_good_job(job: dict[str, Any], midi: bytes, *, seconds: float = 30.0) -> None:
    assert job["status"] == "succeeded", job["error"]
    assert job["progress"] == 1
    assert abs(sum(job["emotions"].values()) - 1) < 1e-9
    clips = [clip["id"] for clip in job["provenance"]["clips"]]
    assert clips
    assert len(set(clips)) == len(clips)
    assert hashlib.sha256(midi).hexdigest() == job["outputs"][0]["sha256"]
    assert_music(midi, seconds=seconds)
    assert abs(job["music"]["seconds"] - seconds) <= 2


def assert_music(midi: bytes, *, seconds: float) -> None:
    """It parses, lasts as long as asked, and is no single repeated note."""
    file = MidiFile(file=io.BytesIO(midi))
    notes = [note for instrument in file.instruments for note in instrument.notes]
    assert len({note.pitch for note in notes}) >= 3
    end = file.get_tick_to_time_mapping()[max(note.end for note in notes)]
    assert abs(end - seconds) <= 2
