"""Cutting a long piece into clips at its bar lines. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from scenescore_composer.score import Piece

MIN_NOTES = 8
"""Fewer notes than that in a clip teach nothing."""
MIN_SHARE = 0.5
"""A last clip of less than this share of the asked length is dropped."""


@dataclass(frozen=True, slots=True)
class Cut:
    first_bar: int
    """Counted from 0."""
    end_bar: int
    music: Piece


def cut(piece: Piece, clip_seconds: float) -> Iterator[Cut]:
    """Clips of whole bars, end to end, each as near to `clip_seconds` as bar lines allow.

    Bars in which no note sounds before a clip's first note or after its last are left out; clips of fewer than
    `MIN_NOTES` notes too. A piece shorter than `clip_seconds` is one clip.
    """
    first = 0
    while first < len(piece.bars):
        end, seconds = first, 0.0
        while end < len(piece.bars) and (
            end == first or seconds + piece.bars[end].seconds / 2 <= clip_seconds
        ):
            seconds += piece.bars[end].seconds
            end += 1
        music = _without_empty_edges(piece.part(first, end))
        if len(music.notes) >= MIN_NOTES and (first == 0 or seconds >= MIN_SHARE * clip_seconds):
            yield Cut(first, end, music)
        first = end


def _without_empty_edges(piece: Piece) -> Piece:
    if not piece.notes:
        return piece
    starts, last_end = piece.bar_starts, max(note.end for note in piece.notes)
    first = max(i for i in range(len(piece.bars)) if starts[i] <= piece.notes[0].onset)
    end = min(i for i in range(1, len(piece.bars) + 1) if starts[i] >= last_end)
    return piece.part(first, end)
