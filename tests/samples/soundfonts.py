"""The smallest SoundFont that plays: one looped sine under a few programs, by the SoundFont 2.04 specification."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RATE, ROOT, PERIODS, PERIOD = 44_100, 69, 441, 100
"""A period of 100 samples at 44.1 kHz: 441 Hz, near the A of MIDI pitch 69."""
_SILENT_SAMPLES = 46
_SAMPLE_MODES, _SAMPLE_ID, _INSTRUMENT = 54, 53, 41


def write_soundfont(path: Path, *, programs: Sequence[int] = (0,)) -> Path:
    wave = np.sin(2 * np.pi * np.arange(PERIODS * PERIOD) / PERIOD)
    frames = np.concatenate([np.round(wave * 24_000), np.zeros(_SILENT_SAMPLES)]).astype("<i2").tobytes()
    information = (
        _chunk(b"ifil", struct.pack("<HH", 2, 4))
        + _chunk(b"isng", b"EMU8000\0")
        + _chunk(b"INAM", b"tiny\0\0")
    )
    end = len(programs)
    presets = [
        struct.pack("<20sHHHIII", b"sine", program, 0, i, 0, 0, 0) for i, program in enumerate(programs)
    ]
    presets.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, end, 0, 0, 0))
    sample = struct.pack(
        "<20sIIIIIBbHH", b"sine", 0, len(wave), PERIOD, len(wave) - PERIOD, RATE, ROOT, 0, 0, 1
    )
    parts = (
        (b"phdr", b"".join(presets)),
        (b"pbag", b"".join(struct.pack("<HH", i, 0) for i in range(end + 1))),
        (b"pmod", bytes(10)),
        (b"pgen", struct.pack("<HH", _INSTRUMENT, 0) * end + bytes(4)),
        (b"inst", struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1)),
        (b"ibag", struct.pack("<HHHH", 0, 0, 2, 0)),
        (b"imod", bytes(10)),
        (b"igen", struct.pack("<HHHH", _SAMPLE_MODES, 1, _SAMPLE_ID, 0) + bytes(4)),
        (b"shdr", sample + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    )
    lists = (
        _list(b"INFO", information)
        + _list(b"sdta", _chunk(b"smpl", frames))
        + _list(b"pdta", b"".join(_chunk(name, data) for name, data in parts))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(lists) + 4) + b"sfbk" + lists)
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)
