"""Half a minute of music to sound files, beside the bare synthesiser on the same SoundFont.

PYTHONPATH=tests python benchmarks/render.py [--soundfont FILE] [--runs 5]

Whole is what the render worker does for the sound: MIDI bytes in; OGG and WAV at one loudness out, from the child
process. The bare synthesiser makes the samples alone. Both are measured in turn, for three instruments; of the files
the decoded peak is told. Without --soundfont the one that the worker would find is played.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile
from machine import machine
from miditoolkit import MidiFile
from samples.midi import piece

from scenescore_composer.rendering.loudness import integrated, peak_dbfs
from scenescore_composer.rendering.sound import SoundMaker
from scenescore_composer.rendering.soundfonts import find
from scenescore_composer.rendering.synthesis import SAMPLE_RATE, at_hand

SECONDS = 30.0
INSTRUMENTS = {"piano": 0, "strings": 48, "flute": 73}
LIMIT_SECONDS, MEMORY_BYTES = 120.0, 2**31


def music(program: int) -> bytes:
    file = MidiFile(file=io.BytesIO(piece("happy", seconds=SECONDS)))
    for part in file.instruments:
        part.program = program
    written = io.BytesIO()
    file.dump(file=written)
    return written.getvalue()


def timed(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def told(samples_of: bytes) -> str:
    samples, rate = soundfile.read(io.BytesIO(samples_of), dtype="float32")
    return f"peak {peak_dbfs(samples):.2f} dBFS, {integrated(samples, rate):.1f} LUFS"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--soundfont", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    font = find(options.soundfont)
    bare = at_hand(font.path, seconds=LIMIT_SECONDS)
    print(
        f"{machine()}; {type(bare).__name__} with {font.name}; {SECONDS:g} s of music; {options.runs} runs in turn"
    )
    with SoundMaker(font, formats=("ogg", "wav"), seconds=LIMIT_SECONDS, memory_bytes=MEMORY_BYTES) as maker:
        maker.check()
        for name, program in INSTRUMENTS.items():
            midi = music(program)
            files = maker.render(midi)
            whole, alone = [], []
            for _ in range(options.runs):
                whole.append(timed(partial(maker.render, midi)))
                alone.append(timed(partial(bare.play, midi)))
            seconds, floor = statistics.median(whole), statistics.median(alone)
            print(
                f"{name}: {seconds:.2f} s (worst {max(whole):.2f}), the bare synthesiser {floor:.2f} s, "
                f"{seconds / floor:.1f} times; ogg {told(files['ogg'])}; wav {told(files['wav'])}"
            )
    print(f"{SAMPLE_RATE} Hz, stereo")


if __name__ == "__main__":
    main()
