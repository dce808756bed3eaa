"""A report as files for people: Markdown with the thesis's tables, and counts as CSV. Pure."""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from html import escape

from scenescore_api.ratings import thesis
from scenescore_api.ratings.chart import MOST_SERIES
from scenescore_api.ratings.intervals import FEWEST, MeanDifference, Share
from scenescore_api.ratings.report import Measure, Report, Summary, VersionRow, chart_series
from scenescore_api.ratings.tallies import Tally
from scenescore_shared.ratings import Grade

TITLES = {Measure.QUALITY: "Quality of the music", Measure.FIT: "Fit of the music to its picture"}

_GRADES = " | ".join(grade.capitalize() for grade in Grade)
_MARKS = re.compile(r"([\\`*_\[\]#|~])")


def markdown(report: Report, *, title: str, with_reference: bool = True) -> str:
    """The whole report, with the thesis's figures at its end. Its charts are `quality.svg` and `fit.svg` beside it."""
    listeners = len(report.listeners)
    parts = [
        f"# {_plain(title)}",
        (
            f"{_many(report.pieces, 'piece')}, {_many(listeners, 'listener')}, {_many(report.ratings, 'rating')}. "
            "Means are of 5 for excellent, 4 good, 3 fair, 2 poor and 1 bad; they and shares are cut, not rounded."
        ),
    ]
    for measure in judged(report):
        parts += _measure(report, measure)
    if len(report.by_version) > 1:
        parts += _versions(report)
    if with_reference:
        parts += _reference()
    return "\n\n".join(parts) + "\n"


def counts_csv(report: Report) -> str:
    """A line for each measure and listener: how often each grade was given, how many in all, and the mean."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(("measure", "listener", *Grade, "total", "mean"))
    for measure in judged(report):
        for name, tally in chart_series(report.listeners, measure):
            lines.writerow((measure, name, *tally.counts.values(), tally.total, tally.mean))
    return text.getvalue()


def judged(report: Report) -> list[Measure]:
    """What anybody has judged."""
    return [measure for measure in Measure if _summary(report, measure).tally.total]


def _measure(report: Report, measure: Measure) -> Iterator[str]:
    series, summary = chart_series(report.listeners, measure), _summary(report, measure)
    yield f"## {TITLES[measure]}"
    yield _listeners_table(series, summary.tally)
    if len(series) <= MOST_SERIES:
        for name, tally in series:
            yield _one_listener(name, tally)
    yield f"![How often each grade was given]({measure}.svg)"
    yield _findings(summary)


def _listeners_table(series: Sequence[tuple[str, Tally]], overall: Tally) -> str:
    lines = [f"| Listener | {_GRADES} | Total | Mean |", "|---" * (len(Grade) + 3) + "|"]
    for name, tally in (*((_plain(name), tally) for name, tally in series), ("**All**", overall)):
        counts = " | ".join(str(count) for count in tally.counts.values())
        lines.append(f"| {name} | {counts} | {tally.total} | {_number(tally.mean)} |")
    return "\n".join(lines)


def _one_listener(name: str, tally: Tally) -> str:
    """As the thesis's tables 7.1 to 7.3 have it: a table for each listener."""
    lines = [f"**{_plain(name)}**", "", "| Grade | Files | Share |", "|---|---|---|"]
    for grade, count in tally.counts.items():
        share = count / tally.total if tally.total else 0
        lines.append(f"| {grade.capitalize()} | {count} | {_percent(_down(share, 3))} |")
    return "\n".join(lines)


def _findings(summary: Summary) -> str:
    agreement = "can't be told" if summary.alpha is None else f"{_down(summary.alpha, 3):.3f}"
    return (
        f"Fair or better: {_share(summary.tally.fair_or_better)} (Wilson's interval of 95 %, as if ratings were "
        f"independent). Agreement of the listeners (Krippendorff's alpha, ordinal): {agreement}."
    )


def _versions(report: Report) -> Iterator[str]:
    yield "## Model versions"
    lines = ["| Version | Pieces | Ratings | Quality | Fit | Fair or better |", "|---|---|---|---|---|---|"]
    lines += [_version_line(row) for row in report.by_version]
    yield "\n".join(lines)
    comparison = report.comparison
    if comparison is not None:
        yield (
            f"{_plain(comparison.a)} above {_plain(comparison.b)}, by the means of their pieces: quality "
            f"{_difference(comparison.quality)}, fit {_difference(comparison.fit)} (Welch's intervals of 95 %)."
        )


def _version_line(row: VersionRow) -> str:
    quality, fit = row.quality.tally, row.fit.tally
    return (
        f"| {_plain(row.version.label)} | {row.pieces} | {quality.total} | {_number(quality.mean)} "
        f"| {_number(fit.mean)} | {_share(quality.fair_or_better)} |"
    )


def _reference() -> Iterator[str]:
    yield "## For reference: the thesis"
    yield (
        f"What three listeners said of {thesis.PIECES} files that the thesis's own system made (University of "
        "Moratuwa, 2019, chapter 7)."
    )
    yield _listeners_table(list(thesis.LISTENERS.items()), thesis.OVERALL)
    yield f"Fair or better: {_share(thesis.OVERALL.fair_or_better)}."


def _summary(report: Report, measure: Measure) -> Summary:
    return report.quality if measure is Measure.QUALITY else report.fit


def _share(share: Share | None) -> str:
    if share is None:
        return "-"
    low, high = _percent(_down(share.low, 3)), _percent(_up(share.high, 3))
    return f"{_percent(_down(share.share, 3))} ({low} to {high})"


def _difference(difference: MeanDifference | None) -> str:
    if difference is None:
        return f"- (fewer than {FEWEST} pieces of one, or no two means of either that differ)"
    low, high = _down(difference.low, 2), _up(difference.high, 2)
    # towards zero: neither version gains
    shown = _down(difference.difference, 2) if difference.difference > 0 else _up(difference.difference, 2)
    return f"{shown:+.2f} ({low:+.2f} to {high:+.2f})"


def _number(mean: float | None) -> str:
    return "-" if mean is None else f"{_down(mean, 4):.4f}".rstrip("0").rstrip(".")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _down(value: float, places: int) -> float:
    # rounded first: 0.57 is 0.5699… to a computer
    scale = 10.0**places
    return math.floor(round(value * scale, 6)) / scale


def _up(value: float, places: int) -> float:
    return 0.0 - _down(-value, places)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _plain(text: str) -> str:
    """What anybody may have typed, so that it stays text."""
    return _MARKS.sub(r"\\\1", escape(text, quote=False))
