"""Figure 7.4 of the thesis for any listeners: how often each grade was given, as SVG. Pure."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from scenescore_api.ratings.tallies import Tally
from scenescore_shared.ratings import Grade

MOST_SERIES = 8
"""Colours that people with any colour vision tell apart; more listeners are drawn together."""

TOGETHER = "All listeners"

# M. Okabe and K. Ito, Color Universal Design, 2008; in dark mode the two darkest are lightened
_LIGHT = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#555555")
_DARK = ("#4aa8e0", "#e69f00", "#19c297", "#e08dbd", "#8fd0f5", "#f07a2b", "#f0e442", "#aaaaaa")

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP = 56, 16, 64
_LEGEND_ROW = 20
_PLOT_BOTTOM = 44


Series = Sequence[tuple[str, Tally]]
"""Tallies with their names."""


def grades_chart(series: Series, *, title: str) -> str:
    """Bars by grade, one for each series in each group, with their counts above them. More than `MOST_SERIES` are added
    up.
    """
    if len(series) > MOST_SERIES:
        series = [(TOGETHER, Tally.sum_of(tally for _, tally in series))]
    rows = -(-len(series) // 2)
    top = _TOP + rows * _LEGEND_ROW
    height = _HEIGHT + rows * _LEGEND_ROW
    most = max((count for _, tally in series for count in tally.counts.values()), default=0)
    parts = [
        *_frame(title, height, series),
        *_legend([name for name, _ in series]),
        *_axis(top, height - _PLOT_BOTTOM, most),
        *_bars([tally for _, tally in series], top, height - _PLOT_BOTTOM, most),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frame(title: str, height: int, series: Series) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title description" '
        'font-family="system-ui, sans-serif" font-size="13">'
    )
    yield f'<title id="title">{escape(title)}</title>'
    told = "; ".join(
        f"{name}: " + ", ".join(f"{count} {grade}" for grade, count in tally.counts.items())
        for name, tally in series
    )
    yield f'<desc id="description">{escape(told or "No ratings yet")}</desc>'
    yield f"<style>{_style()}</style>"
    yield f'<rect class="ground" width="{_WIDTH}" height="{height}"/>'
    yield f'<text x="{_LEFT}" y="28" font-size="16" font-weight="600">{escape(title)}</text>'


def _style() -> str:
    light = "".join(f".s{number}{{fill:{colour}}}" for number, colour in enumerate(_LIGHT))
    dark = "".join(f".s{number}{{fill:{colour}}}" for number, colour in enumerate(_DARK))
    return (
        f".ground{{fill:#fff}}text{{fill:#222}}line{{stroke:#bbb}}{light}"
        f"@media (prefers-color-scheme:dark){{.ground{{fill:#16181d}}text{{fill:#e8e8e8}}line{{stroke:#555}}{dark}}}"
    )


def _legend(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        x = _LEFT + (number % 2) * (_WIDTH - _LEFT - _RIGHT) // 2
        y = 40 + (number // 2) * _LEGEND_ROW
        yield f'<rect class="s{number}" x="{x}" y="{y}" width="12" height="12"/>'
        yield f'<text x="{x + 18}" y="{y + 11}">{escape(_shortened(name))}</text>'


def _axis(top: int, bottom: int, most: int) -> Iterator[str]:
    step = max(1, -(-most // 8))
    for count in range(0, most + 1, step):
        y = _y(count, top, bottom, most)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{count}</text>'
    middle = (top + bottom) / 2
    yield f'<text transform="translate(18 {middle:.1f}) rotate(-90)" text-anchor="middle">Ratings</text>'


def _bars(tallies: Sequence[Tally], top: int, bottom: int, most: int) -> Iterator[str]:
    group = (_WIDTH - _LEFT - _RIGHT) / len(Grade)
    width = group * 0.8 / max(1, len(tallies))
    for place, grade in enumerate(Grade):
        start = _LEFT + group * place
        for number, tally in enumerate(tallies):
            count = tally.counts[grade]
            x, y = start + group * 0.1 + width * number, _y(count, top, bottom, most)
            yield (
                f'<rect class="s{number}" x="{x:.1f}" y="{y:.1f}" width="{width * 0.9:.1f}" '
                f'height="{bottom - y:.1f}"/>'
            )
            yield (
                f'<text x="{x + width * 0.45:.1f}" y="{y - 4:.1f}" text-anchor="middle" font-size="11">{count}</text>'
            )
        yield f'<text x="{start + group / 2:.1f}" y="{bottom + 22}" text-anchor="middle">{grade.capitalize()}</text>'


def _y(count: int, top: int, bottom: int, most: int) -> float:
    return bottom - (bottom - top) * count / max(1, most)


def _shortened(name: str, longest: int = 32) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
