"""What a mix of emotions asks of the music: tempo, density, mode, register, texture, loudness, articulation. Pure.

Directions and their ranking are those of the literature: mode and tempo first, then register, loudness and articulation
(T. Eerola, A. Friberg and R. Bresin, "Emotional expression in music", 2013, who found the cues to add up about
linearly). Happy music is fast, major, fairly loud, high and detached; angry fast, minor, loud, dense and low; sad
slow, minor, soft, sparse and legato; calm slow, major, soft and legato (P. N. Juslin, "Cue utilization in
communication of emotion in music performance", 2000; R. Bresin and A. Friberg, "Emotion rendering in music", 2011;
A. Gabrielsson and E. Lindström, "The role of structure in the musical expression of emotions", 2010). The sizes are
ours, within the ranges that those studies let performers choose from; none is fitted to labelled clips.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


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
    """Share of its written length that a note sounds, 0-1: 1 is legato, 0.5 staccato."""


CHARACTERS: Mapping[str, Character] = {
    "happy": Character(132, 4.8, 1.0, 67, 2.0, 84, 0.70),
    "angry": Character(144, 6.4, 0.0, 56, 2.5, 108, 0.82),
    "sad": Character(56, 1.7, 0.0, 58, 1.9, 48, 1.0),
    "calm": Character(66, 2.0, 1.0, 63, 1.9, 52, 0.97),
}


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
