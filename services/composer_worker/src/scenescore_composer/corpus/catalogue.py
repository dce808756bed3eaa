"""The port of the clip catalogue, what goes through it, and a fake that keeps everything in memory."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scenescore_shared.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Clip:
    """A few seconds of music with an emotion, its tokens ready to learn from."""

    id: str
    """32 hexadecimal digits, from the corpus's name and the clip's MIDI bytes: the same on every machine."""
    corpus: str
    """Name of the corpus it belongs to."""
    title: str
    """For people: the work, and where in it (`… (bars 9-14)`). At most 200 characters."""
    song: str
    """The piece that it was cut from: clips of one song belong on the same side of a split."""
    emotion: str
    """One of `ALL_EMOTIONS`."""
    licence: str
    source: str
    """Where the music came from: the path in the package's or the user's folder."""
    seconds: float
    features: Mapping[str, float]
    """Measures of the music, by name: see `features.Features`."""
    tokens: tuple[int, ...]
    """`tokens.encode` of the music: 0 ≤ token < `tokens.VOCABULARY_SIZE` < 2¹⁶."""
    tokens_version: str
    """`tokens.TOKENS_VERSION` of the code that wrote `tokens`."""
    blob_key: str
    """Where its MIDI lies in the blob store."""


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    name: str
    version: str
    """Changes whenever the clips may: with the code that chooses them, or the files they were read from."""


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    name: str
    version: str
    clips: Mapping[str, int]
    """Emotion → number of clips; emotions without a clip are left out."""


class ClipCatalogue(Protocol):
    """Clips by corpus. Synchronous; each method is one transaction."""

    def corpora(self) -> list[CorpusSummary]:
        """Every corpus, by name."""
        ...

    def replace(self, corpus: CorpusInfo, clips: Sequence[Clip]) -> None:
        """Make `clips` the whole content of the corpus of that name, whatever it held before.

        Atomic: readers see the old clips or the new ones, never a mixture. Every clip's `corpus` is
        `corpus.name`; ids are distinct.
        """
        ...

    def ids_by_emotion(self, corpora: Collection[str] | None = None) -> dict[str, list[str]]:
        """Emotion → ids of its clips in ascending order, over the named corpora (None: over all)."""
        ...

    def get(self, ids: Sequence[str]) -> list[Clip]:
        """The clips of these ids, in the order asked for.

        Raises NotFoundError when one of them is not there (any more).
        """
        ...

    def clips(self, corpus: str) -> Iterable[Clip]:
        """Every clip of one corpus by ascending id; none when there is no such corpus."""
        ...


class InMemoryClipCatalogue:
    """A `ClipCatalogue` for tests and trials: forgets everything with the process."""

    def __init__(self) -> None:
        self._corpora: dict[str, tuple[CorpusInfo, dict[str, Clip]]] = {}

    def corpora(self) -> list[CorpusSummary]:
        return [
            CorpusSummary(info.name, info.version, Counter(clip.emotion for clip in clips.values()))
            for _, (info, clips) in sorted(self._corpora.items())
        ]

    def replace(self, corpus: CorpusInfo, clips: Sequence[Clip]) -> None:
        self._corpora[corpus.name] = (corpus, {clip.id: clip for clip in clips})

    def ids_by_emotion(self, corpora: Collection[str] | None = None) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, (_, clips) in self._corpora.items():
            if corpora is None or name in corpora:
                for clip in clips.values():
                    found.setdefault(clip.emotion, []).append(clip.id)
        return {emotion: sorted(ids) for emotion, ids in found.items()}

    def get(self, ids: Sequence[str]) -> list[Clip]:
        known = {key: clip for _, clips in self._corpora.values() for key, clip in clips.items()}
        missing = [key for key in ids if key not in known]
        if missing:
            raise NotFoundError(f"no clip {missing[0]} in the catalogue: build or import the corpus again")
        return [known[key] for key in ids]

    def clips(self, corpus: str) -> Iterable[Clip]:
        if corpus not in self._corpora:
            return []
        return sorted(self._corpora[corpus][1].values(), key=lambda clip: clip.id)
