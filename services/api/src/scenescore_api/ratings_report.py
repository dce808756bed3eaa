"""`python -m scenescore_api.ratings_report`: what listeners said, as files, without a page."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from scenescore_api.ratings import thesis
from scenescore_api.ratings.chart import grades_chart
from scenescore_api.ratings.documents import TITLES, counts_csv, judged, markdown
from scenescore_api.ratings.report import (
    ListenerRow,
    Report,
    Summary,
    chart_series,
    report_of,
)
from scenescore_api.ratings.report_schemas import report_view
from scenescore_api.ratings.service import checked_session_id
from scenescore_api.ratings.table import as_csv, from_csv
from scenescore_api.ratings.tallies import Tally
from scenescore_api.settings import ApiSettings
from scenescore_shared.errors import InvalidRequestError, ScenescoreError
from scenescore_shared.logs import configure_logging
from scenescore_shared.ratings import RatedPiece
from scenescore_shared.settings import LogSettings
from scenescore_shared.wiring import (
    build_engine,
    build_listening_session_repository,
    build_rating_repository,
)

_FAILED = 1
_USAGE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A report, and the ratings that it is of, where they are not in a file already."""

    title: str
    report: Report
    rated: Sequence[RatedPiece] | None = None
    is_reference: bool = False


def thesis_report() -> Titled:
    """The thesis's own tables from its counts."""
    nothing = Tally.of(())
    rows = [
        ListenerRow(listener=name, session_id=None, quality=tally, fit=nothing)
        for name, tally in thesis.LISTENERS.items()
    ]
    report = Report(
        pieces=thesis.PIECES,
        ratings=thesis.OVERALL.total,
        listeners=rows,
        quality=Summary(tally=thesis.OVERALL, alpha=None),
        fit=Summary(tally=nothing, alpha=None),
        by_version=(),
        comparison=None,
    )
    return Titled(title="The thesis's evaluation", report=report, is_reference=True)


def files_of(titled: Titled) -> Iterator[tuple[str, str]]:
    """Each file's name and text."""
    report = titled.report
    view = report_view(report).model_dump(mode="json")
    yield "report.json", json.dumps(view, indent=2, ensure_ascii=False) + "\n"
    yield "report.md", markdown(report, title=titled.title, with_reference=not titled.is_reference)
    yield "counts.csv", counts_csv(report)
    if titled.rated is not None:
        yield "ratings.csv", as_csv(titled.rated)
    for measure in judged(report):
        yield f"{measure}.svg", grades_chart(chart_series(report.listeners, measure), title=TITLES[measure])


def _asked(options: argparse.Namespace) -> Titled:
    if options.thesis:
        return thesis_report()
    if options.csv is not None:
        # its ratings.csv would be the file itself, or worse, lie over it
        rated = _from_file(options.csv)
        title = f"Ratings of {options.csv.name}"
        return Titled(title=title, report=report_of(rated, a=options.a, b=options.b))
    title, rated = _from_database(checked_session_id(options.session))
    return Titled(title=title, report=report_of(rated, a=options.a, b=options.b), rated=rated)


def _from_file(path: Path) -> list[RatedPiece]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{path} can't be read: {error}") from None
    return from_csv(text)


def _from_database(session_id: str) -> tuple[str, list[RatedPiece]]:
    engine = build_engine(ApiSettings(), application="scenescore-ratings-report")
    try:
        session = build_listening_session_repository(engine).get(session_id)
        ratings = build_rating_repository(engine)
        return session.title, ratings.with_versions(ratings.of_session(session.id))
    finally:
        engine.dispose()


def _write(folder: Path, titled: Titled) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files_of(titled):
        (folder / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="scenescore_api.ratings_report",
        description="Writes report.md, report.json, counts.csv, ratings.csv, quality.svg and fit.svg.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--session", metavar="ID", help="a listening session of the configured database")
    source.add_argument(
        "--csv", type=Path, metavar="FILE", help="ratings as the API gives them with format=csv"
    )
    source.add_argument("--thesis", action="store_true", help="the thesis's own counts")
    parser.add_argument("--a", metavar="VERSION", help="a model version to compare, as report.json names it")
    parser.add_argument("--b", metavar="VERSION", help="the one to compare it with")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    options = parser.parse_args(arguments)
    configure_logging(LogSettings(level="error"), service="ratings-report")
    try:
        _write(options.out, _asked(options))
    except (ValidationError, SettingsError) as error:
        return _complain(f"a setting is wrong: {error}", _USAGE)
    except OSError as error:
        return _complain(f"the files can't be written: {error}", _FAILED)
    except ScenescoreError as error:
        return _complain(error.message, _FAILED)
    return 0


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"scenescore_api.ratings_report: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
