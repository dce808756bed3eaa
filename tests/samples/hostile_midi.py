"""MIDI files that mean harm, made here."""

import struct
from collections.abc import Iterator

_END = b"\0\xff\x2f\0"


def track(events: bytes, *, length: int | None = None) -> bytes:
    return b"MTrk" + struct.pack(">I", len(events) if length is None else length) + events


def file_of(*tracks: bytes, count: int | None = None, division: int = 480, kind: int = 1) -> bytes:
    header = struct.pack(">IHHH", 6, kind, len(tracks) if count is None else count, division)
    return b"MThd" + header + b"".join(tracks)


def variable(number: int) -> bytes:
    """A number in MIDI's seven bits a byte."""
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def notes(count: int, *, apart: int = 60) -> bytes:
    """A scale over and over."""
    return b"".join(
        b"\0" + bytes((0x90, 48 + number % 24, 80)) + variable(apart) + bytes((0x80, 48 + number % 24, 0))
        for number in range(count)
    )


def hostile_midi() -> Iterator[tuple[str, bytes]]:
    tune = notes(64) + _END
    yield "good", file_of(track(tune))
    yield "track longer than the file", file_of(track(tune, length=2**32 - 1))
    yield "track of no length", file_of(track(tune, length=0))
    yield "delta that never ends", file_of(track(b"\xff" * 200 + tune))
    yield "deltas of 2^28", file_of(track(notes(8, apart=2**28 - 1) + _END))
    yield "a note of 10^9 ticks", file_of(track(b"\0\x90\x40\x50" + variable(10**9) + b"\x80\x40\0" + _END))
    yield "running status of nothing", file_of(track(b"\0\x40\x50" * 50 + _END))
    yield "running status after a meta event", file_of(track(b"\0\xff\1\1a\0\x40\x50" + _END))
    yield "meta event of 2^28", file_of(track(b"\0\xff\1" + variable(2**28 - 1) + tune))
    yield "system exclusive without an end", file_of(track(b"\0\xf0" + variable(2**27) + tune))
    yield "tempo 0", file_of(track(b"\0\xff\x51\3\0\0\0" + tune))
    yield "tempo of 2 bytes", file_of(track(b"\0\xff\x51\2\0\0" + tune))
    yield "tempos on every tick", file_of(track(b"\1\xff\x51\3\1\2\3" * 20_000 + tune))
    yield "time signature 0/2^255", file_of(track(b"\0\xff\x58\4\0\xff\0\0" + tune))
    yield "time signature 255/2^200", file_of(track(b"\0\xff\x58\4\xff\xc8\0\0" + tune))
    yield "division 0", file_of(track(tune), division=0)
    yield "division 1", file_of(track(tune), division=1)
    yield "division 32,767", file_of(track(tune), division=32_767)
    yield "frames a second", file_of(track(tune), division=0xE728)
    yield "65,535 tracks told", file_of(track(tune), count=65_535)
    yield "65,535 tracks", file_of(*[track(_END)] * 65_534, track(tune))
    yield "tracks told 0", file_of(track(tune), count=0)
    yield "kind 2", file_of(track(tune), track(tune), kind=2)
    yield "kind 9", file_of(track(tune), kind=9)
    yield "a flood of notes that never end", file_of(track(b"\0\x90\x40\x50" * 100_000 + _END))
    yield "a flood of notes on one pitch", file_of(track(notes(100_000, apart=0) + _END))
    yield "more notes than are taken", file_of(track(notes(250_000, apart=1) + _END))
    yield "a very long piece", file_of(track(notes(60_000, apart=100_000) + _END))
    yield "data bytes above 127", file_of(track(b"\0\x90\xff\xff" * 50 + _END))
    yield "keys that do not exist", file_of(track(b"\0\xff\x59\2\x7f\x7f" + tune))
    yield "names that are no text", file_of(track(b"\0\xff\3\4\xff\xfe\0\xd8" + tune))
    yield "only drums", file_of(track(tune.replace(b"\x90", b"\x99").replace(b"\x80", b"\x89")))
    yield "riff around it", b"RIFF" + struct.pack("<I", 99) + b"RMIDdata" + file_of(track(tune))
