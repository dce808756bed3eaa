"""MIDI files written by the tests: seeded little pieces, happy, angry or sad by mode, tempo and register."""

import io
import random
from pathlib import Path

from miditoolkit import Instrument, MidiFile, Note, TempoChange, TimeSignature

_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_STYLES = {
    # emotion: mode, beats a minute, lowest pitch, notes a beat, velocity
    "happy": ("major", 132, 67, 2, 88),
    "angry": ("minor", 150, 48, 4, 112),
    "sad": ("minor", 60, 57, 1, 52),
    "calm": ("major", 66, 60, 1, 56),
}


def piece(emotion: str, *, seed: int = 0, seconds: float = 12.0) -> bytes:
    """A melody over held roots, in 4/4, of about `seconds`."""
    mode, bpm, lowest, density, velocity = _STYLES[emotion]
    rng = random.Random(f"{emotion}/{seed}")
    file = MidiFile(ticks_per_beat=480)
    file.tempo_changes = [TempoChange(bpm, 0)]
    file.time_signature_changes = [TimeSignature(4, 4, 0)]
    melody, bass = Instrument(0, name="melody"), Instrument(0, name="bass")
    degree, step = 0, 480 // density
    beats = max(4, round(seconds * bpm / 60 / 4) * 4)
    for position in range(0, beats * 480, step):
        degree = max(-3, min(10, degree + rng.choice((-2, -1, -1, 0, 1, 1, 2))))
        pitch = lowest + 12 * (degree // 7) + _SCALES[mode][degree % 7]
        melody.notes.append(Note(velocity, pitch, position, position + step))
    for position in range(0, beats * 480, 4 * 480):
        root = lowest - 12 + _SCALES[mode][rng.choice((0, 3, 4))]
        bass.notes.append(Note(velocity - 12, root, position, position + 4 * 480))
    file.instruments = [melody, bass]
    written = io.BytesIO()
    file.dump(file=written)
    return written.getvalue()


def write_corpus(folder: Path, *, per_emotion: int = 8) -> Path:
    """A folder per emotion, as the thesis's corpus was laid out."""
    for emotion in _STYLES:
        (folder / emotion).mkdir(parents=True)
        for seed in range(per_emotion):
            (folder / emotion / f"piece-{seed}.mid").write_bytes(piece(emotion, seed=seed))
    return folder
