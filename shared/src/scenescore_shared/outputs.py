"""The files that a job may have, and of what type each is: what workers store and the API describes."""

from collections.abc import Mapping
from types import MappingProxyType

MIDI = "music.mid"
OGG, MP3, WAV = "music.ogg", "music.mp3", "music.wav"
SCORE = "music.musicxml"
PIANO_ROLL = "pianoroll.png"

OUTPUT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        MIDI: "audio/midi",
        OGG: "audio/ogg",
        MP3: "audio/mpeg",
        WAV: "audio/wav",
        SCORE: "application/vnd.recordare.musicxml+xml",
        PIANO_ROLL: "image/png",
    }
)


def variation(name: str, number: int) -> str:
    """The name of a file of the variation of that number, counted from 1: music.mid, music-2.mid, and so on."""
    stem, _, suffix = name.partition(".")
    return name if number == 1 else f"{stem}-{number}.{suffix}"
