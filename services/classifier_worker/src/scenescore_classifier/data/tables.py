"""`labels.csv`: a line per picture with its emotion, its valence and arousal, or both."""

import csv
import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenescore_classifier.data.affect import Scale, emotion_of
from scenescore_classifier.data.entries import NO_EMOTION, Affect, DatasetError, Entry, Listing, Skipped
from scenescore_classifier.data.themes import theme_from_name
from scenescore_shared.emotions import ALL_EMOTIONS

Row = Mapping[str, str]
"""Cells by column, both stripped, columns in small letters."""

_RATINGS = ("valence", "arousal")


@dataclass(frozen=True)
class TableRules:
    """How to read what a table leaves open."""

    scale: Scale | None = None
    """Of valence and arousal where the table has no column `scale`."""
    dead_zone: float | None = None
    """Where set, pictures without an emotion get that of their quadrant, unless valence or arousal is nearer to
    the middle than that, in [0, 1)."""

    def __post_init__(self) -> None:
        if self.dead_zone is not None and not 0 <= self.dead_zone < 1:
            raise DatasetError(f"A dead zone of {self.dead_zone:g} is not in [0, 1): choose one such as 0.2.")


def list_table(table: Path, rules: TableRules) -> Listing:
    """The rows of `table`.

    Columns: `file` (relative to the table's folder), `emotion` and/or `valence` and `arousal`; optionally
    `valence_sd` and `arousal_sd`, `scale` (of all four, such as 1-9; goes before that of `rules`) and `theme`.
    Valence and arousal without a scale are not used, and a warning says so.

    Raises DatasetError when it is no CSV file in UTF-8 with those columns and at least one row.
    """
    columns, rows = _parse(table)
    warnings = []
    if {"valence", "arousal"} & columns and rules.scale is None and "scale" not in columns:
        warnings.append(
            f"{table.name} has valence and arousal without their scale, so they are not used: "
            "give the scale (such as 1-9), or add a column scale."
        )
    items = [_item(line, row, rules) for line, row in rows]
    return Listing(tuple(_without_twins(items)), tuple(warnings))


def _parse(table: Path) -> tuple[set[str], list[tuple[int, Row]]]:
    """Names of the columns; rows with the line that each ends on."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = [name.strip().lower() for name in next(reader, [])]
            # a row that is cut short has nothing in what it lacks; surplus cells don't count
            rows: list[tuple[int, Row]] = [
                (reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=False)))
                for cells in reader
                if cells
            ]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise DatasetError(f"{table} can't be read as a CSV file in UTF-8: {error}.") from error
    named = set(columns)
    if not rows or "file" not in named or not named & {"emotion", *_RATINGS}:
        raise DatasetError(
            f"{table} needs a line of names with the columns file and emotion (or valence and arousal), "
            "separated by commas, and rows below it."
        )
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    if twice:
        raise DatasetError(f"{table} has more than one column {twice[0]}: keep one.")
    return named, rows


def _item(line: int, row: Row, rules: TableRules) -> Entry | Skipped:
    file = row.get("file", "")
    if not any(row.values()):
        return Skipped(f"line {line}", "empty row")
    if not file:
        return Skipped(f"line {line}", "no file given")
    emotion = row.get("emotion", "").lower()
    if emotion and emotion not in ALL_EMOTIONS:
        return Skipped(file, f"unknown emotion: {emotion}")
    try:
        affect = _affect(row, rules.scale)
    except (ValueError, DatasetError) as error:
        return Skipped(file, str(error).rstrip("."))
    if not emotion and affect is None:
        return Skipped(file, NO_EMOTION)
    derived = None
    if not emotion and affect is not None and rules.dead_zone is not None:
        derived = emotion_of(affect, rules.dead_zone)
    theme = row.get("theme", "") or theme_from_name(file)
    return Entry(file, emotion or derived or "", theme, affect, derived=derived is not None)


def _affect(row: Row, scale: Scale | None) -> Affect | None:
    """None where the row has neither rating, or no scale for them. Raises ValueError on values that are none."""
    if row.get("scale"):
        scale = Scale.parse(row["scale"])
    if scale is None or not any(row.get(name) for name in _RATINGS):
        return None
    places: list[float | None] = []
    for name, read in [
        *((name, scale.position) for name in _RATINGS),
        *((f"{name}_sd", scale.spread) for name in _RATINGS),
    ]:
        try:
            places.append(read(row[name]) if row.get(name) else None)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return Affect(*places)


def _without_twins(items: list[Entry | Skipped]) -> Iterator[Entry | Skipped]:
    """Of rows that say the same of one file the first counts; of rows that contradict each other none does."""
    said: dict[str, list[Entry]] = defaultdict(list)
    for item in items:
        if isinstance(item, Entry):
            said[posixpath.normpath(item.file)].append(item)
    seen: set[str] = set()
    for item in items:
        if isinstance(item, Skipped):
            yield item
            continue
        name = posixpath.normpath(item.file)
        emotions = sorted({entry.emotion or "none" for entry in said[name]})
        if len(emotions) > 1:
            yield Skipped(item.file, f"named twice with different emotions: {', '.join(emotions)}")
        elif len({(entry.theme, entry.affect) for entry in said[name]}) > 1:
            yield Skipped(item.file, "named twice with different themes or ratings")
        elif name in seen:
            yield Skipped(item.file, "named twice")
        else:
            yield item
        seen.add(name)
