"""Pieces of pages of one file: tables, bars and charts in HTML, nothing loaded from elsewhere.

They fit a telephone as well as a wide screen, and follow its light or dark colours. What is drawn
is stretched with the page; what is written is not.
"""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--dim:#5b6b7c;--line:#e1e7ed;--paper:#fff;
--more:#2f6fc9;--less:#c2571a;--error:#b3261e;--warning:#8a5a00}
@media(prefers-color-scheme:dark){:root{--ink:#e3e8ee;--dim:#9aa9b8;--line:#333d48;
--paper:#15191e;--more:#6aa5f2;--less:#f0975a;--error:#ff8a80;--warning:#e8b45a}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
.dim{color:var(--dim);font-size:.9em}.error{color:var(--error);font-weight:600}
.warning{color:var(--warning)}
.wide{overflow-x:auto}wbr{display:none}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:500;color:var(--dim);vertical-align:bottom}
td,th{padding:.25rem 1.2rem .25rem 0;border-bottom:1px solid var(--line)}
td:not(.b),th.n{white-space:nowrap}td.n,th.n{text-align:right}
table.bars{width:100%}td.b,th.b{width:100%;min-width:9rem;padding-right:0}
.bar{position:relative;height:1rem}.bar i{position:absolute;top:0;bottom:0;min-width:2px;
background:var(--more);border-radius:2px}.bar i.less{background:var(--less)}
.bar.both::before{content:"";position:absolute;left:50%;top:-.3rem;bottom:-.3rem;
border-left:1px solid var(--dim)}
.chart{position:relative;height:15rem;margin:1.2rem .6rem 3.2rem 4rem;border-bottom:1px solid
var(--dim)}.chart svg{position:absolute;width:100%;height:100%;overflow:visible}
.chart polyline{fill:none;stroke:var(--more);stroke-width:2;vector-effect:non-scaling-stroke}
.chart .B{stroke:var(--less);stroke-dasharray:6 4}
.chart b{position:absolute;width:7px;height:7px;margin:0 0 -3px -3px;border-radius:50%;
background:var(--more)}.chart b.B{background:var(--less);border-radius:0}
.chart span{position:absolute;color:var(--dim);font-size:.85em;white-space:nowrap}
.chart .y{right:100%;margin:0 .6rem -.6rem 0}.chart .grid{left:0;right:0;height:0;
border-top:1px solid var(--line)}.chart .x{top:100%;margin-top:.3rem}
.legend{list-style:none;padding:0;margin:.5rem 0}
.legend i{display:inline-block;width:1.4rem;border-top:3px solid var(--more);
margin-right:.5rem;vertical-align:middle}.legend .B i{border-top:3px dashed var(--less)}
@media(max-width:40rem){wbr{display:inline}body{font-size:14px;margin-top:1rem}td,th{padding-right:.8rem}
td.b,th.b{width:30%;min-width:4rem}table.bars td:first-child{white-space:normal}}
"""


def page(title: str, *parts: str) -> str:
    """A whole document."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>{''.join(parts)}</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what belongs to it."""
    return f"<h2>{escape(title)}</h2>{''.join(parts)}"


def small(words: str) -> str:
    """What explains a table, below it."""
    return f'<p class="dim">{escape(words)}</p>'


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is words and the others numbers; a narrow page scrolls it."""
    return f'<div class="wide"><table>{_head(columns)}{_body(rows)}</table></div>'


def bars_table(
    columns: Sequence[str], rows: Iterable[tuple[Sequence[str], float]], is_signed: bool = False
) -> str:
    """The same with a bar at the end of each row.

    Args:
        columns: the names of the others.
        rows: their cells, and a share: the length of the bar.
        is_signed: shares are from -1 to 1; the bar begins in the middle, and goes left below 0.
    """
    cells = ((one, f'<td class="b">{_bar(length, is_signed)}</td>') for one, length in rows)
    body = "".join(f"<tr>{_cells(one)}{bar}</tr>" for one, bar in cells)
    head = _head(columns, '<th class="b"></th>')
    return f'<div class="wide"><table class="bars">{head}{body}</table></div>'


def _bar(length: float, is_signed: bool) -> str:
    size = min(1.0, abs(length)) * (50 if is_signed else 100)
    start = 50 - size * (length < 0) if is_signed else 0
    kind = ' class="less"' if length < 0 else ""
    drawn = f'<i{kind} style="left:{start:.1f}%;width:{size:.1f}%"></i>' if length else ""
    return f'<div class="bar{" both" * is_signed}">{drawn}</div>'


def _head(columns: Sequence[str], last: str = "") -> str:
    cells = "".join(f"<th{_kind(place)}>{escape(name)}</th>" for place, name in enumerate(columns))
    return f"<tr>{cells}{last}</tr>"


def _body(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"<tr>{_cells(row)}</tr>" for row in rows)


def _cells(row: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in row)
    # Where the page is narrow, a name breaks after an underscore.
    told = (first.replace("_", "_<wbr>"), *others)
    return "".join(f"<td{_kind(place)}>{cell}</td>" for place, cell in enumerate(told))


def _kind(place: int) -> str:
    return ' class="n"' if place else ""


def chart(lines: Sequence[tuple[str, Sequence[int]]], labels: Sequence[str]) -> str:
    """One or two lines over time; the axis begins at zero, so that sizes can be compared by eye."""
    top = max((value for _, values in lines for value in values), default=0) or 1
    steps = max(len(labels) - 1, 1)
    drawn = [
        f'<span class="grid" style="bottom:{100 * part}%"></span>'
        f'<span class="y" style="bottom:{100 * part}%">{top * part:,.0f}</span>'
        for part in (0, 0.5, 1)
        if part != 0.5 or top % 2 == 0
    ]
    for kind, (name, values) in zip("AB", lines, strict=False):
        places = [(100 * step / steps, 100 * value / top) for step, value in enumerate(values)]
        points = " ".join(f"{x:.2f},{100 - y:.2f}" for x, y in places)
        drawn.append(
            '<svg viewBox="0 0 100 100" preserveAspectRatio="none">'
            f'<polyline class="{kind}" points="{points}"/></svg>'
        )
        drawn += [
            f'<b class="{kind}" style="left:{x:.2f}%;bottom:{y:.2f}%" '
            f'title="{escape(f"{label}: {value:,}, {name}")}"></b>'
            for label, value, (x, y) in zip(labels, values, places, strict=True)
        ]
    ends = (("left:0", labels[0]), ("right:0", labels[-1])) if len(labels) > 1 else ()
    drawn += [f'<span class="x" style="{place}">{label}</span>' for place, label in ends]
    legend = "".join(
        f'<li class="{kind}"><i></i>{escape(name)}</li>'
        for kind, (name, _) in zip("AB", lines, strict=False)
    )
    return f'<ul class="legend">{legend}</ul><div class="chart">{"".join(drawn)}</div>'
