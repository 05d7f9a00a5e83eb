"""A preview as a page: the same figures as in a terminal, with more rows."""

from html import escape

from orchestration.segments.page import bars_table, page, rows_table, section, small
from orchestration.segments.preview import Preview
from orchestration.segments.show import at
from orchestration.segments.show_preview import (
    CHANGE_COLUMNS,
    NO_TRAITS,
    OVERLAP,
    OVERLAP_COLUMNS,
    OVERLAP_KEY,
    TRAITS,
    TRAITS_COLUMNS,
    TRAITS_KEY,
    change_cells,
    change_title,
    overlap_rows,
    remarks,
    title_of,
    trait_cells,
)

_MOST = 30


def preview_page(shown: Preview) -> str:
    """A preview as a page."""
    parts = [f"<p>As of {at(shown.as_of)} UTC, the newest build.</p>"]
    parts += [
        f'<p class="{one.severity}">{one.severity}: {escape(one.words)}</p>'
        for one in shown.problems
    ]
    parts += [f'<p class="warning">{escape(words)}</p>' for words in remarks(shown)]
    is_published = shown.published_as_of is not None
    changes = [(one.segment, *change_cells(one)) for one in shown.parts]
    table = rows_table(CHANGE_COLUMNS, changes) if is_published else ""
    parts.append(section(change_title(shown), table))
    if shown.overlaps:
        rows = overlap_rows(shown)[:_MOST]
        parts.append(section(OVERLAP, bars_table(OVERLAP_COLUMNS, rows), small(OVERLAP_KEY)))
    if shown.traits:
        most = max(abs(one.difference) for one in shown.traits)
        traits = [(trait_cells(one), one.difference / most) for one in shown.traits]
        is_signed = any(one.difference < 0 for one in shown.traits)
        told = bars_table(TRAITS_COLUMNS, traits, is_signed)
        parts.append(section(TRAITS, told, small(TRAITS_KEY)))
    elif shown.size:
        parts.append(f"<p>{NO_TRAITS}</p>")
    if shown.sample:
        sample = [[cell or "-" for cell in row] for row in shown.sample]
        parts.append(section("A sample", rows_table(shown.sample_columns, sample)))
    return page(title_of(shown), *parts)
