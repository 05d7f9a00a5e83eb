"""A preview as tables for a terminal, from 80 columns on."""

from rich.console import Console

from orchestration.resources.dbt_project import PREFIX
from orchestration.segments.preview import Part, Preview
from orchestration.segments.show import (
    at,
    bars_table,
    fitting,
    heading,
    line,
    made_anew,
    more,
    names_table,
    number,
    share,
    signed,
)
from orchestration.segments.traits import Trait

_MOST = 12
CHANGE_COLUMNS = ("segment", "size", "published", "enter", "leave")
OVERLAP = "Overlap with other segments, the most alike first"
OVERLAP_COLUMNS = ("segment", "size", "in both", "of these", "lift", "alike")
OVERLAP_KEY = (
    "of these: share of this segment that is in the other; lift: times as likely as by chance; "
    "alike and bar: in both, of all who are in either (Jaccard index)"
)
TRAITS = "What tells them from everybody, the greatest difference first"
TRAITS_COLUMNS = ("trait", "members", "everybody", "difference")
TRAITS_KEY = (
    "difference and bar: in standard deviations of everybody; of traits that are strongly "
    "alike only the first is shown"
)
NO_TRAITS = "No trait tells them from everybody."


def print_preview(console: Console, shown: Preview) -> None:
    """Size and change first, then what is wrong, then who they are."""
    of = f"as of {at(shown.as_of)} UTC, the newest build; {shown.seconds:.1f} s"
    heading(console, title_of(shown), of)
    for problem in shown.problems:
        style = "bold red" if problem.severity == "error" else "yellow"
        line(console, f"{problem.severity}: {problem.words}", style, hang=2)
    for words in remarks(shown):
        line(console, words, "yellow", hang=2)
    console.print()
    _change(console, shown)
    _overlaps(console, shown)
    _traits(console, shown)
    _sample(console, shown)


def title_of(shown: Preview) -> str:
    """`high_value: 20 of 2,018 profiles (1.0%)`."""
    of_all = f"{shown.size:,} of {shown.everybody:,} profiles"
    return f"{shown.model.removeprefix(PREFIX)}: {of_all} ({share(shown.size, shown.everybody)})"


def remarks(shown: Preview) -> list[str]:
    """What is no fault, but has to be known."""
    barred = [
        f"{count:,} qualify and are {why}; they are not counted"
        for why, count in shown.barred.items()
    ]
    return [*barred, *made_anew(shown.made_anew)]


def change_title(shown: Preview) -> str:
    """With which moment it is compared."""
    if shown.published_as_of is None:
        return "Nothing is published yet, so there is nothing to compare with"
    title = f"Against what is published (as of {at(shown.published_as_of)})"
    if shown.published_as_of != shown.as_of:
        title += ", another moment: time alone changes some of it"
    return title


def _change(console: Console, shown: Preview) -> None:
    heading(console, change_title(shown))
    if shown.published_as_of is not None:
        cells = [(part.segment, *change_cells(part)) for part in shown.parts[:_MOST]]
        console.print(names_table(console, CHANGE_COLUMNS, cells, CHANGE_COLUMNS[1:]))
        more(console, _MOST, len(shown.parts))
        if len(shown.parts) == 1:
            _named(console, shown.parts[0])
    console.print()


def change_cells(part: Part) -> tuple[str, ...]:
    """Size, published, enter, leave."""
    was = "never" if part.published is None else f"{part.published:,}"
    return f"{part.size:,}", was, signed(part.entering), signed(-part.leaving)


def _named(console: Console, part: Part) -> None:
    for word, ids, count in (
        ("enter", part.entering_ids, part.entering),
        ("leave", part.leaving_ids, part.leaving),
    ):
        if ids:
            others = f" and {count - len(ids):,} more" if count > len(ids) else ""
            line(console, f"{word}: {', '.join(ids)}{others}", "dim", 1, 2)


def _overlaps(console: Console, shown: Preview) -> None:
    if not shown.overlaps:
        return
    heading(console, OVERLAP)
    rows = [
        (cells, alike, "blue")
        for (cells, alike) in overlap_rows(shown)[:_MOST]
    ]  # fmt: skip
    console.print(bars_table(console, OVERLAP_COLUMNS, rows, OVERLAP_COLUMNS[1:]))
    more(console, _MOST, len(shown.overlaps))
    line(console, OVERLAP_KEY, "dim")
    console.print()


def overlap_rows(shown: Preview) -> list[tuple[tuple[str, ...], float]]:
    """The cells of each row, and how alike the two are."""
    return [
        (
            (one.segment, f"{one.size:,}", f"{one.both:,}", f"{one.both / shown.size:.0%}",
             f"{one.lift:.1f}×", f"{one.jaccard:.1%}"),
            one.jaccard,
        )
        for one in shown.overlaps
    ]  # fmt: skip


def _traits(console: Console, shown: Preview) -> None:
    if not shown.size:
        return
    if not shown.traits:
        line(console, f"{NO_TRAITS}\n")
        return
    heading(console, TRAITS)
    most = max(abs(one.difference) for one in shown.traits)
    rows = [
        (trait_cells(one), abs(one.difference) / most, "green" if one.difference > 0 else "red")
        for one in shown.traits
    ]
    console.print(bars_table(console, TRAITS_COLUMNS, rows, TRAITS_COLUMNS[1:]))
    line(console, TRAITS_KEY, "dim")
    console.print()


def trait_cells(one: Trait) -> tuple[str, ...]:
    """Trait, members, everybody, difference."""
    if one.value:
        shares = (f"{one.members:.1%}", f"{one.everybody:.1%}")
        return f"{one.name} = {one.value}", *shares, f"{one.difference:+.1f}"
    averages = (number(one.members), number(one.everybody))
    return f"{one.name} (average)", *averages, f"{one.difference:+.1f}"


def _sample(console: Console, shown: Preview) -> None:
    if not shown.sample:
        return
    heading(console, "A sample")
    rows = [tuple(value or "-" for value in row) for row in shown.sample]
    console.print(fitting(console, shown.sample_columns, rows))
