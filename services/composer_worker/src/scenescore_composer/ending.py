"""A plain close: the last chord. Pure."""

from scenescore_composer.keys import Key
from scenescore_composer.score import Bar, Note, Piece, tidy

_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7)}
_MAX_VOICES = 4
_SAME_VOICE = 2  # semitones


def with_closing_chord(piece: Piece, key: Key, ticks: int) -> Piece:
    """The piece with as many more bars as it takes to hold the key's tonic chord for `ticks`.

    The chord has the voices of the last bar: each goes to the nearest free note of the triad, the lowest to the
    tonic. `piece` has at least one note.
    """
    last = piece.bars[-1]
    start = piece.ticks
    final = _last_sounds(piece)
    chord: set[int] = set()
    for voice, note in enumerate(final):
        chord.add(_nearest(note.pitch, key, chord, degrees=1 if voice == 0 else 3))
    held = (Note(start, pitch, ticks, final[-1].velocity) for pitch in chord)
    extended = (*piece.bars, *(Bar(last.numerator, last.denominator, last.bpm),) * -(-ticks // last.ticks))
    return Piece(extended, tidy((*piece.notes, *held), start + ticks))


def _last_sounds(piece: Piece) -> list[Note]:
    """From low to high the notes that end last, at most one within two semitones, `_MAX_VOICES` at most."""
    voices: list[Note] = []
    for note in sorted(piece.notes, key=lambda note: (-note.end, -note.onset, note.pitch)):
        apart = all(abs(note.pitch - voice.pitch) > _SAME_VOICE for voice in voices)
        recent = note.end > piece.bar_starts[-2] or not voices
        if len(voices) < _MAX_VOICES and apart and recent:
            voices.append(note)
    return sorted(voices, key=lambda note: note.pitch)


def _nearest(pitch: int, key: Key, taken: set[int], *, degrees: int) -> int:
    """The free pitch nearest to `pitch` among the first `degrees` notes of the key's triad."""
    classes = {(key.tonic + step) % 12 for step in _TRIADS[key.mode][:degrees]}
    free = (p for p in range(21, 109) if p % 12 in classes and p not in taken)
    return min(free, key=lambda candidate: (abs(candidate - pitch), candidate))
