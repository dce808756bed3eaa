"""What a report says: the thesis's tables, versions compared, and each of its forms."""

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from samples.jobs import queued, succeeded
from samples.listening import rating, session, session_id

from scenescore_api.ratings import thesis
from scenescore_api.ratings.chart import grades_chart
from scenescore_api.ratings.documents import counts_csv, markdown
from scenescore_api.ratings.report import Measure, chart_series, report_of
from scenescore_api.ratings.report_schemas import report_view
from scenescore_api.ratings.table import as_csv, from_csv
from scenescore_api.ratings.tallies import Tally
from scenescore_api.ratings_report import main
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.errors import InvalidRequestError
from scenescore_shared.ratings import Grade, ModelVersion, RatedPiece
from scenescore_shared.wiring import (
    build_job_repository,
    build_listening_session_repository,
    build_rating_repository,
)

OLD = ModelVersion(classifier="scene@1", composer="lstm@1", base_model=None)
NEW = replace(OLD, composer="lstm@2")
THESIS = {"Listener 1": (0, 7, 7, 2, 0), "Listener 2": (2, 6, 5, 2, 1), "Listener 3": (1, 7, 6, 0, 2)}
"""As the thesis prints them: excellent, good, fair, poor, bad."""
THESIS_MEANS = {"Listener 1": 53 / 16, "Listener 2": 54 / 16, "Listener 3": 53 / 16}


def the_thesiss_ratings() -> list[RatedPiece]:
    """Some ratings with the thesis's counts: who said what of which file is not known."""
    randomness = random.Random(7)
    rated = []
    for listener, counts in THESIS.items():
        grades = [grade for grade, count in zip(Grade, counts, strict=True) for _ in range(count)]
        randomness.shuffle(grades)
        rated += [
            RatedPiece(rating=rating(job=job, listener=listener, quality=grade, fit=None), version=OLD)
            for job, grade in enumerate(grades, start=1)
        ]
    return rated


def test_the_report_reproduces_the_thesiss_tables_from_its_counts() -> None:
    report = report_of(the_thesiss_ratings())
    assert (report.pieces, report.ratings) == (16, 48)
    assert {row.listener: tuple(row.quality.counts.values()) for row in report.listeners} == THESIS
    assert {row.listener: row.quality.total for row in report.listeners} == dict.fromkeys(THESIS, 16)
    assert {row.listener: row.quality.mean for row in report.listeners} == THESIS_MEANS
    assert tuple(report.quality.tally.counts.values()) == (3, 20, 18, 4, 3)
    assert report.quality.tally.mean == 160 / 48
    assert report.quality.alpha is not None
    assert report.fit.tally.total == 0
    assert report.comparison is None


def test_the_reference_is_the_thesiss_own_and_computed_alike() -> None:
    report = report_of(the_thesiss_ratings())
    assert dict(thesis.LISTENERS) == {row.listener: row.quality for row in report.listeners}
    assert report.quality.tally == thesis.OVERALL
    view = report_view(report_of([])).reference
    assert view.pieces == 16
    assert [(each.listener, each.mean) for each in view.listeners] == list(THESIS_MEANS.items())
    assert view.overall.fair_or_better is not None
    assert view.overall.fair_or_better.share == 41 / 48
    assert view.overall.alpha is None


def test_of_no_ratings_there_is_an_empty_report() -> None:
    view = report_view(report_of([]))
    assert (view.pieces, view.listeners, view.by_version, view.comparison) == (0, [], [], None)
    assert (view.overall.quality.mean, view.overall.quality.fair_or_better) == (None, None)
    assert "No ratings yet" in grades_chart([], title="Nothing")


def test_the_same_name_in_two_sessions_is_two_listeners() -> None:
    rated = [
        RatedPiece(rating=rating(session=number, quality=grade), version=OLD)
        for number, grade in ((1, Grade.GOOD), (2, Grade.BAD))
    ]
    report = report_of(rated)
    assert [(row.session_id, row.quality.mean) for row in report.listeners] == [
        (session_id(1), 4),
        (session_id(2), 1),
    ]
    assert report.pieces == 1
    assert len(chart_series(report.listeners, Measure.QUALITY)) == 2


def two_versions(pieces: int = 5, *, alike: bool = False) -> list[RatedPiece]:
    """The new version is a point better in quality, and as fitting. Unless all are alike, the first piece of each is a
    point worse than the rest, and the second a point better.
    """
    best_first = list(Grade)
    return [
        RatedPiece(
            rating=rating(
                job=job + 100 * late,
                listener=listener,
                quality=best_first[best_first.index(Grade.FAIR) - late + off],
                fit=best_first[best_first.index(Grade.FAIR) + off],
            ),
            version=NEW if late else OLD,
        )
        for late in (0, 1)
        for job in range(1, pieces + 1 + late)
        for off in (0 if alike else {1: 1, 2: -1}.get(job, 0),)
        for listener in ("ann", "bob")
    ]


def test_two_versions_are_compared_by_their_pieces() -> None:
    report = report_of(two_versions())
    assert [(row.version, row.pieces) for row in report.by_version] == [(NEW, 6), (OLD, 5)]
    assert report.comparison is not None
    assert (report.comparison.a, report.comparison.b) == (NEW.label, OLD.label)
    assert report.comparison.quality is not None
    assert report.comparison.quality.difference == 1
    assert report.comparison.fit is not None
    assert report.comparison.fit.difference == 0


def test_one_says_which_versions_are_compared() -> None:
    both = report_of(two_versions(), a=OLD.label, b=NEW.label).comparison
    one = report_of(two_versions(), b=NEW.label).comparison
    assert both == one
    assert both is not None
    assert both.quality is not None
    assert both.quality.difference == -1
    with pytest.raises(InvalidRequestError, match="There are: scene@1"):
        report_of(two_versions(), a="lstm@3")
    with pytest.raises(InvalidRequestError, match="itself"):
        report_of(two_versions(), a=OLD.label, b=OLD.label)


def test_of_few_pieces_no_difference_is_told() -> None:
    comparison = report_of(two_versions(3)).comparison
    assert comparison is not None
    assert comparison.quality is None


def test_of_pieces_that_are_all_alike_no_difference_is_told() -> None:
    report = report_of(two_versions(alike=True))
    assert report.comparison is not None
    assert (report.comparison.quality, report.comparison.fit) == (None, None)
    view = report_view(report).comparison
    assert view is not None
    assert view.quality is None
    told = "quality - (fewer than 4 pieces of one, or no two means of either that differ)"
    assert told in markdown(report, title="Two")


def test_a_table_comes_back_as_it_went() -> None:
    rated = [
        *two_versions(),
        RatedPiece(rating=rating(session=1, listener='O"Neill, José', fit=None), version=NEW),
    ]
    back = from_csv(as_csv(rated))
    assert report_of(back) == report_of(rated)
    assert as_csv(back).splitlines()[0] == as_csv(rated).splitlines()[0]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("job_id,listener\na,ann\n", "no column quality"),
        ("", "no column job_id, listener, quality"),
        ("job_id,listener,quality\na,ann,great\n", "Line 2: quality is none of excellent, good"),
        ("job_id,listener,quality\na,ann,good\na,,good\n", "Line 3: job_id, listener and quality"),
        ("job_id,listener,quality\na,=1,good\n", "Line 2: '=1' can't be"),
        ("job_id,listener,quality\na,ann,good\na,ann,bad\n", "Line 3: ann has rated this piece before"),
        ("job_id,listener,quality,fit\na,ann,good,5\n", "Line 2: fit is none of"),
    ],
)
def test_a_wrong_table_is_told_by_its_line(table: str, complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=complaint):
        from_csv(table)


def test_tables_of_other_programs_are_read() -> None:
    (piece,) = from_csv("\ufeffjob_id,listener,quality,notes\nscene 3,ann,Excellent,nice\n")
    assert (piece.rating.job_id, piece.rating.quality, piece.rating.fit) == ("scene 3", Grade.EXCELLENT, None)


def test_a_chart_is_sound_xml_and_draws_every_count() -> None:
    series = chart_series(report_of(the_thesiss_ratings()).listeners, Measure.QUALITY)
    svg = ET.fromstring(grades_chart(series, title="<Quality> & more"))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    assert svg.findtext(f"{space}title") == "<Quality> & more"
    assert "Listener 2: 2 excellent, 6 good, 5 fair, 2 poor, 1 bad" in (svg.findtext(f"{space}desc") or "")
    bars = [bar for bar in svg.findall(f"{space}rect") if bar.get("class") in {"s0", "s1", "s2"}]
    heights = [round(float(bar.get("height", 0)), 1) for bar in bars if bar.get("width") != "12"]
    assert len(heights) == 15
    # grade by grade, a bar for each listener: as high as the count says
    counts = [THESIS[name][grade] for grade in range(5) for name in THESIS]
    unit = max(heights) / 7
    assert [round(height / unit) for height in heights] == counts


def test_many_listeners_are_drawn_together() -> None:
    series = [(f"listener {number}", Tally.of([Grade.GOOD])) for number in range(9)]
    chart = grades_chart(series, title="Many")
    assert "All listeners: 0 excellent, 9 good" in chart
    assert "listener 3" not in chart


def test_the_document_holds_the_thesiss_tables() -> None:
    text = markdown(report_of(the_thesiss_ratings()), title="Study <1> | a")
    assert text.startswith("# Study &lt;1&gt; \\| a\n")
    assert "| Listener 2 | 2 | 6 | 5 | 2 | 1 | 16 | 3.375 |" in text
    assert "| **All** | 3 | 20 | 18 | 4 | 3 | 48 | 3.3333 |" in text
    assert (
        "**Listener 1**\n\n| Grade | Files | Share |\n|---|---|---|\n| Excellent | 0 | 0.0% |\n| Good | 7 | 43.7% |"
        in text
    )
    assert "Fair or better: 85.4% (72.8% to 92.8%)" in text
    assert "## Fit" not in text
    assert "For reference: the thesis" in text


def test_the_document_compares_versions() -> None:
    text = markdown(report_of(two_versions()), title="Two")
    assert "| scene@1 + lstm@2 | 6 | 12 | 4 | 3 | 100.0%" in text
    assert (
        "scene@1 + lstm@2 above scene@1 + lstm@1, by the means of their pieces: quality +1.00 (+0.06 to +1.94)"
        in text
    )
    assert "fit +0.00 (-0.94 to +0.94)" in text


def test_counts_are_a_table_for_each_measure() -> None:
    lines = list(csv.reader(io.StringIO(counts_csv(report_of(two_versions())))))
    assert lines[0] == ["measure", "listener", "excellent", "good", "fair", "poor", "bad", "total", "mean"]
    assert [line[:2] for line in lines[1:]] == [
        ["quality", "ann"],
        ["quality", "bob"],
        ["fit", "ann"],
        ["fit", "bob"],
    ]
    assert lines[1][2:8] == ["1", "5", "4", "1", "0", "11"]


def test_the_command_writes_the_thesiss_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--thesis", "--out", str(tmp_path / "new" / "out")]) == 0
    names = {path.name for path in (tmp_path / "new" / "out").iterdir()}
    assert names == {"report.md", "report.json", "counts.csv", "quality.svg"}
    assert str(tmp_path / "new" / "out" / "report.md") in capsys.readouterr().out
    text = (tmp_path / "new" / "out" / "report.md").read_text()
    assert "| Listener 3 | 1 | 7 | 6 | 0 | 2 | 16 | 3.3125 |" in text
    assert "For reference" not in text
    assert json.loads((tmp_path / "new" / "out" / "report.json").read_text())["ratings"] == 48


def test_the_command_reports_on_a_table(tmp_path: Path) -> None:
    table = tmp_path / "ratings.csv"
    table.write_text(as_csv(two_versions()))
    asked = ["--csv", str(table), "--a", OLD.label, "--out", str(tmp_path)]
    assert main(asked) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["comparison"]["a"] == OLD.label
    assert (tmp_path / "fit.svg").exists()
    assert table.read_text() == as_csv(two_versions()).replace("\r\n", "\n")


def test_the_command_reports_on_a_session(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(sqlite_url, application="tests")
    build_job_repository(engine).add(succeeded(queued(1)))
    build_listening_session_repository(engine).add(session(jobs=(1,)), token_hash="0" * 64)
    build_rating_repository(engine).put(rating(session=1))
    engine.dispose()
    monkeypatch.setenv("SCENESCORE_DATABASE__URL", sqlite_url)
    assert main(["--session", session_id(1), "--out", str(tmp_path / "out")]) == 0
    assert "| ann | 0 | 1 | 0 | 0 | 0 | 1 | 4 |" in (tmp_path / "out" / "report.md").read_text()
    assert len((tmp_path / "out" / "ratings.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--csv", "/nowhere.csv"], "can't be read"),
        (["--session", session_id(9)], "no listening session"),
        (["--session", "9"], "no listening session"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCENESCORE_DATABASE__URL", sqlite_url)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
