"""What a set of ratings says: the thesis's tables for any listeners, agreement, and versions compared. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import TypeVar

from scenescore_api.ratings.agreement import alpha
from scenescore_api.ratings.intervals import MeanDifference, mean_difference
from scenescore_api.ratings.tallies import Tally
from scenescore_shared.errors import InvalidRequestError
from scenescore_shared.ratings import Grade, ModelVersion, RatedPiece, Rating


class Measure(StrEnum):
    """What a listener judges."""

    QUALITY = "quality"
    FIT = "fit"

    def grade_in(self, rating: Rating) -> Grade | None:
        return rating.quality if self is Measure.QUALITY else rating.fit


_Key = TypeVar("_Key")

Piece = tuple[str, str]
"""A job's id and the name of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRow:
    """What one listener gave. The same name in two sessions is two listeners."""

    listener: str
    session_id: str | None
    quality: Tally
    fit: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All listeners together. `alpha` is None where agreement can't be told."""

    tally: Tally
    alpha: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """What was said of the pieces of one model version."""

    version: ModelVersion
    pieces: int
    quality: Summary
    fit: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far version `a` lies above `b` by the means of their pieces; None of a measure for which
    `mean_difference` has too little.
    """

    a: str
    b: str
    quality: MeanDifference | None
    fit: MeanDifference | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    pieces: int
    ratings: int
    listeners: Sequence[ListenerRow]
    quality: Summary
    fit: Summary
    by_version: Sequence[VersionRow]
    """Those of most pieces first."""
    comparison: Comparison | None


def report_of(rated: Sequence[RatedPiece], *, a: str | None = None, b: str | None = None) -> Report:
    """The report on these ratings. `a` and `b` are the labels of the versions that it compares; where they are left
    out, the two of most pieces, if there are two.

    Raises InvalidRequestError where a label is nobody's, or both are the same.
    """
    versions = _by_version(rated)
    ratings = [each.rating for each in rated]
    return Report(
        pieces=_pieces(ratings),
        ratings=len(ratings),
        listeners=by_listener(ratings),
        quality=_summary(ratings, Measure.QUALITY),
        fit=_summary(ratings, Measure.FIT),
        by_version=[_version_row(version, of_it) for version, of_it in versions.items()],
        comparison=_comparison({version.label: of_it for version, of_it in versions.items()}, a, b),
    )


def by_listener(ratings: Iterable[Rating]) -> list[ListenerRow]:
    """What each gave, by name."""
    groups = _grouped(((rating.listener, rating.session_id or ""), rating) for rating in ratings)
    return [
        ListenerRow(
            listener=listener,
            session_id=session_id or None,
            quality=_tally(groups[listener, session_id], Measure.QUALITY),
            fit=_tally(groups[listener, session_id], Measure.FIT),
        )
        for listener, session_id in sorted(groups)
    ]


def chart_series(rows: Iterable[ListenerRow], measure: Measure) -> list[tuple[str, Tally]]:
    """Each listener's tally, in the rows' order."""
    return [(row.listener, row.quality if measure is Measure.QUALITY else row.fit) for row in rows]


def _piece(rating: Rating) -> Piece:
    return rating.job_id, rating.output


def _tally(ratings: Iterable[Rating], measure: Measure) -> Tally:
    grades = (measure.grade_in(rating) for rating in ratings)
    return Tally.of(grade for grade in grades if grade is not None)


def _summary(ratings: Sequence[Rating], measure: Measure) -> Summary:
    points = _points_by_piece(ratings, measure)
    return Summary(tally=_tally(ratings, measure), alpha=alpha(list(points.values())))


def _points_by_piece(ratings: Iterable[Rating], measure: Measure) -> Mapping[Piece, list[int]]:
    found: dict[Piece, list[int]] = {}
    for rating in ratings:
        grade = measure.grade_in(rating)
        if grade is not None:
            found.setdefault(_piece(rating), []).append(grade.points)
    return found


def _by_version(rated: Iterable[RatedPiece]) -> Mapping[ModelVersion, Sequence[Rating]]:
    groups = _grouped((each.version, each.rating) for each in rated)
    order = sorted(groups, key=lambda version: (-_pieces(groups[version]), version.label))
    return {version: groups[version] for version in order}


def _pieces(ratings: Iterable[Rating]) -> int:
    return len({_piece(rating) for rating in ratings})


def _version_row(version: ModelVersion, ratings: Sequence[Rating]) -> VersionRow:
    return VersionRow(
        version=version,
        pieces=_pieces(ratings),
        quality=_summary(ratings, Measure.QUALITY),
        fit=_summary(ratings, Measure.FIT),
    )


def _comparison(versions: Mapping[str, Sequence[Rating]], a: str | None, b: str | None) -> Comparison | None:
    for asked in filter(None, (a, b)):
        if asked not in versions:
            known = "; ".join(versions) or "none"
            raise InvalidRequestError(f"No rated piece is of the version {asked!r}. There are: {known}.")
    # what was not asked for is the version of most pieces that is left
    first = a or next((label for label in versions if label != b), None)
    second = b or next((label for label in versions if label != first), None)
    if first is not None and first == second:
        raise InvalidRequestError("A version can't be compared with itself: give two as `a` and `b`.")
    if first is None or second is None:
        return None
    compared = {
        measure: mean_difference(
            _means_of_pieces(versions[first], measure), _means_of_pieces(versions[second], measure)
        )
        for measure in Measure
    }
    return Comparison(a=first, b=second, quality=compared[Measure.QUALITY], fit=compared[Measure.FIT])


def _means_of_pieces(ratings: Sequence[Rating], measure: Measure) -> list[float]:
    """A piece's ratings depend on each other, so each piece counts once."""
    return [fmean(points) for points in _points_by_piece(ratings, measure).values()]


def _grouped(keyed: Iterable[tuple[_Key, Rating]]) -> dict[_Key, list[Rating]]:
    groups: dict[_Key, list[Rating]] = {}
    for key, rating in keyed:
        groups.setdefault(key, []).append(rating)
    return groups
