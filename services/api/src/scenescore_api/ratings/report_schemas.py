"""A report as JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from scenescore_api.ratings import thesis
from scenescore_api.ratings.intervals import MeanDifference, Share
from scenescore_api.ratings.report import Comparison, ListenerRow, Report, Summary, VersionRow
from scenescore_api.ratings.tallies import Tally


class CountsView(BaseModel):
    """How often each grade was given."""

    excellent: Annotated[int, Field(ge=0, examples=[1])]
    good: Annotated[int, Field(ge=0, examples=[7])]
    fair: Annotated[int, Field(ge=0, examples=[6])]
    poor: Annotated[int, Field(ge=0, examples=[0])]
    bad: Annotated[int, Field(ge=0, examples=[2])]


Mean = Annotated[
    float | None,
    Field(description="5 for excellent down to 1 for bad; null where nothing was rated", examples=[3.3125]),
]


class ListenerView(BaseModel):
    """A listener of a session, or outside of one: the same name in two sessions is two listeners."""

    listener: Annotated[str, Field(examples=["ann"])]
    session_id: str | None
    quality: CountsView
    fit: CountsView
    mean_quality: Mean
    mean_fit: Mean


class ShareView(BaseModel):
    """A share with Wilson's interval of 95 %, which takes ratings for independent of each other."""

    share: Annotated[float, Field(ge=0, le=1, examples=[0.8541666666666666])]
    low: Annotated[float, Field(ge=0, le=1, examples=[0.7283282347525372])]
    high: Annotated[float, Field(ge=0, le=1, examples=[0.9275175067339628])]


class SummaryView(BaseModel):
    """All ratings together."""

    counts: CountsView
    mean: Mean
    fair_or_better: ShareView | None
    alpha: Annotated[
        float | None,
        Field(
            description="Krippendorff's alpha, ordinal: 1 is full agreement of the listeners, 0 chance; null where it "
            "can't be told, as when nothing was rated by two"
        ),
    ]


class OverallView(BaseModel):
    quality: SummaryView
    fit: SummaryView


class VersionView(BaseModel):
    """What was said of the pieces that these models made, as jobs' provenance names them."""

    version: Annotated[
        str,
        Field(
            description="The names together: what `a` and `b` take", examples=["thesis-relu@1 + lstm-remi@1"]
        ),
    ]
    classifier: str | None
    composer: str | None
    base_model: str | None
    pieces: int
    quality: SummaryView
    fit: SummaryView


class DifferenceView(BaseModel):
    """Of the means of the versions' pieces, in points, with Welch's interval of 95 %."""

    difference: float
    low: float
    high: float


class ComparisonView(BaseModel):
    """How far version `a` lies above `b`; null of a measure where one has fewer than four rated pieces, or where the
    pieces of each all have the same mean.
    """

    a: str
    b: str
    quality: DifferenceView | None
    fit: DifferenceView | None


class ReferenceListenerView(BaseModel):
    listener: Annotated[str, Field(examples=["Listener 1"])]
    counts: CountsView
    mean: Mean


class ReferenceView(BaseModel):
    """What the thesis's listeners said of its generated files, through the same sums. `alpha` is null: who said what of
    which file was not published.
    """

    source: str = "The thesis (University of Moratuwa, 2019), chapter 7"
    pieces: int = thesis.PIECES
    listeners: list[ReferenceListenerView]
    overall: SummaryView


class ReportView(BaseModel):
    """What listeners said: counts and means by listener, and what follows from them."""

    object: Literal["ratings_report"] = "ratings_report"
    pieces: Annotated[int, Field(examples=[16])]
    ratings: Annotated[int, Field(examples=[48])]
    listeners: Annotated[list[ListenerView], Field(description="By name")]
    overall: OverallView
    by_version: Annotated[list[VersionView], Field(description="Those of most pieces first")]
    comparison: Annotated[
        ComparisonView | None, Field(description="Of the versions asked for, else of the first two")
    ]
    reference: ReferenceView


def report_view(report: Report) -> ReportView:
    return ReportView(
        pieces=report.pieces,
        ratings=report.ratings,
        listeners=[_listener_view(row) for row in report.listeners],
        overall=OverallView(quality=_summary_view(report.quality), fit=_summary_view(report.fit)),
        by_version=[_version_view(row) for row in report.by_version],
        comparison=_comparison_view(report.comparison),
        reference=reference_view(),
    )


def reference_view() -> ReferenceView:
    return ReferenceView(
        listeners=[
            ReferenceListenerView(listener=name, counts=_counts_view(tally), mean=tally.mean)
            for name, tally in thesis.LISTENERS.items()
        ],
        overall=_summary_view(Summary(tally=thesis.OVERALL, alpha=None)),
    )


def _counts_view(tally: Tally) -> CountsView:
    return CountsView(**{str(grade): count for grade, count in tally.counts.items()})


def _listener_view(row: ListenerRow) -> ListenerView:
    return ListenerView(
        listener=row.listener,
        session_id=row.session_id,
        quality=_counts_view(row.quality),
        fit=_counts_view(row.fit),
        mean_quality=row.quality.mean,
        mean_fit=row.fit.mean,
    )


def _summary_view(summary: Summary) -> SummaryView:
    return SummaryView(
        counts=_counts_view(summary.tally),
        mean=summary.tally.mean,
        fair_or_better=_share_view(summary.tally.fair_or_better),
        alpha=summary.alpha,
    )


def _share_view(share: Share | None) -> ShareView | None:
    return ShareView.model_validate(share, from_attributes=True) if share else None


def _version_view(row: VersionRow) -> VersionView:
    return VersionView(
        version=row.version.label,
        classifier=row.version.classifier,
        composer=row.version.composer,
        base_model=row.version.base_model,
        pieces=row.pieces,
        quality=_summary_view(row.quality),
        fit=_summary_view(row.fit),
    )


def _difference_view(difference: MeanDifference | None) -> DifferenceView | None:
    return DifferenceView.model_validate(difference, from_attributes=True) if difference else None


def _comparison_view(comparison: Comparison | None) -> ComparisonView | None:
    if comparison is None:
        return None
    return ComparisonView(
        a=comparison.a,
        b=comparison.b,
        quality=_difference_view(comparison.quality),
        fit=_difference_view(comparison.fit),
    )
