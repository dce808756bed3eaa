"""What listeners say of the music. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from scenescore_shared.errors import IllegalMoveError


class Grade(StrEnum):
    """As in the thesis's evaluation, best first."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    BAD = "bad"

    @property
    def points(self) -> int:
        """For means: 5 for excellent down to 1 for bad."""
        return len(Grade) - list(Grade).index(self)


_NO_NAME = r"\x00-\x1f\x7f-\x9f/\\;\u2028-\u202e\u2066-\u2069\ufffe\uffff"
_NO_START = r".=+@\uff1d\uff0b\uff0d\uff20-"
LISTENER_PATTERN = rf"^[^\s{_NO_NAME}{_NO_START}]([^{_NO_NAME}]{{0,62}}[^\s{_NO_NAME}])?$"
"""Listeners' ids: 1 to 64 characters on one line, without spaces at their ends. They stand in paths, so no slash; in
tables that spreadsheets open, so nothing that would begin a formula (full-width signs do, too), and no semicolon, which
begins a cell where the comma is the decimal mark; and in charts, so nothing that turns text around.
"""


def is_listener(name: str) -> bool:
    return re.fullmatch(LISTENER_PATTERN, name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What a listener said of an output. There is one for each job, output and listener of a listening session; those
    given outside of one (`session_id` is None) are apart. `fit` to the picture is None where the job has none.
    """

    id: str
    job_id: str
    output: str
    listener: str
    session_id: str | None = None
    quality: Grade
    fit: Grade | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """What made a piece, as its job's provenance names it; None where it says nothing."""

    classifier: str | None
    composer: str | None
    base_model: str | None

    @property
    def label(self) -> str:
        return " + ".join(filter(None, (self.classifier, self.composer, self.base_model))) or "unknown"


def version_of(provenance: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        classifier=provenance.get("classifier"),
        composer=provenance.get("composer"),
        base_model=provenance.get("base_model"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedPiece:
    """A rating beside what made the piece, for reports."""

    rating: Rating
    version: ModelVersion


def rated_pieces(ratings: Sequence[Rating], versions: Mapping[str, ModelVersion]) -> list[RatedPiece]:
    """The ratings of those jobs whose version is known, by the job's id."""
    return [
        RatedPiece(rating=rating, version=versions[rating.job_id])
        for rating in ratings
        if rating.job_id in versions
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerProgress:
    listener: str
    rated: int


def too_many_listeners(most: int) -> IllegalMoveError:
    return IllegalMoveError(
        f"This listening session has {most} listeners already, which is the limit. Its owner can make another.",
        code="too_many_listeners",
    )
