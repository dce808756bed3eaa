"""A piece as a score in MusicXML 4.0 (W3C Community Group report, 2021), for a piano's two staves. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from scenescore_composer.rendering.notation import TRIPLET_VALUES, VALUES, Symbol, bars_of
from scenescore_composer.score import TICKS_PER_QUARTER, Bar, Piece

_DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
_STEPS_BY_FIFTHS = "FCGDAEB"
_TONIC_FIFTHS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
_MINOR_FIFTHS = -3
_MOST_FIFTHS = 7
_LOUDNESS_OF_100_PERCENT = 90
"""MusicXML's `dynamics` are percentages of this velocity."""
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_VOICES_A_STAFF = 4


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a pitch is written: step, alteration in semitones and octave (middle C is C4)."""

    step: str
    alter: int
    octave: int


def score(piece: Piece, *, key: str, title: str) -> bytes:
    """The piece as UTF-8 MusicXML: treble staff from middle C on, bass staff below. `key` is as "F# minor".

    The same piece gives the same bytes.
    """
    fifths = fifths_of(key)
    root = ET.Element("score-partwise", version="4.0")
    ET.SubElement(ET.SubElement(root, "work"), "work-title").text = title
    encoding = ET.SubElement(ET.SubElement(root, "identification"), "encoding")
    ET.SubElement(encoding, "software").text = "Scenescore"
    part = ET.SubElement(ET.SubElement(root, "part-list"), "score-part", id="P1")
    ET.SubElement(part, "part-name").text = "Piano"
    music = ET.SubElement(root, "part", id="P1")
    staves = [bars_of(piece, upper=True), bars_of(piece, upper=False)]
    for number, bar in enumerate(piece.bars):
        measure = ET.SubElement(music, "measure", number=str(number + 1))
        before = piece.bars[number - 1] if number else None
        _attributes(measure, bar, before, key=key, fifths=fifths)
        _tempo(measure, bar, before)
        for staff, bars in enumerate(staves, start=1):
            _staff(measure, bars[number], staff, bar.ticks, fifths)
        if number == len(piece.bars) - 1:
            barline = ET.SubElement(measure, "barline", location="right")
            ET.SubElement(barline, "bar-style").text = "light-heavy"
    ET.indent(root, space=" ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_DOCTYPE}\n{text}\n'.encode()


def fifths_of(key: str) -> int:
    """Sharps, or less than 0 flats, of a key signature, at most 7: "Eb major" is -3, "F# minor" 3.

    Raises ValueError for what names no key.
    """
    tonic, _, mode = key.partition(" ")
    if not tonic or tonic[0] not in _TONIC_FIFTHS or mode not in {"major", "minor"}:
        raise ValueError(f"not a key: {key!r}")
    fifths = _TONIC_FIFTHS[tonic[0]] + 7 * (tonic.count("#") - tonic.count("b"))
    fifths += _MINOR_FIFTHS if mode == "minor" else 0
    # a key with eight sharps is the one with four flats
    return fifths if abs(fifths) <= _MOST_FIFTHS else fifths - (12 if fifths > 0 else -12)


def spelt(pitch: int, fifths: int) -> Spelling:
    """The pitch as it is written in the key: of its names the one nearest on the line of fifths, from three fifths
    below the key's tonic (as a major key) to eight above, where a minor key's leading note lies.
    """
    # C is 0 on the line, and a semitone seven fifths
    place = (7 * (pitch % 12) - (fifths - 3)) % 12 + (fifths - 3)
    alter, index = divmod(place + 1, 7)
    octave = (pitch - alter) // 12 - 1
    return Spelling(_STEPS_BY_FIFTHS[index], alter, octave)


def _attributes(measure: ET.Element, bar: Bar, before: Bar | None, *, key: str, fifths: int) -> None:
    metre = (bar.numerator, bar.denominator)
    if before is not None and metre == (before.numerator, before.denominator):
        return
    attributes = ET.SubElement(measure, "attributes")
    if before is None:
        ET.SubElement(attributes, "divisions").text = str(TICKS_PER_QUARTER)
        signature = ET.SubElement(attributes, "key")
        ET.SubElement(signature, "fifths").text = str(fifths)
        ET.SubElement(signature, "mode").text = key.partition(" ")[2]
    time = ET.SubElement(attributes, "time")
    ET.SubElement(time, "beats").text = str(bar.numerator)
    ET.SubElement(time, "beat-type").text = str(bar.denominator)
    if before is None:
        ET.SubElement(attributes, "staves").text = "2"
        for staff, (sign, line) in enumerate((("G", "2"), ("F", "4")), start=1):
            clef = ET.SubElement(attributes, "clef", number=str(staff))
            ET.SubElement(clef, "sign").text = sign
            ET.SubElement(clef, "line").text = line


def _tempo(measure: ET.Element, bar: Bar, before: Bar | None) -> None:
    if before is not None and before.bpm == bar.bpm:
        return
    direction = ET.SubElement(measure, "direction", placement="above")
    metronome = ET.SubElement(ET.SubElement(direction, "direction-type"), "metronome")
    ET.SubElement(metronome, "beat-unit").text = "quarter"
    ET.SubElement(metronome, "per-minute").text = str(bar.bpm)
    ET.SubElement(direction, "staff").text = "1"
    ET.SubElement(direction, "sound", tempo=str(bar.bpm))


def _staff(
    measure: ET.Element, voices: Sequence[Sequence[Symbol]], staff: int, ticks: int, fifths: int
) -> None:
    accidentals = _Accidentals(fifths)
    shown = accidentals.shown(voices)
    for number, symbols in enumerate(voices):
        if staff > 1 or number:
            ET.SubElement(ET.SubElement(measure, "backup"), "duration").text = str(ticks)
        voice = str((staff - 1) * _VOICES_A_STAFF + number + 1)
        whole_bar = len(symbols) == 1 and not symbols[0].pitches
        for symbol, brackets in zip(symbols, _tuplets(symbols), strict=True):
            if not symbol.pitches and number:
                # rests of a second voice would only be in the way
                forward = ET.SubElement(measure, "forward")
                ET.SubElement(forward, "duration").text = str(symbol.ticks)
                ET.SubElement(forward, "voice").text = voice
                ET.SubElement(forward, "staff").text = str(staff)
            elif not symbol.pitches:
                note = ET.SubElement(measure, "note")
                ET.SubElement(note, "rest", {"measure": "yes"} if whole_bar else {})
                _value(note, symbol, voice, staff, accidental=None, typed=not whole_bar)
                _notations(note, symbol, brackets)
            else:
                for place, pitch in enumerate(symbol.pitches):
                    note = _sounding(measure, symbol, spelt(pitch, fifths), in_chord=place > 0)
                    _value(note, symbol, voice, staff, accidental=shown.get((number, symbol.onset, pitch)))
                    _notations(note, symbol, brackets if place == 0 else ())


def _sounding(measure: ET.Element, symbol: Symbol, spelling: Spelling, *, in_chord: bool) -> ET.Element:
    loudness = f"{100 * symbol.velocity / _LOUDNESS_OF_100_PERCENT:.2f}"
    note = ET.SubElement(measure, "note", dynamics=loudness)
    if in_chord:
        ET.SubElement(note, "chord")
    pitch = ET.SubElement(note, "pitch")
    ET.SubElement(pitch, "step").text = spelling.step
    if spelling.alter:
        ET.SubElement(pitch, "alter").text = str(spelling.alter)
    ET.SubElement(pitch, "octave").text = str(spelling.octave)
    return note


def _value(
    note: ET.Element, symbol: Symbol, voice: str, staff: int, *, accidental: str | None, typed: bool = True
) -> None:
    """The rest of a note's children up to its notations, in the order of the schema."""
    ET.SubElement(note, "duration").text = str(symbol.ticks)
    for tied, kind in ((symbol.tied_before, "stop"), (symbol.tied_after, "start")):
        if tied:
            ET.SubElement(note, "tie", type=kind)
    ET.SubElement(note, "voice").text = voice
    if typed:
        name, dots = (TRIPLET_VALUES if symbol.triplet else VALUES)[symbol.ticks]
        ET.SubElement(note, "type").text = name
        for _ in range(dots):
            ET.SubElement(note, "dot")
    if accidental:
        ET.SubElement(note, "accidental").text = accidental
    if symbol.triplet:
        modification = ET.SubElement(note, "time-modification")
        ET.SubElement(modification, "actual-notes").text = "3"
        ET.SubElement(modification, "normal-notes").text = "2"
    ET.SubElement(note, "staff").text = str(staff)


def _notations(note: ET.Element, symbol: Symbol, brackets: Sequence[str]) -> None:
    ties = [kind for tied, kind in ((symbol.tied_before, "stop"), (symbol.tied_after, "start")) if tied]
    if not (ties or brackets):
        return
    notations = ET.SubElement(note, "notations")
    for kind in ties:
        ET.SubElement(notations, "tied", type=kind)
    for kind in brackets:
        ET.SubElement(
            notations, "tuplet", {"type": kind, "bracket": "yes"} if kind == "start" else {"type": kind}
        )


def _tuplets(symbols: Sequence[Symbol]) -> Iterator[tuple[str, ...]]:
    """For each symbol whether a triplet's bracket starts or stops there: a bracket spans one beat."""
    for place, symbol in enumerate(symbols):
        if not symbol.triplet:
            yield ()
            continue
        beat = symbol.onset // TICKS_PER_QUARTER
        first = not any(s.triplet and s.onset // TICKS_PER_QUARTER == beat for s in symbols[:place])
        last = not any(s.triplet and s.onset // TICKS_PER_QUARTER == beat for s in symbols[place + 1 :])
        yield tuple(kind for holds, kind in ((first, "start"), (last, "stop")) if holds)


@dataclass(slots=True)
class _Accidentals:
    """Which notes of a bar need an accidental: it holds for its line or space until the bar's end."""

    fifths: int
    _written: dict[tuple[str, int], int] = field(default_factory=dict)

    def shown(self, voices: Sequence[Sequence[Symbol]]) -> dict[tuple[int, int, int], str]:
        """By voice, onset and pitch."""
        found = {}
        in_time = sorted(
            (symbol.onset, number, pitch, symbol.tied_before)
            for number, symbols in enumerate(voices)
            for symbol in symbols
            for pitch in symbol.pitches
        )
        for onset, number, pitch, tied in in_time:
            spelling = spelt(pitch, self.fifths)
            line = (spelling.step, spelling.octave)
            if self._written.get(line, self._signature(spelling.step)) != spelling.alter and not tied:
                found[number, onset, pitch] = _ACCIDENTALS[spelling.alter]
                self._written[line] = spelling.alter
        return found

    def _signature(self, step: str) -> int:
        place = _STEPS_BY_FIFTHS.index(step)
        if self.fifths > 0:
            return 1 if place < self.fifths else 0
        return -1 if place >= 7 + self.fifths else 0
