"""All segments as a table for a terminal, from 80 columns on; and what their unit tests say."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from orchestration.resources.dbt_project import PREFIX
from orchestration.segments.listing import Listed
from orchestration.segments.show import line, table, width_of
from orchestration.segments.unit_tests import Tested


def print_listing(console: Console, segments: Sequence[Listed]) -> None:
    """A row each; a reason takes lines of its own, as it is too long for a column."""
    if not segments:
        line(console, "There is no segment yet; make one with `muster segment new NAME`.")
        return
    reasons, rows = {}, []
    for one in segments:
        state, _, reason = one.state.partition(": ")
        if reason:
            reasons[one.segment] = reason
        style = "yellow" if state else ""
        size = "-" if one.size is None else f"{one.size:,}"
        rows.append(((one.segment, size, state or "published", one.owner), style))
    for columns in (("segment", "size", "state", "owner"), ("segment", "size", "state")):
        made = table(*columns, right=("size",))
        for cells, style in rows:
            made.add_row(*cells[: len(columns)], style=style)
        if width_of(console, made) <= console.width:
            break  # else without owners
    console.print(made)
    if reasons:
        console.print()
        line(console, "Why these are not as their files say", "bold")
    for segment, reason in reasons.items():
        line(console, f"{segment}: {reason}", "yellow", 1, 2)


def print_tests(console: Console, results: Sequence[Tested]) -> None:
    """A line each; of those that fail, what dbt says, as wide as dbt draws it."""
    for one in results:
        mark = Text("✓ ", style="green") if one.passed else Text("✗ ", style="red")
        segment = one.model.removeprefix(PREFIX)
        console.print(mark + Text(f"{segment}: {one.name} ({one.seconds:.1f} s)"), soft_wrap=True)
        for told in one.message.splitlines():
            console.print(Text(f"    {told}"), soft_wrap=True)
    if any("---," in one.message or "+++," in one.message for one in results):
        line(console, "--- is expected and missing, +++ is there and not expected", "dim")
    passed = sum(one.passed for one in results)
    line(console, f"{passed} of {len(results)} unit tests pass")
