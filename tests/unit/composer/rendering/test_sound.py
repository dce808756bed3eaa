"""From MIDI bytes to sound files, on a SoundFont that the tests write themselves."""

import hashlib
import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from samples.midi import piece
from samples.soundfonts import write_soundfont

from scenescore_composer import midi
from scenescore_composer.rendering.encoding import HIGHEST_DBFS, LOWEST_DBFS, encode
from scenescore_composer.rendering.loudness import normalised, peak_dbfs
from scenescore_composer.rendering.settings import Format
from scenescore_composer.rendering.sound import SoundMaker
from scenescore_composer.rendering.soundfonts import NoSoundError, SoundFont, find
from scenescore_composer.rendering.synthesis import (
    LONGEST_SECONDS,
    SAMPLE_RATE,
    FluidSynth,
    Synthesiser,
    TinySoundFont,
    play,
)
from scenescore_composer.score import Bar, Note, Piece
from scenescore_shared.errors import InvalidMidiError

SYNTHESISERS = {
    "fluidsynth": which("fluidsynth") is not None,
    "tinysoundfont": find_spec("tinysoundfont") is not None,
}


@pytest.fixture(scope="module")
def soundfont(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_soundfont(tmp_path_factory.mktemp("soundfont") / "tiny.sf2", programs=(0, 48, 73))


@pytest.fixture(params=list(SYNTHESISERS))
def synthesiser(request: pytest.FixtureRequest, soundfont: Path) -> Synthesiser:
    if not SYNTHESISERS[request.param]:
        pytest.skip(f"{request.param} is not installed here")
    return FluidSynth(soundfont) if request.param == "fluidsynth" else TinySoundFont(soundfont)


@pytest.fixture(scope="module")
def maker(soundfont: Path) -> Iterator[SoundMaker]:
    if not any(SYNTHESISERS.values()):
        pytest.skip("no synthesiser is installed here")
    with SoundMaker(find(soundfont), formats=("ogg", "wav"), seconds=30, memory_bytes=2**31) as opened:
        yield opened


def two_notes(*, program: int = 0, velocities: tuple[int, int] = (100, 100)) -> bytes:
    """An A for half a second, half a second of nothing, and the A above for half a second."""
    notes = (Note(0, 69, 12, velocities[0]), Note(24, 81, 12, velocities[1]))
    return midi.write(Piece((Bar(4, 4, 120),), notes), program=program)


def level(samples: npt.NDArray[np.float32], start: float, end: float) -> float:
    return float(samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].std())


def pitch_hz(samples: npt.NDArray[np.float32]) -> float:
    spectrum = np.abs(np.fft.rfft(samples[:, 0]))
    return float(spectrum.argmax() * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("program", [0, 48])
def test_notes_sound_when_and_as_high_as_they_should(synthesiser: Synthesiser, program: int) -> None:
    samples = play(synthesiser, two_notes(program=program))
    first, second = samples[2_000:20_000], samples[46_000:64_000]
    assert pitch_hz(first) == pytest.approx(440, abs=5)
    assert pitch_hz(second) == pytest.approx(880, abs=5)
    assert level(samples, 0.85, 0.95) < 0.2 * level(samples, 0.1, 0.4)


def test_harder_notes_are_louder(synthesiser: Synthesiser) -> None:
    samples = play(synthesiser, two_notes(velocities=(40, 120)))
    assert level(samples, 1.1, 1.4) > 2 * level(samples, 0.1, 0.4)


def test_silence_at_the_end_goes_and_the_last_note_rings_out(synthesiser: Synthesiser) -> None:
    samples = play(synthesiser, two_notes())
    assert 1.5 < len(samples) / SAMPLE_RATE < 4
    assert abs(samples[-1]).max() == 0


def test_the_same_music_gives_the_same_samples_whatever_came_before(synthesiser: Synthesiser) -> None:
    first = play(synthesiser, two_notes())
    play(synthesiser, piece("angry", seconds=4))
    assert np.array_equal(first, play(synthesiser, two_notes()))


def test_what_is_no_music_of_ours_is_refused(synthesiser: Synthesiser) -> None:
    with pytest.raises(InvalidMidiError):
        play(synthesiser, b"MThd")
    bars = (Bar(4, 4, 10),) * 16
    long = midi.write(Piece(bars, (Note(0, 60, 12, 80), Note(48 * 15, 60, 12, 80))))
    with pytest.raises(ValueError, match=f"longer than {LONGEST_SECONDS:g} s"):
        play(synthesiser, long)


def test_the_files_hold_the_music_and_do_not_clip(maker: SoundMaker) -> None:
    files = maker.render(piece("happy", seconds=6))
    assert files.keys() == {"ogg", "wav"}
    decoded = {kind: soundfile.read(io.BytesIO(data), dtype="float32") for kind, data in files.items()}
    for samples, rate in decoded.values():
        assert rate == SAMPLE_RATE
        assert LOWEST_DBFS < peak_dbfs(samples) < HIGHEST_DBFS
    ogg, wav = decoded["ogg"][0], decoded["wav"][0]
    assert len(ogg) == len(wav)
    assert np.corrcoef(ogg[:, 0], wav[:, 0])[0, 1] > 0.95
    assert len(files["ogg"]) < len(files["wav"]) / 4


@pytest.mark.parametrize("kind", ["ogg", "mp3", "wav"])
def test_noise_that_a_codec_overshoots_is_brought_back(kind: Format, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = np.sign(rng.standard_normal((2 * SAMPLE_RATE, 2))).astype(np.float32)
    path = tmp_path / f"music.{kind}"
    encode(normalised(noise, SAMPLE_RATE), SAMPLE_RATE, kind, path)
    assert LOWEST_DBFS < peak_dbfs(soundfile.read(path, dtype="float32")[0]) < HIGHEST_DBFS


def test_a_piece_that_fails_does_not_cost_the_next_its_sound(maker: SoundMaker) -> None:
    with pytest.raises(NoSoundError, match=r"no notes|parsed"):
        maker.render(b"MThd")
    assert maker.render(two_notes())["wav"]


def test_what_is_no_soundfont_makes_no_sound(tmp_path: Path) -> None:
    (tmp_path / "broken.sf2").write_bytes(b"RIFF but no SoundFont")
    with (
        SoundMaker(find(tmp_path / "broken.sf2"), formats=("wav",), seconds=30, memory_bytes=2**31) as broken,
        pytest.raises(NoSoundError) as caught,
    ):
        broken.check()
    assert caught.value.code == "not_rendered"


def test_too_little_time_is_told(soundfont: Path) -> None:
    hurried = SoundMaker(find(soundfont), formats=("wav",), seconds=0.01, memory_bytes=2**31)
    with hurried, pytest.raises(NoSoundError, match="took longer than"):
        hurried.render(two_notes())


def test_the_soundfont_asked_for_comes_before_the_usual_places(tmp_path: Path, soundfont: Path) -> None:
    usual = tmp_path / "usual.sf2"
    usual.write_bytes(b"usual")
    assert find(soundfont, [usual]).path == soundfont
    found = find(None, [tmp_path / "none.sf2", usual])
    assert found == SoundFont(usual, hashlib.sha256(b"usual").hexdigest())


def test_where_there_is_no_soundfont_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoSoundError, match="fluid-soundfont-gm") as caught:
        find(None, [tmp_path / "none.sf2"])
    assert caught.value.code == "no_soundfont"
    with pytest.raises(NoSoundError, match="SCENESCORE_RENDER__SOUNDFONT"):
        find(tmp_path / "none.sf2", [])
