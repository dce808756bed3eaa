"""What a mix of emotions asks of the music: tempo, density, mode, register, texture, loudness, articulation. Pure.

Directions and their ranking are those of the literature: mode and tempo first, then register, loudness and articulation
(T. Eerola, A. Friberg and R. Bresin, "Emotional expression in music", 2013, who found the cues to add up about
linearly). Happy music is fast, major, fairly loud, high and detached; angry fast, minor, loud, dense and low; sad
slow, minor, soft, sparse and legato; calm slow, major, soft and legato (P. N. Juslin, "Cue utilization in
communication of emotion in music performance", 2000; R. Bresin and A. Friberg, "Emotion rendering in music", 2011;
A. Gabrielsson and E. Lindström, "The role of structure in the musical expression of emotions", 2010). How far it goes
is ours: tempo, density and register lie at the outer fifths and tenths of what 1,400 CC0 songs have. Nothing is fitted
to clips that people labelled.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Character:
    """Targets; a piece is judged by how near it comes."""

    tempo_bpm: float
    """Quarters a minute."""
    onsets_per_second: float
    major: float
    """Share of pieces that stand in a major key, 0-1."""
    pitch: float
    """Mean MIDI pitch, weighted by duration."""
    texture: float
    """Notes that start together, ≥ 1."""
    loudness: float
    """Mean MIDI velocity, 1-127."""
    articulation: float
    """Share of its written length that a short note sounds, 0-1: 1 is legato, 0.5 staccato."""


CHARACTERS: Mapping[str, Character] = {
    "happy": Character(122, 3.8, 1.0, 65, 1.9, 82, 0.94),
    "angry": Character(132, 4.8, 0.0, 56, 2.1, 104, 0.97),
    "sad": Character(70, 2.4, 0.0, 60, 1.8, 44, 1.0),
    "calm": Character(76, 2.6, 1.0, 63, 1.8, 50, 1.0),
}

_SPREAD = Character(0.22, 0.52, 0.0, 5.0, 0.75, 5.0, 0.05)
"""Standard deviations from piece to piece: of tempo, density and texture in natural logarithms."""
_SLOWEST, _FASTEST = 30.0, 244.0


def varied(character: Character, seed: int) -> Character:
    """A character like this one: no two pieces of one mood are alike. The same seed varies each the same way."""
    chance = random.Random(f"{seed}/character")
    tempo, density, _, pitch, texture, loudness, articulation = (
        spread * max(-2.0, min(2.0, chance.gauss(0, 1))) for spread in astuple(_SPREAD)
    )
    return Character(
        tempo_bpm=min(max(character.tempo_bpm * math.exp(tempo), _SLOWEST), _FASTEST),
        onsets_per_second=character.onsets_per_second * math.exp(density),
        major=character.major,
        pitch=character.pitch + pitch,
        texture=max(1.0, character.texture * math.exp(texture)),
        loudness=min(max(character.loudness + loudness, 1.0), 127.0),
        articulation=min(character.articulation + articulation, 1.0),
    )


def character_of(mix: Mapping[str, float]) -> Character:
    """The mean of the emotions' characters, weighted by their shares; of tempo, density and texture the geometric
    mean, as they are heard in ratios.

    `mix` is emotion → share ≥ 0, not all 0; it need not add up to 1.
    """
    total = sum(mix.values())
    shares = [(CHARACTERS[emotion], share / total) for emotion, share in mix.items() if share > 0]

    def mean(name: str) -> float:
        return sum(float(getattr(character, name)) * share for character, share in shares)

    def ratio_mean(name: str) -> float:
        return math.exp(sum(math.log(getattr(character, name)) * share for character, share in shares))

    return Character(
        tempo_bpm=ratio_mean("tempo_bpm"),
        onsets_per_second=ratio_mean("onsets_per_second"),
        major=mean("major"),
        pitch=mean("pitch"),
        texture=ratio_mean("texture"),
        loudness=mean("loudness"),
        articulation=mean("articulation"),
    )
