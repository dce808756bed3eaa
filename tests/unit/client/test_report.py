"""A job as a person reads it."""

from pathlib import Path

from scenescore_client import Music
from scenescore_client.report import as_text


def test_every_file_has_a_label() -> None:
    names = ("music.mid", "music.ogg", "music.musicxml", "pianoroll.png", "new.kind")
    music = Music(seconds=30.04, tempo_bpm=96.0, key="A minor", notes=120)
    told = as_text(
        {"sad": 0.7, "happy": 0.3}, music, {"seed": 7, "clips": [1, 2]}, {name: Path(name) for name in names}
    )
    assert told.splitlines() == [
        "How it feels:",
        "  sad     70.0%  █████████████████████",
        "  happy   30.0%  █████████",
        "Music: 30.0 s, 96 bpm, A minor, 120 notes, learnt from 2 clips (seed 7)",
        "MIDI: music.mid",
        "Sound: music.ogg",
        "Score: music.musicxml",
        "Piano roll: pianoroll.png",
        "File: new.kind",
    ]


def test_a_server_moves_nobodys_cursor() -> None:
    told = as_text({"sad\x1b[2J": 1.0}, None, {}, {})
    assert "\x1b" not in told
    assert told.count("\n") == 2
