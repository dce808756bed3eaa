"""`scenescore corpus build | import | list`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from scenescore_composer.corpus.importing import import_csv
from scenescore_composer.corpus.importing import import_folder as import_emotion_folders
from scenescore_composer.corpus.starter import STARTER, build_starter
from scenescore_shared.errors import InvalidRequestError
from scenescore_standalone.embedded import opened
from scenescore_standalone.settings import StandaloneSettings

_LONGEST_NAME = 64


def build(settings: StandaloneSettings, _options: argparse.Namespace) -> int:
    with opened(settings) as corpora:
        report = build_starter(corpora.catalogue, corpora.blobs)
    for skipped in report.skipped:
        sys.stderr.write(f"skipped {skipped.source}: {skipped.reason}\n")
    clips = ", ".join(f"{count} {emotion}" for emotion, count in sorted(report.clips.items()))
    sys.stdout.write(
        f"The starter corpus {'is built' if report.built else 'was there already'}: {clips} clips.\n"
    )
    return 0


def import_folder(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    """Imports a folder per emotion, or what the folder's one CSV lists. 1 when nothing could be used."""
    folder: Path = options.folder
    if not folder.exists():
        raise InvalidRequestError(f"there is no folder {folder}")
    table = _table_of(folder)
    name = options.name or (folder if folder.is_dir() else folder.parent).resolve().name
    if not name or name == STARTER or len(name) > _LONGEST_NAME:
        raise InvalidRequestError(
            f"a corpus can't be called {name!r}: choose --name, up to {_LONGEST_NAME} characters, not {STARTER!r}"
        )
    with opened(settings) as corpora:
        if table is not None:
            report = import_csv(table, corpus=name, catalogue=corpora.catalogue, blobs=corpora.blobs)
        else:
            report = import_emotion_folders(
                folder, corpus=name, catalogue=corpora.catalogue, blobs=corpora.blobs
            )
    for skipped in report.skipped:
        sys.stderr.write(f"skipped {skipped.source}: {skipped.reason}\n")
    if not report.clips:
        sys.stderr.write("scenescore: nothing could be imported; the corpora are as they were\n")
        return 1
    sys.stdout.write(
        f"The corpus {name} holds {_counts(report.clips)} clips; {len(report.skipped)} files skipped.\n"
    )
    return 0


def _table_of(folder: Path) -> Path | None:
    """The CSV that was named, or the only one in the folder."""
    if folder.is_file():
        return folder
    tables = sorted(folder.glob("*.csv"))
    if len(tables) > 1:
        raise InvalidRequestError(f"{folder} holds {len(tables)} CSV files: name the one to import")
    return tables[0] if tables else None


def _counts(clips: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {emotion}" for emotion, count in sorted(clips.items()))


def show(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    with opened(settings) as corpora:
        found = corpora.catalogue.corpora()
    for corpus in found:
        clips = dict(sorted(corpus.clips.items()))
        if options.json:
            line = json.dumps({"name": corpus.name, "version": corpus.version, "clips": clips})
        else:
            line = f"{corpus.name} ({corpus.version}): {_counts(clips)}"
        sys.stdout.write(line + "\n")
    if not found:
        sys.stderr.write("There is no corpus yet: `scenescore corpus build` makes the starter corpus.\n")
    return 0
