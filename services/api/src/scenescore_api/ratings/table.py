"""Ratings as CSV (RFC 4180) and back: for spreadsheets and statistics programs, and for a report without a server."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from scenescore_shared.errors import InvalidRequestError
from scenescore_shared.outputs import MIDI
from scenescore_shared.ratings import Grade, ModelVersion, RatedPiece, Rating, is_listener

COLUMNS = (
    "session_id",
    "job_id",
    "output",
    "listener",
    "quality",
    "fit",
    "classifier",
    "composer",
    "base_model",
    "updated_at",
)
_NEEDED = ("job_id", "listener", "quality")


def as_csv(rated: Iterable[RatedPiece]) -> str:
    """A line for each rating, below a line with the columns' names."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    for each in rated:
        rating, version = each.rating, each.version
        lines.writerow(
            (
                rating.session_id or "",
                rating.job_id,
                rating.output,
                rating.listener,
                rating.quality,
                rating.fit or "",
                version.classifier or "",
                version.composer or "",
                version.base_model or "",
                rating.updated_at.isoformat(),
            )
        )
    return text.getvalue()


def from_csv(text: str) -> list[RatedPiece]:
    """The ratings of such a table. Of its columns only `job_id` (any name of a piece), `listener` and `quality` must be
    there.

    Raises InvalidRequestError that names the line.
    """
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in _NEEDED if name not in (lines.fieldnames or ())]
    if missing:
        raise InvalidRequestError(f"The table has no column {', '.join(missing)}.")
    found: dict[tuple[str, str, str | None, str], RatedPiece] = {}
    for number, line in enumerate(lines, start=2):
        piece = _rated_piece(number, line)
        rating = piece.rating
        key = (rating.job_id, rating.output, rating.session_id, rating.listener)
        if key in found:
            raise InvalidRequestError(f"Line {number}: {rating.listener} has rated this piece before.")
        found[key] = piece
    return list(found.values())


def _rated_piece(number: int, line: Mapping[str, str | None]) -> RatedPiece:
    def cell(name: str) -> str | None:
        return (line.get(name) or "").strip() or None

    def grade(name: str) -> Grade | None:
        try:
            return Grade(text.lower()) if (text := cell(name)) else None
        except ValueError:
            grades = ", ".join(Grade)
            raise InvalidRequestError(f"Line {number}: {name} is none of {grades}.") from None

    job_id, listener, quality = cell("job_id"), cell("listener"), grade("quality")
    if job_id is None or listener is None or quality is None:
        raise InvalidRequestError(f"Line {number}: job_id, listener and quality must all be there.")
    if not is_listener(listener):
        raise InvalidRequestError(f"Line {number}: {listener[:64]!r} can't be a listener's name.")
    # when it was said is of no account for a report
    unknown = datetime.min.replace(tzinfo=UTC)
    return RatedPiece(
        rating=Rating(
            id=f"line {number}",
            job_id=job_id,
            output=cell("output") or MIDI,
            listener=listener,
            session_id=cell("session_id"),
            quality=quality,
            fit=grade("fit"),
            created_at=unknown,
            updated_at=unknown,
        ),
        version=ModelVersion(
            classifier=cell("classifier"), composer=cell("composer"), base_model=cell("base_model")
        ),
    )
