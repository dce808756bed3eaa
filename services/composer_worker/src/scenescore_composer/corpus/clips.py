"""Making clips out of music and keeping them: the last step of building and importing alike."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from scenescore_composer import midi, tokens
from scenescore_composer.corpus.catalogue import Clip, ClipCatalogue, CorpusInfo
from scenescore_composer.corpus.features import measure
from scenescore_composer.performance.shaping import is_flat, shaped
from scenescore_composer.score import Piece
from scenescore_shared.blob_keys import clip_key
from scenescore_shared.ports import BlobStore

CLIP_SECONDS = 10.0
MAX_TITLE = 200
MIDI_TYPE = "audio/midi"
_ID_LENGTH = 32
_VERSION_LENGTH = 16


@dataclass(frozen=True, slots=True)
class LabelledMusic:
    """A clip before it has an id and a place."""

    music: Piece
    emotion: str
    title: str
    song: str
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class Skipped:
    source: str
    reason: str
    """A sentence's part for the user: why the file, or the line of the table, gave no clip."""


@dataclass(frozen=True, slots=True)
class Kept:
    clips: list[Clip]
    copies: list[Skipped]
    """Music that was there already, in whatever key."""


def keep(
    corpus: str,
    found: Iterable[LabelledMusic],
    catalogue: ClipCatalogue,
    blobs: BlobStore,
    *,
    version: str | None = None,
) -> Kept:
    """Make `found` the corpus's whole content: blobs first, then the rows.

    Of music that differs by its key or its loudness alone the first stays. A flat score is kept as a performer of its
    emotion would take it: see `performance.shaping`. `version` None makes one from the clips. With nothing found the
    catalogue stays as it is.
    """
    clips: dict[str, Clip] = {}
    copies: list[Skipped] = []
    titles: dict[bytes, str] = {}
    for labelled in found:
        shape = _shape(labelled.music)
        if shape in titles:
            copies.append(
                Skipped(labelled.source, f"the same music as {titles[shape]}, perhaps in another key")
            )
            continue
        titles[shape] = labelled.title
        if is_flat(labelled.music):
            labelled = replace(labelled, music=shaped(labelled.music, {labelled.emotion: 1.0}))  # noqa: PLW2901
        data = midi.write(labelled.music)
        clip = _clip(corpus, labelled, data)
        blobs.put(clip.blob_key, data, MIDI_TYPE)
        clips[clip.id] = clip
    if clips:
        content = "".join(f"{key}{clips[key].emotion}" for key in sorted(clips))
        digest = hashlib.sha256(content.encode()).hexdigest()[:_VERSION_LENGTH]
        catalogue.replace(CorpusInfo(corpus, version or digest), list(clips.values()))
    return Kept(list(clips.values()), copies)


def _shape(music: Piece) -> bytes:
    """The same for music in every key, at every loudness and tempo."""
    lowest = min((note.pitch for note in music.notes), default=0)
    steps = [(note.onset, note.pitch - lowest, note.duration) for note in music.notes]
    metres = [(bar.numerator, bar.denominator) for bar in music.bars]
    return hashlib.sha256(repr((metres, steps)).encode()).digest()


def refresh_tokens(catalogue: ClipCatalogue, blobs: BlobStore) -> int:
    """Write the tokens of clips anew that another `TOKENS_VERSION` wrote, from their MIDI; how many there were."""
    refreshed = 0
    for summary in catalogue.corpora():
        clips = list(catalogue.clips(summary.name))
        stale = [clip for clip in clips if clip.tokens_version != tokens.TOKENS_VERSION]
        if stale:
            catalogue.replace(
                CorpusInfo(summary.name, summary.version), [_refreshed(c, blobs) for c in clips]
            )
            refreshed += len(stale)
    return refreshed


def _refreshed(clip: Clip, blobs: BlobStore) -> Clip:
    if clip.tokens_version == tokens.TOKENS_VERSION:
        return clip
    # our own writing, so no guard is needed
    music = midi.read(blobs.get(clip.blob_key))
    return replace(clip, tokens=tokens.encode(music).tokens, tokens_version=tokens.TOKENS_VERSION)


def _clip(corpus: str, labelled: LabelledMusic, data: bytes) -> Clip:
    clip_id = hashlib.sha256(corpus.encode() + b"\0" + data).hexdigest()[:_ID_LENGTH]
    return Clip(
        id=clip_id,
        corpus=corpus,
        title=labelled.title[:MAX_TITLE],
        song=labelled.song,
        emotion=labelled.emotion,
        licence=labelled.licence,
        source=labelled.source,
        seconds=labelled.music.seconds,
        features=measure(labelled.music).as_dict(),
        tokens=tokens.encode(labelled.music).tokens,
        tokens_version=tokens.TOKENS_VERSION,
        blob_key=clip_key(clip_id),
    )
