"""Scores that music21 installs, as pieces. Run with `python -m`, it is the child that parses them for `starter`."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import Any

from music21 import corpus, harmony, meter, note, stream, tempo, text
from music21.exceptions21 import Music21Exception

from scenescore_composer.corpus.child import serve
from scenescore_composer.corpus.cutting import cut
from scenescore_composer.corpus.features import measure
from scenescore_composer.corpus.guarded import piece_to_json
from scenescore_composer.corpus.labels import label
from scenescore_composer.score import (
    COMMON_TIME,
    MAX_BPM,
    METRES,
    MIN_BPM,
    TICKS_PER_QUARTER,
    Bar,
    Note,
    Piece,
    tidy,
)

UNMARKED_BPM = 100
"""Quarters a minute where neither the catalogue of works nor the score marks a tempo."""
_OF_RIGHTS = re.compile(
    r"©|\(c\)|copyright|licen[cs]|creative commons|\bcc\b|permission|rights", re.IGNORECASE
)
_LONGEST_NOTICE = 300
_VELOCITY = 72  # scores are read without their dynamics


@dataclass(frozen=True, slots=True)
class Score:
    notice: str
    """The copyright notice in the score; empty when it has none."""
    passages: tuple[Piece, ...]
    """Runs of regular bars: a pickup or another bar that its time signature doesn't fill parts them."""


@dataclass(frozen=True, slots=True)
class _Measure:
    start: int
    end: int
    metre: tuple[int, int]
    bpm: int

    @property
    def full_ticks(self) -> int:
        return self.metre[0] * TICKS_PER_QUARTER * 4 // self.metre[1]

    @property
    def is_regular(self) -> bool:
        return self.metre in METRES and self.end - self.start == self.full_ticks


def read(path: str, bpm: int | None = None) -> Score:
    """The score at `path` in music21's corpus, at sounding pitch, ties merged, grace notes left out, repeats once.

    `bpm` is the tempo in quarters a minute; None takes the score's own metronome marks.

    Raises whatever music21 raises on a score that it can't read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the encodings, which we can't mend
        # from the source: no pickle is read from, or left in, the user's temporary folder
        parsed = corpus.parse(path, forceSource=True)
        parsed.toSoundingPitch(inPlace=True)
        parts = list(parsed.parts)
        notes = sorted(chain.from_iterable(_notes(part) for part in parts))
        measures = _joined(list(_measures(parts[0], _tempos(parsed, bpm))))
    return Score(_notice(parsed), tuple(_passages(measures, notes)))


def _notice(parsed: stream.Score) -> str:
    """What the score says of its rights, in its metadata and in what is printed on its pages."""
    marked = (parsed.metadata.copyright if parsed.metadata else None) or ""
    printed = (box.content or "" for box in parsed.recurse().getElementsByClass(text.TextBox))
    said = [" ".join(str(words).split()) for words in (marked, *printed)]
    kept = [words for words in said if words and (words == said[0] or _OF_RIGHTS.search(words))]
    return "; ".join(dict.fromkeys(kept))[:_LONGEST_NOTICE]


def _notes(part: stream.Part) -> Iterator[Note]:
    """The part's notes; tied ones become one."""
    tied: dict[int, Note] = {}
    for element in part.flatten().notes:
        if isinstance(element, (harmony.ChordSymbol, note.Unpitched)) or element.duration.isGrace:
            continue
        start = _ticks(element.offset)
        end = max(start + 1, _ticks(element.offset + element.duration.quarterLength))
        singles: Any = getattr(element, "notes", (element,))  # a chord's, or the note itself
        for single in singles:
            pitch, tie = single.pitch.midi, single.tie
            begun = tied.pop(pitch, None)
            if begun is not None and tie is not None and tie.type != "start" and begun.end == start:
                merged = Note(begun.onset, pitch, end - begun.onset, _VELOCITY)
            else:
                if begun is not None:
                    yield begun
                merged = Note(start, pitch, end - start, _VELOCITY)
            if tie is not None and tie.type != "stop":
                tied[pitch] = merged
            else:
                yield merged
    yield from tied.values()


def _measures(part: stream.Part, tempos: list[tuple[int, int]]) -> Iterator[_Measure]:
    found = list(part.getElementsByClass(stream.Measure))
    starts = [_ticks(bar.offset) for bar in found]
    metre, bpm = COMMON_TIME, tempos[0][1]
    for bar, (start, end) in zip(found, pairwise([*starts, -1]), strict=True):
        signature = bar.getElementsByClass(meter.TimeSignature).first()
        if signature is not None:
            metre = (signature.numerator, signature.denominator)
        bpm = next((value for tick, value in reversed(tempos) if tick <= start), bpm)
        whole = start + metre[0] * TICKS_PER_QUARTER * 4 // metre[1]
        yield _Measure(start, whole if end < 0 else end, metre, bpm)


def _joined(measures: list[_Measure]) -> list[_Measure]:
    """Bars that a repeat sign parts become one again."""
    joined: list[_Measure] = []
    for bar in measures:
        before = joined[-1] if joined else None
        if before and not before.is_regular and bar.end - before.start == before.full_ticks:
            joined[-1] = _Measure(before.start, bar.end, before.metre, before.bpm)
        else:
            joined.append(bar)
    return joined


def _tempos(parsed: stream.Score, bpm: int | None) -> list[tuple[int, int]]:
    """Tick and quarters a minute of each metronome mark, at least one."""
    if bpm is not None:
        return [(0, bpm)]
    marks = (
        (_ticks(mark.getOffsetInHierarchy(parsed)), mark.getQuarterBPM())
        for mark in parsed.recurse().getElementsByClass(tempo.MetronomeMark)
    )
    return sorted((tick, round(min(MAX_BPM, max(MIN_BPM, value)))) for tick, value in marks if value) or [
        (0, UNMARKED_BPM)
    ]


def _passages(measures: list[_Measure], notes: list[Note]) -> Iterator[Piece]:
    run: list[_Measure] = []
    for bar in [*measures, None]:
        if bar is not None and bar.is_regular:
            run.append(bar)
            continue
        if run:
            yield _passage(run, notes)
        run = []


def _passage(run: list[_Measure], notes: list[Note]) -> Piece:
    start, end = run[0].start, run[-1].end
    inside = (
        Note(max(n.onset - start, 0), n.pitch, n.end - max(n.onset, start), n.velocity)
        for n in notes
        if n.onset < end and n.end > start
    )
    bars = tuple(Bar(*bar.metre, bar.bpm) for bar in run)
    return Piece(bars, tidy(inside, end - start))


def _ticks(quarters: float | Fraction) -> int:
    return round(quarters * TICKS_PER_QUARTER)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """The clips of one score that carry a clear label."""
    score = read(request["path"], request["bpm"])
    clips = []
    for passage in score.passages:
        for piece in cut(passage, request["clip_seconds"]):
            found = label(measure(piece.music))
            if found is not None:
                clips.append(
                    {"emotion": found.emotion, "clarity": found.clarity, "music": piece_to_json(piece.music)}
                )
    return {"notice": score.notice, "clips": clips}


if __name__ == "__main__":
    serve(_answer, expected=(Music21Exception, ValueError, LookupError, AttributeError, TypeError))
