"""MusPy's measures of a piece, by its definitions (H.-W. Dong et al., "MusPy: A toolkit for symbolic music
generation", 2020). Pure.

MusPy divides by zero where music has a single bar; here such a measure is None.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from scenescore_composer.score import TICKS_PER_QUARTER, Note, Piece

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
"""Pitch classes of C major and of C natural minor."""


def muspy_measures(piece: Piece) -> dict[str, float | None]:
    """Every measure by its name, of a piece with at least one note."""
    return {
        "pitch range": pitch_range(piece.notes),
        "pitch classes": pitch_classes_used(piece.notes),
        "polyphony": polyphony(piece.notes),
        "pitch-class entropy": pitch_class_entropy(piece.notes),
        "scale consistency": scale_consistency(piece.notes),
        "groove consistency": groove_consistency(piece),
        "empty beats": empty_beat_rate(piece.notes),
    }


def pitch_range(notes: Sequence[Note]) -> int:
    """Semitones from the lowest to the highest note."""
    pitches = [note.pitch for note in notes]
    return max(pitches) - min(pitches)


def pitch_classes_used(notes: Sequence[Note]) -> int:
    """1-12."""
    return len({note.pitch % 12 for note in notes})


def polyphony(notes: Sequence[Note]) -> float:
    """Pitches that sound together on average, ≥ 1, over the ticks in which any does."""
    sounding = _sounding(notes)
    return float(sounding[sounding > 0].mean())


def pitch_class_entropy(notes: Sequence[Note]) -> float:
    """Shannon's entropy, 0 to log2 12 bits, of how often each pitch class is struck."""
    counts = np.bincount([note.pitch % 12 for note in notes], minlength=12)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def scale_consistency(notes: Sequence[Note]) -> float:
    """Share of the notes, 0-1, that lie in the major or natural minor scale which holds most of them."""
    counts = np.bincount([note.pitch % 12 for note in notes], minlength=12)
    best = max(
        counts[[(root + step) % 12 for step in scale]].sum() for scale in _SCALES for root in range(12)
    )
    return float(best / counts.sum())


def groove_consistency(piece: Piece) -> float | None:
    """1 less the mean Hamming distance, a tick, between neighbouring bars' onsets: 0-1, 1 where all are alike.

    Only neighbours of one metre are compared; None where there are none. Bars after the last onset don't count.
    """
    onsets = {note.onset for note in piece.notes}
    ends = piece.bar_starts[1:]
    bars = [
        {onset - start for onset in range(start, end) if onset in onsets}
        for start, end in zip(piece.bar_starts, ends, strict=False)
        if start <= piece.notes[-1].onset
    ]
    neighbours = [
        (len(one ^ other), bar.ticks)
        for (one, other), (bar, following) in zip(pairwise(bars), pairwise(piece.bars), strict=False)
        if bar.ticks == following.ticks
    ]
    if not neighbours:
        return None
    return 1 - sum(different for different, _ in neighbours) / sum(ticks for _, ticks in neighbours)


def empty_beat_rate(notes: Sequence[Note]) -> float:
    """Share of the crotchets, 0-1, up to the last note's end in which nothing sounds."""
    sounding = _sounding(notes)
    beats = -(-len(sounding) // TICKS_PER_QUARTER)
    padded = np.zeros(beats * TICKS_PER_QUARTER)
    padded[: len(sounding)] = sounding
    return float((padded.reshape(beats, TICKS_PER_QUARTER).max(axis=1) == 0).mean())


def _sounding(notes: Sequence[Note]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """[ticks] how many pitches sound in each tick up to the last end."""
    changes = np.zeros(max(note.end for note in notes) + 1, dtype=np.int64)
    np.add.at(changes, [note.onset for note in notes], 1)
    np.add.at(changes, [note.end for note in notes], -1)
    return changes.cumsum()[:-1]
