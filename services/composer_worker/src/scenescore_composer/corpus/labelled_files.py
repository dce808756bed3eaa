"""Which MIDI files a folder or a table labels with which emotion."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenescore_composer.corpus.clips import Skipped
from scenescore_composer.corpus.labels import quadrant
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import InvalidRequestError

MIDI_SUFFIXES = (".mid", ".midi")
TABLE = "labels.csv"


@dataclass(frozen=True, slots=True)
class LabelledFile:
    path: Path
    source: str
    emotion: str
    title: str
    song: str
    """The piece that several files may have been cut from."""
    licence: str


def labelled_files(folder: Path) -> list[LabelledFile]:
    """The files of a folder with a `labels.csv`, or with a subfolder for each emotion. Lines of no use are left out.

    Raises InvalidRequestError where it is neither.
    """
    if (folder / TABLE).is_file():
        return files_listed(folder / TABLE, "")[0]
    return files_in(folder, "")


def files_in(folder: Path, licence: str) -> list[LabelledFile]:
    """The MIDI files in `folder/<emotion>/`, subfolders too.

    Raises InvalidRequestError when no subfolder is named after an emotion.
    """
    found = [folder / emotion for emotion in ALL_EMOTIONS if (folder / emotion).is_dir()]
    if not found:
        raise InvalidRequestError(
            f"{folder} has no subfolder named after an emotion: expected {', '.join(ALL_EMOTIONS)}"
        )
    return [
        LabelledFile(path, str(path.relative_to(folder)), emotion.name, path.stem, path.stem, licence)
        for emotion in found
        for path in sorted(emotion.rglob("*"))
        if path.suffix.lower() in MIDI_SUFFIXES
    ]


def files_listed(table: Path, licence: str) -> tuple[list[LabelledFile], list[Skipped]]:
    """The files that a CSV table names, with the columns that `importing.import_csv` tells of; and unusable lines.

    Raises InvalidRequestError when the table can't be read or lacks columns.
    """
    files: list[LabelledFile] = []
    skipped: list[Skipped] = []
    for line, row in _rows(table):
        path, emotion = row.get("path", ""), _emotion_of(row)
        if not path or emotion is None:
            skipped.append(Skipped(f"line {line}", "no path" if not path else "no emotion that we know"))
            continue
        stem = Path(path).stem
        files.append(
            LabelledFile(
                path=table.parent / path,
                source=path,
                emotion=emotion,
                title=row.get("title") or stem,
                song=row.get("song") or stem,
                licence=row.get("licence") or licence,
            )
        )
    return files, skipped


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by lower-case column name, cells stripped."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = {(name or "").strip().lower() for name in reader.fieldnames or ()}
            labelled = columns & {"emotion", "label"} or {"valence", "arousal"} <= columns
            if "path" not in columns or not labelled:
                raise InvalidRequestError(
                    f"{table} needs the columns path and emotion (or label), or path, valence and arousal"
                )
            for row in reader:
                cells = {(name or "").strip().lower(): value for name, value in row.items()}
                yield reader.line_num, {k: v.strip() for k, v in cells.items() if isinstance(v, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequestError(f"{table} can't be read as a CSV table: {error}") from error


def _emotion_of(row: Mapping[str, str]) -> str | None:
    named = (row.get("emotion") or row.get("label") or "").lower()
    if named:
        return named if named in ALL_EMOTIONS else None
    try:
        valence, arousal = float(row.get("valence", "")), float(row.get("arousal", ""))
    except ValueError:
        return None
    # neither 0 nor NaN lies on a side
    return quadrant(valence, arousal) if abs(valence) > 0 and abs(arousal) > 0 else None
