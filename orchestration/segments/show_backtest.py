"""A backtest as a table with bars for a terminal, and as a page with a chart."""

from collections.abc import Sequence
from html import escape

from rich.console import Console
from rich.text import Text

from orchestration.segments.backtest import Backtest, Counts
from orchestration.segments.page import page, rows_table, section
from orchestration.segments.show import at, bar, heading, signed, table

_HERE, _THERE = "#3a7bd5", "#d9822b"


def print_backtest(console: Console, shown: Backtest) -> None:
    """A row for each moment; of two versions, both sizes and who is in one alone."""
    known = "as it was known then" if shown.is_as_known else "with what is known today"
    against = f", against {shown.against}" if shown.against else ""
    heading(console, f"{shown.segment} at {len(shown.points)} moments{against}", known)
    for note in shown.notes:
        console.print(Text(note, style="yellow"))
    columns = ["size", "enter", "exit"]
    columns += ["against", "only here", "only there"] if shown.against else []
    made = table("as of (UTC)", *columns, "", right=columns)
    made.columns[0].no_wrap = True
    most = max((one.size for point in shown.points for one in (point.here, point.there) if one),
               default=0) or 1  # fmt: skip
    width = max(6, min(30, console.width - 17 - 11 * len(columns) - 2))
    for point in shown.points:
        cells = [f"{point.here.size:,}", *_moved(point.here)]
        drawn = bar(point.here.size / most, width)
        if point.there:
            cells += [f"{point.there.size:,}", f"{point.only_here:,}", f"{point.only_there:,}"]
            drawn += f"\n{bar(point.there.size / most, width)}"
        made.add_row(at(point.at), *cells, Text(drawn, style="blue"))
    console.print(made)


def _moved(counts: Counts) -> tuple[str, str]:
    if counts.entered is None or counts.exited is None:
        return "", ""
    return signed(counts.entered), signed(-counts.exited)


def backtest_page(shown: Backtest) -> str:
    """A backtest as a page."""
    columns = ["as of (UTC)", "size", "entered", "exited"]
    columns += ["against: size", "only here", "only there"] if shown.against else []
    rows = []
    for point in shown.points:
        row = [at(point.at), f"{point.here.size:,}", *_moved(point.here)]
        if point.there:
            row += [f"{point.there.size:,}", f"{point.only_here:,}", f"{point.only_there:,}"]
        rows.append(row)
    name = "now" if shown.against else shown.segment
    lines = [(name, _HERE, [point.here.size for point in shown.points])]
    if shown.against:
        there = [point.there.size for point in shown.points if point.there]
        lines.append((shown.against, _THERE, there))
    known = "As it was known then." if shown.is_as_known else "With what is known today."
    notes = " ".join((known, *shown.notes))
    labels = [at(point.at) for point in shown.points]
    return page(
        f"{shown.segment} in the past",
        f"<p>{escape(notes)}</p>",
        section("Size", _chart(lines, labels)),
        section("Moments", rows_table(columns, rows)),
    )


def _chart(lines: Sequence[tuple[str, str, Sequence[int]]], labels: Sequence[str]) -> str:
    """Lines over time; the axis begins at zero, so that sizes can be compared by eye."""
    top = max((value for _, _, values in lines for value in values), default=0) or 1
    steps = max(len(labels) - 1, 1)

    def place(step: int, value: float) -> tuple[float, float]:
        return 70 + 690 * step / steps, 250 - 220 * value / top

    drawn = [
        f'<line x1="70" x2="760" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e9ee"/>'
        f'<text x="62" y="{y + 4:.1f}" text-anchor="end" fill="#68788a">{value:,.0f}</text>'
        for value in (0, top / 2, top)
        for _, y in [place(0, value)]
    ]
    for number, (name, colour, values) in enumerate(lines):
        points = [place(step, value) for step, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">'
            f"<title>{labels[step]}: {values[step]:,}</title></circle>"
            for step, (x, y) in enumerate(points)
        ]
        drawn.append(f'<text x="{70 + 200 * number}" y="300" fill="{colour}">{escape(name)}</text>')
    ends = ((70, "start", labels[0]), (760, "end", labels[-1])) if labels else ()
    drawn += [
        f'<text x="{x}" y="272" text-anchor="{anchor}" fill="#68788a">{label}</text>'
        for x, anchor, label in ends
    ]
    return (
        '<svg viewBox="0 0 800 310" width="800" height="310" font-size="13" '
        f'font-family="system-ui,sans-serif" role="img">{"".join(drawn)}</svg>'
    )
