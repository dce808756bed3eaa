"""Importing users' own clips: a folder for each emotion (the thesis's layout), or a CSV table."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scenescore_composer.corpus.catalogue import ClipCatalogue
from scenescore_composer.corpus.clips import CLIP_SECONDS, LabelledMusic, Skipped, keep
from scenescore_composer.corpus.cutting import cut
from scenescore_composer.corpus.guarded import MAX_BYTES, GuardedParser
from scenescore_composer.corpus.labelled_files import LabelledFile, files_in, files_listed
from scenescore_composer.score import Piece
from scenescore_shared.errors import InvalidMidiError
from scenescore_shared.ports import BlobStore

UNKNOWN_LICENCE = "not stated"

Parse = Callable[[bytes], Piece]
"""Raises InvalidMidiError."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    clips: Mapping[str, int]
    """Emotion → number of clips now in the corpus. Empty when nothing could be used: the catalogue is unchanged."""
    skipped: tuple[Skipped, ...]


def import_folder(
    folder: Path,
    *,
    corpus: str,
    catalogue: ClipCatalogue,
    blobs: BlobStore,
    licence: str = UNKNOWN_LICENCE,
    clip_seconds: float = CLIP_SECONDS,
    parse: Parse | None = None,
    show_progress: bool = True,
) -> ImportReport:
    """Make the MIDI files in `folder/<emotion>/` (subfolders too) the content of the corpus of that name.

    Long files are cut into clips of about `clip_seconds`. Files that can't be used are skipped and reported. `parse`
    replaces a `GuardedParser`.

    Raises InvalidRequestError when no subfolder is named after an emotion.
    """
    files = files_in(folder, licence)
    return _Import(corpus, catalogue, blobs, clip_seconds, parse, show_progress).run(files, [])


def import_csv(
    table: Path,
    *,
    corpus: str,
    catalogue: ClipCatalogue,
    blobs: BlobStore,
    licence: str = UNKNOWN_LICENCE,
    clip_seconds: float = CLIP_SECONDS,
    parse: Parse | None = None,
    show_progress: bool = True,
) -> ImportReport:
    """Make the files that a CSV table names the content of the corpus of that name.

    Columns: `path` (from the table's folder) and `emotion` (or `label`), or `valence` and `arousal`, of which only the
    signs count; optionally `title`, `licence` and `song` (the piece that several files were cut from). An emotion in
    the table goes before valence and arousal. For the rest see `import_folder`.

    Raises InvalidRequestError when the table can't be read or lacks those columns.
    """
    files, skipped = files_listed(table, licence)
    return _Import(corpus, catalogue, blobs, clip_seconds, parse, show_progress).run(files, skipped)


@dataclass(frozen=True, slots=True)
class _Import:
    """What both ways of importing go on with."""

    corpus: str
    catalogue: ClipCatalogue
    blobs: BlobStore
    clip_seconds: float
    parse: Parse | None
    show_progress: bool

    def run(self, files: Sequence[LabelledFile], skipped: list[Skipped]) -> ImportReport:
        bar = tqdm(
            files, desc=f"Importing {self.corpus}", unit="file", disable=None if self.show_progress else True
        )
        with GuardedParser() as parser, bar:
            found = self._found(bar, self.parse or parser.parse, skipped)
            kept = keep(self.corpus, found, self.catalogue, self.blobs)
        return ImportReport(Counter(clip.emotion for clip in kept.clips), (*skipped, *kept.copies))

    def _found(
        self, files: Iterable[LabelledFile], parse: Parse, skipped: list[Skipped]
    ) -> Iterator[LabelledMusic]:
        """The clips of the files; what can't be used goes to `skipped`."""
        for file in files:
            try:
                music = parse(_content(file.path))
            except InvalidMidiError as error:
                skipped.append(Skipped(file.source, error.message))
                continue
            except OSError as error:
                skipped.append(Skipped(_storable(file.source), f"can't be read: {error.strerror}"))
                continue
            except ValueError:
                # a NUL in a table's path
                skipped.append(Skipped(_storable(file.source), "has a name that no file can have"))
                continue
            clips = list(_clips_of(file, music, self.clip_seconds))
            if not clips:
                skipped.append(Skipped(file.source, "too few notes"))
            yield from clips


def _clips_of(file: LabelledFile, music: Piece, clip_seconds: float) -> Iterator[LabelledMusic]:
    for piece in cut(music, clip_seconds):
        bars = f"bars {piece.first_bar + 1}-{piece.end_bar}"
        yield LabelledMusic(
            music=piece.music,
            emotion=file.emotion,
            title=_storable(f"{file.title} ({bars})"),
            song=_storable(file.song),
            licence=_storable(file.licence),
            source=_storable(file.source),
        )


def _content(path: Path) -> bytes:
    """A regular file's bytes, one more than the parser takes at most. Raises OSError."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _storable(text: str) -> str:
    """What a database keeps: no NUL, and no half of a surrogate pair, which names that are not UTF-8 come with."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
