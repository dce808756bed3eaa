"""Measures of a piece's character. Pure."""

from dataclasses import asdict, dataclass

from scenescore_composer import keys
from scenescore_composer.score import TICKS_PER_QUARTER, Piece


@dataclass(frozen=True, slots=True)
class Features:
    """What labels and selection look at. Of a piece without notes all but the tempo are 0."""

    tempo_bpm: float
    """Quarters a minute, averaged over time."""
    onsets_per_second: float
    """Moments at which at least one note starts: how busy it sounds, however many voices there are."""
    notes_per_second: float
    pitch: float
    """Mean MIDI pitch, weighted by duration."""
    pitch_range: float
    """Semitones between the lowest and the highest note."""
    polyphony: float
    """Notes that sound together on average while any sounds, ≥ 1."""
    silence: float
    """Share of the time, 0-1, at which nothing sounds."""
    major: float
    """How much better the best major key fits than the best minor key, -2 to 2 (`keys.KeyEstimate.clarity`)."""
    tonic: float
    """Pitch class of the best key, 0-11."""

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def measure(piece: Piece) -> Features:
    tempo = piece.ticks / TICKS_PER_QUARTER * 60 / piece.seconds
    if not piece.notes:
        return Features(tempo, *[0.0] * 8)
    key = keys.estimate(piece.notes)
    pitches = [note.pitch for note in piece.notes]
    held = sum(note.duration for note in piece.notes)
    sounding = {tick for note in piece.notes for tick in range(note.onset, note.end)}
    return Features(
        tempo_bpm=tempo,
        onsets_per_second=len({note.onset for note in piece.notes}) / piece.seconds,
        notes_per_second=len(piece.notes) / piece.seconds,
        pitch=sum(note.pitch * note.duration for note in piece.notes) / held,
        pitch_range=max(pitches) - min(pitches),
        polyphony=held / len(sounding),
        silence=1 - len(sounding) / piece.ticks,
        major=key.clarity,
        tonic=key.key.tonic,
    )
