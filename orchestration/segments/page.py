"""Pages of one file: tables and charts as inline SVG, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape

from orchestration.segments.preview import Preview
from orchestration.segments.show import at, made_anew, number, share

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1d2733;max-width:60rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}small,.dim{color:#68788a}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:500;color:#68788a}
td,th{padding:.2rem 1rem .2rem 0;border-bottom:1px solid #e4e9ee}
td.n,th.n{text-align:right}.error{color:#b3261e;font-weight:600}.warning{color:#8a5a00}
svg{max-width:100%;height:auto}
"""


def page(title: str, *parts: str) -> str:
    """A whole document."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{''.join(parts)}</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what belongs to it."""
    return f"<h2>{escape(title)}</h2>{''.join(parts)}"


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """A table whose first `text` columns are words and the others numbers."""
    kinds = ["" if place < text else ' class="n"' for place in range(len(columns))]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, columns, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def bars(named: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars: name, share of the widest, what is written behind it."""
    height = 24 * len(named)
    drawn = "".join(
        f'<text x="250" y="{24 * place + 16}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="260" y="{24 * place + 3}" height="17" rx="2" '
        f'width="{max(1.0, 400 * min(1.0, width)):.1f}" fill="#3a7bd5"/>'
        f'<text x="{266 + 400 * min(1.0, width):.1f}" y="{24 * place + 16}" fill="#68788a">'
        f"{escape(words)}</text>"
        for place, (name, width, words) in enumerate(named)
    )
    return (
        f'<svg viewBox="0 0 800 {height}" width="800" height="{height}" font-size="13" '
        f'font-family="system-ui,sans-serif" role="img">{drawn}</svg>'
    )


def preview_page(shown: Preview) -> str:
    """A preview as a page."""
    size = f"{shown.size:,} of {shown.everybody:,} profiles"
    told = [
        f'<p class="{one.severity}">{one.severity}: {escape(one.words)}</p>'
        for one in shown.problems
    ]
    told += [f'<p class="warning">{escape(words)}</p>' for words in made_anew(shown.made_anew)]
    parts = [
        f"<p>{size} ({share(shown.size, shown.everybody)}), as of {at(shown.as_of)} UTC</p>",
        *told,
        section(
            f"Against what is published (as of {at(shown.published_as_of)})",
            rows_table(
                ("segment", "size", "published", "enter", "leave"),
                [
                    (one.segment, f"{one.size:,}",
                     "never" if one.published is None else f"{one.published:,}",
                     f"{one.entering:,}", f"{one.leaving:,}")
                    for one in shown.parts
                ],
            ),
        ),
    ]  # fmt: skip
    if shown.overlaps:
        named = [
            (one.segment, one.both / shown.size, f"{one.both:,} in both, lift {one.lift:.1f}")
            for one in shown.overlaps[:30]
        ]
        parts.append(section("Overlap: share of this segment", bars(named)))
    if shown.traits:
        most = max(abs(one.difference) for one in shown.traits) or 1
        traits = [
            (f"{one.name} = {one.value}" if one.value else one.name,
             abs(one.difference) / most,
             f"{one.members:.1%} against {one.everybody:.1%}" if one.value
             else f"{number(one.members)} against {number(one.everybody)}")
            for one in shown.traits
        ]  # fmt: skip
        parts.append(section("What tells them from everybody", bars(traits)))
    if shown.sample:
        parts.append(section("A sample", rows_table(shown.sample_columns, shown.sample)))
    return page(f"{shown.model}: {size}", *parts)
