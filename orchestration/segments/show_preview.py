"""A preview as tables for a terminal, from 80 columns on."""

from rich.console import Console
from rich.text import Text

from orchestration.segments.preview import Part, Preview
from orchestration.segments.show import at, bar, heading, made_anew, number, share, signed, table
from orchestration.segments.traits import Trait

_MOST = 12
_BAR = 16


def print_preview(console: Console, shown: Preview) -> None:
    """Size and change first, then what is wrong, then who they are."""
    size = f"{shown.size:,} of {shown.everybody:,} profiles ({share(shown.size, shown.everybody)})"
    of = f"as of {at(shown.as_of)} UTC, the newest build; {shown.seconds:.1f} s"
    heading(console, f"{shown.model}: {size}", of)
    for problem in shown.problems:
        style = "bold red" if problem.severity == "error" else "yellow"
        console.print(Text(f"{problem.severity}: {problem.words}", style=style))
    for why, count in shown.barred.items():
        console.print(
            Text(f"{count:,} qualify and are {why}; they are not counted", style="yellow")
        )
    for words in made_anew(shown.made_anew):
        console.print(Text(words, style="yellow"))
    console.print()
    _change(console, shown)
    _overlaps(console, shown)
    _traits(console, shown.traits)
    _sample(console, shown)


def _change(console: Console, shown: Preview) -> None:
    if shown.published_as_of is None:
        console.print("Nothing is published yet, so there is nothing to compare with.\n")
        return
    title = f"Against what is published (as of {at(shown.published_as_of)})"
    if shown.published_as_of != shown.as_of:
        title += ", another moment: time alone changes some of it"
    columns = ("size", "published", "enter", "leave")
    heading(console, title)
    made = table("segment", *columns, right=columns)
    for part in shown.parts[:_MOST]:
        was = "never" if part.published is None else f"{part.published:,}"
        moved = (signed(part.entering), signed(-part.leaving))
        made.add_row(part.segment, f"{part.size:,}", was, *moved)
    console.print(made)
    if len(shown.parts) > _MOST:
        console.print(f"and {len(shown.parts) - _MOST:,} more; --json has all", style="dim")
    if len(shown.parts) == 1:
        _named(console, shown.parts[0])
    console.print()


def _named(console: Console, part: Part) -> None:
    for word, ids, count in (
        ("enter", part.entering_ids, part.entering),
        ("leave", part.leaving_ids, part.leaving),
    ):
        if ids:
            more = f" and {count - len(ids):,} more" if count > len(ids) else ""
            console.print(Text(f"  {word}: {', '.join(ids)}{more}", style="dim"))


def _overlaps(console: Console, shown: Preview) -> None:
    if not shown.overlaps:
        return
    columns = ("size", "in both", "lift")
    heading(console, "Overlap with other segments")
    made = table("segment", *columns, "", right=columns)
    for one in shown.overlaps[:_MOST]:
        numbers = (f"{one.size:,}", f"{one.both:,}", f"{one.lift:.1f}×")
        of_these = one.both / shown.size
        made.add_row(one.segment, *numbers, f"{bar(of_these, _BAR)} {of_these:.0%}")
    console.print(made)
    if len(shown.overlaps) > _MOST:
        console.print(f"and {len(shown.overlaps) - _MOST:,} more; --json has all", style="dim")
    console.print("lift: how much likelier than by chance; bar: share of this segment", style="dim")
    console.print()


def _traits(console: Console, traits: tuple[Trait, ...]) -> None:
    if not traits:
        return
    columns = ("members", "everybody")
    heading(console, "What tells them from everybody")
    made = table("trait", *columns, "", right=columns)
    most = max(abs(one.difference) for one in traits) or 1
    for one in traits:
        name = f"{one.name} = {one.value}" if one.value else f"{one.name} (average)"
        told = f"{one.members:.1%}" if one.value else number(one.members)
        usual = f"{one.everybody:.1%}" if one.value else number(one.everybody)
        sign = "+" if one.difference > 0 else "-"
        made.add_row(name, told, usual, f"{sign}{bar(abs(one.difference) / most, _BAR)}")
    console.print(made)
    console.print()


def _sample(console: Console, shown: Preview) -> None:
    if not shown.sample:
        return
    # A profile id takes a third of a narrow terminal.
    fitting = shown.sample_columns[: 5 if console.width >= 100 else 4]
    heading(console, "A sample")
    made = table(*fitting, right=fitting[1:])
    for row in shown.sample:
        made.add_row(*(value or "-" for value in row[: len(fitting)]))
    made.columns[0].no_wrap = True
    console.print(made)
