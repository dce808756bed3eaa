"""MIDI to samples: the two synthesisers, and which of them is at hand.

FluidSynth, a program, is the better kept one and the better sounding (it knows reverberation and modulators).
TinySoundFont is a Python wheel without anything around it: for machines where nobody may install a program.
"""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from scenescore_composer.midi import read

SAMPLE_RATE = 44_100
"""Hz, that of nearly every SoundFont's samples."""
LONGEST_SECONDS = 300.0
"""The longest piece is 180 s; what is longer than this is no piece of ours."""
_TAIL_SECONDS = 4.0
_SILENCE = 10 ** (-60 / 20)
"""Of the loudest sample: where the last note counts as died away."""
_NOTHING = 1e-4
"""Of full scale: reverberation of nothing is not quite nothing."""
_FADE_SECONDS = 0.05

Samples = npt.NDArray[np.float32]
"""[frames, 2], full scale is ±1."""


class Synthesiser(Protocol):
    def play(self, data: bytes) -> Samples:
        """A MIDI file with at least one note, and what rings on after it. The same bytes give the same samples.

        Raises RuntimeError, or OSError, for a SoundFont that can't be played.
        """


class FluidSynth:
    """The program `fluidsynth`. It loads the SoundFont anew for each piece, which takes it a fraction of a second."""

    def __init__(self, soundfont: Path, program: str = "fluidsynth", *, seconds: float = 60.0) -> None:
        self._soundfont = soundfont
        self._program = program
        self._seconds = seconds

    def play(self, data: bytes) -> Samples:
        with TemporaryDirectory(prefix="scenescore-fluidsynth-") as folder:
            midi, sound = Path(folder) / "music.mid", Path(folder) / "music.wav"
            midi.write_bytes(data)
            # without another SoundFont to fall back on in silence
            where = ("-o", "synth.default-soundfont=", "-r", str(SAMPLE_RATE), "-T", "wav", "-F", str(sound))
            options = ("-n", "-i", "-q", "-O", "float", *where)
            try:
                done = subprocess.run(  # noqa: S603 - a program and files of our own choice
                    [self._program, *options, str(self._soundfont), str(midi)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                    timeout=self._seconds,
                )
            except subprocess.TimeoutExpired as error:
                raise RuntimeError(f"fluidsynth took longer than {self._seconds:g} s") from error
            if done.returncode or not sound.exists():
                raise RuntimeError(f"fluidsynth ended with {done.returncode}")
            samples: Samples = soundfile.read(sound, dtype="float32", always_2d=True)[0]
            return samples


class TinySoundFont:
    """The wheel `tinysoundfont`. It holds the SoundFont in memory, at twice the file's size."""

    def __init__(self, soundfont: Path) -> None:
        import tinysoundfont  # noqa: PLC0415 - not installed where FluidSynth is

        self._library = tinysoundfont
        self._synth = tinysoundfont.Synth(samplerate=SAMPLE_RATE)
        self._font = self._synth.sfload(str(soundfont))

    def play(self, data: bytes) -> Samples:
        # what sounded before, and how its controllers stood, must not be heard
        self._synth.soundfonts[self._font].reset()
        events = self._library.midi.load_memory(data)
        self._library.Sequencer(self._synth).add(events)
        frames = round((max(event.t for event in events) + _TAIL_SECONDS) * SAMPLE_RATE)
        return np.frombuffer(self._synth.generate(frames), dtype=np.float32).reshape(-1, 2)


def at_hand(soundfont: Path, *, seconds: float) -> Synthesiser:
    """One that takes `seconds` for a piece at most, where it knows how to. Raises RuntimeError where there is none."""
    if program := shutil.which("fluidsynth"):
        return FluidSynth(soundfont, program, seconds=seconds)
    if find_spec("tinysoundfont"):
        return TinySoundFont(soundfont)
    raise RuntimeError("neither the program fluidsynth nor the Python package tinysoundfont is installed")


def play(synthesiser: Synthesiser, data: bytes) -> Samples:
    """The piece without the silence behind it.

    Raises InvalidMidiError for what holds no notes, ValueError for music that is too long or of which the SoundFont
    sounds nothing, and what the synthesiser raises.
    """
    if read(data).seconds > LONGEST_SECONDS:
        raise ValueError(f"the music is longer than {LONGEST_SECONDS:g} s")
    return _without_silent_end(synthesiser.play(data))


def _without_silent_end(samples: Samples) -> Samples:
    heights = np.abs(samples).max(axis=1)
    highest = heights.max(initial=0)
    if highest < _NOTHING:
        raise ValueError("the SoundFont plays nothing of the music")
    loud = np.flatnonzero(heights > _SILENCE * highest)
    fade = round(_FADE_SECONDS * SAMPLE_RATE)
    kept: Samples = samples[: int(loud[-1]) + 1 + fade].copy()
    fade = min(fade, len(kept))
    kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return kept
