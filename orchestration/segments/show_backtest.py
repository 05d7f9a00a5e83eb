"""A backtest as a table with bars for a terminal, and as a page with a chart."""

from html import escape

from rich.console import Console
from rich.text import Text

from orchestration.segments.backtest import Backtest, Counts, Point
from orchestration.segments.page import chart, page, rows_table, section
from orchestration.segments.show import at, bars_table, heading, line, signed

HERE = "its file as it is now"
_STYLES = ("blue", "yellow")


def print_backtest(console: Console, shown: Backtest) -> None:
    """A row for each moment; of two versions one for each, with who is in it alone."""
    heading(console, _title(shown), _known(shown))
    for note in shown.notes:
        line(console, note, "yellow", hang=2)
    if shown.against:
        for letter, name, style in zip("AB", (HERE, shown.against), _STYLES, strict=True):
            console.print(Text.assemble((letter, f"bold {style}"), f"  {name}"))
    console.print()
    columns, rows = _rows(shown)
    most = max((size for size, _ in rows), default=0) or 1
    barred = [
        (cells, size / most, _STYLES[place % 2 if shown.against else 0])
        for place, (size, cells) in enumerate(rows)
    ]
    console.print(
        bars_table(console, columns, barred, columns[-4:] if shown.against else columns[1:])
    )


def _title(shown: Backtest) -> str:
    count = len(shown.points)
    return f"{shown.segment} at {count:,} moment{'s' if count > 1 else ''}"


def _known(shown: Backtest) -> str:
    return "as it was known then" if shown.is_as_known else "with what is known today"


def _sizes(point: Point) -> list[int]:
    return [one.size for one in (point.here, point.there) if one]


def _rows(shown: Backtest) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]]]:
    """Names of columns; for each moment and version the size, and its cells."""
    columns = ("as of (UTC)", "size", "enter", "leave")
    if not shown.against:
        points = shown.points
        return columns, [(one.here.size, (at(one.at), *_cells(one.here))) for one in points]
    rows = []
    for point in shown.points:
        here = (at(point.at), "A", *_cells(point.here), f"{point.only_here:,}")
        rows.append((point.here.size, here))
        if point.there:
            there = ("", "B", *_cells(point.there), f"{point.only_there:,}")
            rows.append((point.there.size, there))
    return (columns[0], "", *columns[1:], "only in it"), rows


def _cells(counts: Counts) -> tuple[str, ...]:
    """Size, enter, leave; there is no moment before the first."""
    if counts.entered is None or counts.exited is None:
        return f"{counts.size:,}", "-", "-"
    return f"{counts.size:,}", signed(counts.entered), signed(-counts.exited)


def backtest_page(shown: Backtest) -> str:
    """A backtest as a page."""
    names = [shown.segment]
    if shown.against:
        names = [f"A: {HERE}", f"B: {shown.against}"]
    columns, rows = _rows(shown)
    sizes = [_sizes(point) for point in shown.points]
    lines = [(name, [each[number] for each in sizes]) for number, name in enumerate(names)]
    known = _known(shown)
    return page(
        _title(shown),
        f"<p>{escape(known[0].upper() + known[1:])}.</p>",
        *(f'<p class="warning">{escape(note)}</p>' for note in shown.notes),
        section("Size", chart(lines, [at(point.at) for point in shown.points])),
        section("Moments", rows_table(columns, [cells for _, cells in rows])),
    )
