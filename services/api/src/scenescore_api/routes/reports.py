"""What listeners said, of one session or of all of one's jobs: JSON, CSV and a chart."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from scenescore_api.problems import documented
from scenescore_api.ratings.chart import grades_chart
from scenescore_api.ratings.documents import TITLES
from scenescore_api.ratings.report import Measure, by_listener, chart_series, report_of
from scenescore_api.ratings.report_schemas import ReportView, report_view
from scenescore_api.ratings.table import as_csv
from scenescore_api.routes.dependencies import FOR_JOBS, CallerOf, Ratings
from scenescore_api.routes.listening_sessions import SessionId
from scenescore_shared.ratings import RatedPiece, Rating

router = APIRouter(prefix="/v1", tags=["reports"], dependencies=FOR_JOBS)

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_CSV = "text/csv"
_SVG = "image/svg+xml"
_CSV_EXAMPLE = """session_id,job_id,output,listener,quality,fit,classifier,composer,base_model,updated_at
,0197f2a0-5c1e-7d3a-9b52-3f6c1de0a002,music.mid,ann,good,fair,thesis-relu@1,lstm-remi@1,,2026-03-01T12:00:00+00:00
"""
_FILE_NAME = {"Content-Disposition": {"schema": {"type": "string"}, "description": "The file's name"}}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; as CSV the ratings themselves, one a line",
        "model": ReportView,
        "content": {_CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}},
        "headers": {"Vary": {"schema": {"type": "string"}, "description": "Accept"}},
    },
}
_CHART: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An SVG with a description for screen readers, in light and dark",
        "content": {_SVG: {"schema": {"type": "string"}}},
    },
}
_WRONG_VERSION = {HTTPStatus.UNPROCESSABLE_ENTITY: "No rated piece is of the version asked for"}

Format = Annotated[
    Literal["json", "csv"] | None, Query(description="Without it, what `Accept` prefers: JSON or text/csv")
]
Accept = Annotated[str | None, Header(include_in_schema=False)]
Version = Annotated[
    str | None,
    Query(max_length=400, description="The `version` to compare; without it, that of most pieces"),
]
MeasureOf = Annotated[Measure, Query(alias="measure", description="The music by itself, or its fit")]


class _Chart(Response):
    media_type = _SVG


@router.get(
    "/listening-sessions/{session_id}/report",
    summary="What a session's listeners said",
    response_model=None,
    responses={
        **_REPORT,
        **documented(
            HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE, descriptions=_WRONG_VERSION
        ),
    },
)
def get_session_report(
    *,
    session_id: SessionId,
    service: Ratings,
    caller: CallerOf,
    format: Format = None,  # noqa: A002 - the parameter's name in the API
    a: Version = None,
    b: Version = None,
    accept: Accept = None,
) -> Response:
    """The thesis's tables for these listeners, agreement, and model versions compared."""
    return _report(lambda: service.rated_in_session(session_id, caller), format, accept, a, b)


@router.get(
    "/listening-sessions/{session_id}/report/grades.svg",
    summary="The same as a picture",
    response_class=_Chart,
    responses={
        **_CHART,
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE),
    },
)
def get_session_chart(
    session_id: SessionId, service: Ratings, caller: CallerOf, measure: MeasureOf = Measure.QUALITY
) -> Response:
    """How often each listener gave each grade, as in the thesis's figure 7.4; more than eight are drawn together."""
    return _chart(service.said_in_session(session_id, caller), measure)


@router.get(
    "/reports/ratings",
    summary="What all listeners said of your jobs",
    response_model=None,
    responses={
        **_REPORT,
        **documented(HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE, descriptions=_WRONG_VERSION),
    },
)
def get_ratings_report(
    *,
    service: Ratings,
    caller: CallerOf,
    format: Format = None,  # noqa: A002 - the parameter's name in the API
    a: Version = None,
    b: Version = None,
    accept: Accept = None,
) -> Response:
    """Of the newest 20,000 ratings, given in listening sessions and outside of them; with the scope `admin` of those of
    everybody's jobs.
    """
    return _report(lambda: service.rated(caller), format, accept, a, b)


@router.get(
    "/reports/ratings/grades.svg",
    summary="The same as a picture",
    response_class=_Chart,
    responses={**_CHART, **documented(HTTPStatus.UNPROCESSABLE_ENTITY, _UNAVAILABLE)},
)
def get_ratings_chart(service: Ratings, caller: CallerOf, measure: MeasureOf = Measure.QUALITY) -> Response:
    return _chart(service.said(caller), measure)


def _report(
    rated: Callable[[], Sequence[RatedPiece]],
    asked: Literal["json", "csv"] | None,
    accept: str | None,
    a: str | None,
    b: str | None,
) -> Response:
    accepted = [part.partition(";")[0].strip() for part in (accept or "").lower().split(",")]
    as_table = asked == "csv" or (asked is None and _CSV in accepted and "application/json" not in accepted)
    headers = {"Vary": "Accept"}
    if as_table:
        headers["Content-Disposition"] = 'attachment; filename="ratings.csv"'
        return Response(as_csv(rated()), media_type=_CSV, headers=headers)
    view = report_view(report_of(rated(), a=a, b=b))
    return JSONResponse(view.model_dump(mode="json"), headers=headers)


def _chart(said: Sequence[Rating], measure: Measure) -> Response:
    chart = grades_chart(chart_series(by_listener(said), measure), title=TITLES[measure])
    # a style sheet of its own, for dark mode; nothing else may run or load
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return _Chart(chart, headers={"Content-Security-Policy": policy})
