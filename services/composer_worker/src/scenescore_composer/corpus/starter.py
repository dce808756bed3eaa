"""The starter corpus: clips of the scores that the package music21 installs, built here and never re-shipped."""

import queue
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from itertools import chain, zip_longest
from pathlib import Path

from tqdm import tqdm

from scenescore_composer.corpus.catalogue import Clip, ClipCatalogue
from scenescore_composer.corpus.child import Child, ChildFailedError
from scenescore_composer.corpus.clips import CLIP_SECONDS, LabelledMusic, Skipped, keep, refresh_tokens
from scenescore_composer.corpus.guarded import piece_from_json
from scenescore_composer.corpus.works import WORKS, Work
from scenescore_shared.errors import EmptyCorpusError
from scenescore_shared.ports import BlobStore

STARTER = "starter"
PER_EMOTION = 120
_CHOICE = "3"  # changes with the works, the labels' rule or the way that clips are cut and performed
_SECONDS_PER_WORK = 120.0
_MEMORY_BYTES = 3 * 2**30
_FORBIDDING = ("all rights reserved", "forbidden", "prohibited", "not permitted", "no commercial")
_LICENCE_SENTENCE = "To the best of our knowledge"


@dataclass(frozen=True, slots=True)
class BuildReport:
    built: bool
    """False when the corpus was there already."""
    clips: Mapping[str, int]
    """Emotion → number of clips in the corpus now."""
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    labelled: LabelledMusic
    clarity: float


def build_starter(
    catalogue: ClipCatalogue,
    blobs: BlobStore,
    *,
    processes: int = 2,
    clip_seconds: float = CLIP_SECONDS,
    per_emotion: int = PER_EMOTION,
    works: Sequence[Work] = WORKS,
    show_progress: bool = True,
) -> BuildReport:
    """Build the starter corpus unless it is there: as many clips of each emotion, `per_emotion` at most.

    Works are parsed in `processes` child processes; one that can't be read, or whose notice forbids use, is
    skipped and reported. The same installed scores always give the same corpus. Tokens that an older
    version wrote are renewed, in every corpus.

    Raises EmptyCorpusError when no clip at all could be made.
    """
    refresh_tokens(catalogue, blobs)
    version = f"{_CHOICE}-music21-{metadata.version('music21')}-{clip_seconds:g}s"
    for present in catalogue.corpora():
        if (present.name, present.version) == (STARTER, version):
            return BuildReport(built=False, clips=present.clips, skipped=())
    found, skipped = _parse(works, processes, clip_seconds, show_progress=show_progress)
    clips = keep(STARTER, _balanced(found, per_emotion), catalogue, blobs, version=version).clips
    if not clips:
        raise EmptyCorpusError(
            "no score of the package music21 could be read"
            + (f" (first: {skipped[0].source}: {skipped[0].reason})" if skipped else "")
        )
    return BuildReport(built=True, clips=_count(clips), skipped=tuple(skipped))


def _count(clips: Sequence[Clip]) -> Mapping[str, int]:
    return Counter(clip.emotion for clip in clips)


def _parse(
    works: Sequence[Work], processes: int, clip_seconds: float, *, show_progress: bool
) -> tuple[list[_Candidate], list[Skipped]]:
    """Every clear clip of every work, in the order of the works."""
    terms = _general_terms()
    free: queue.SimpleQueue[Child] = queue.SimpleQueue()
    with ExitStack() as stack:
        for _ in range(processes):
            child = Child(
                "scenescore_composer.corpus.scores", seconds=_SECONDS_PER_WORK, memory_bytes=_MEMORY_BYTES
            )
            free.put(stack.enter_context(child))

        def parse(work: Work) -> list[_Candidate] | Skipped:
            child = free.get()
            try:
                return _candidates(work, child, clip_seconds, terms)
            finally:
                free.put(child)

        pool = stack.enter_context(ThreadPoolExecutor(processes))
        outcomes = list(
            tqdm(
                pool.map(parse, works),
                total=len(works),
                desc="Building the starter corpus",
                unit="work",
                disable=None if show_progress else True,
            )
        )
    found = [outcome for outcome in outcomes if not isinstance(outcome, Skipped)]
    return list(chain.from_iterable(found)), [o for o in outcomes if isinstance(o, Skipped)]


def _candidates(work: Work, child: Child, clip_seconds: float, terms: str) -> list[_Candidate] | Skipped:
    request = {"path": work.path, "bpm": work.bpm, "clip_seconds": clip_seconds}
    try:
        try:
            answer = child.ask(request)
        except ChildFailedError:
            # a machine that was too busy or short of memory for a moment must not leave a work out for ever
            answer = child.ask(request)
    except ChildFailedError as error:
        return Skipped(work.path, str(error))
    notice = answer["notice"]
    if any(words in notice.lower() for words in _FORBIDDING):
        return Skipped(work.path, f"its notice forbids use: {notice}")
    return [
        _Candidate(
            LabelledMusic(
                music=piece_from_json(clip["music"]),
                emotion=clip["emotion"],
                title=f"{work.title} ({number})",
                song=work.title,
                licence=f"{notice}. {terms}" if notice else terms,
                source=f"music21: {work.path}",
            ),
            clip["clarity"],
        )
        for number, clip in enumerate(answer["clips"], start=1)
    ]


def _general_terms() -> str:
    """What the installed corpus says of the licences of its scores: one sentence of its `license.txt`."""
    package = find_spec("music21")  # importing it would take seconds
    if package is None or package.origin is None:
        raise EmptyCorpusError("the package music21, whose scores make the starter corpus, is not installed")
    text = (Path(package.origin).parent / "corpus" / "license.txt").read_text("utf-8")
    start = text.find(_LICENCE_SENTENCE)
    if start < 0:
        return "see corpus/license.txt of the package music21"
    return " ".join(text[start:].split(".", maxsplit=1)[0].split())


def _balanced(found: Sequence[_Candidate], per_emotion: int) -> list[LabelledMusic]:
    """Equally many clips of each emotion that occurs: of every work in turn its clearest clip that is left."""
    by_emotion: dict[str, dict[str, list[_Candidate]]] = defaultdict(lambda: defaultdict(list))
    unique = {candidate.labelled.music: candidate for candidate in reversed(found)}
    for candidate in reversed(unique.values()):
        by_emotion[candidate.labelled.emotion][candidate.labelled.song].append(candidate)
    in_turn = {emotion: _in_turn(list(songs.values())) for emotion, songs in sorted(by_emotion.items())}
    size = min((per_emotion, *(len(clips) for clips in in_turn.values())))
    return [clip.labelled for clips in in_turn.values() for clip in clips[:size]]


def _in_turn(songs: Sequence[list[_Candidate]]) -> list[_Candidate]:
    clearest_first = (sorted(song, key=lambda candidate: -candidate.clarity) for song in songs)
    rounds = zip_longest(*clearest_first)
    return [candidate for candidate in chain.from_iterable(rounds) if candidate is not None]
