"""A simulation as tables with bars for a terminal, and as a page with charts."""

from collections.abc import Callable, Sequence
from html import escape

from rich.console import Console
from rich.text import Text

from orchestration.campaigns.simulation.outcome import SENT, WAITS, Outcome, Simulation
from orchestration.segments import page as pages
from orchestration.segments.show import at, bars_table, heading, line, signed

HERE = "the files as they are"
_STYLES = ("blue", "yellow")
_MANY = ((5, 9), (10, None))  # messages per person that are counted together
_SPARKS = " ▁▂▃▄▅▆▇█"

Row = tuple[str, list[int]]  # what is counted, in each version


def _versions(shown: Simulation) -> list[Outcome]:
    return [one for one in (shown.here, shown.there) if one]


def _about(shown: Simulation) -> str:
    every = shown.span.every
    minutes = int(every.total_seconds() // 60)
    told = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return (
        f"{at(shown.span.begin)} to {at(shown.span.end)} UTC, a run every {told}, all campaigns "
        "together; nothing is sent"
    )


def _each(shown: Simulation, count: Callable[[Outcome], int]) -> list[int]:
    return [count(one) for one in _versions(shown)]


def _summary(shown: Simulation) -> list[Row]:
    name = shown.campaign
    return [
        (f"messages of {name}", _each(shown, lambda one: one.sent(name))),
        ("people who get one", _each(shown, lambda one: one.people.get(name, 0))),
        ("messages of all campaigns", _each(shown, lambda one: one.all_sent)),
        ("people who get any", _each(shown, lambda one: one.reached)),
        ("most to one person in 7 days", _each(shown, lambda one: one.most_in_a_week)),
    ]


def _outcomes(shown: Simulation) -> list[Row]:
    counted = [one.outcomes.get(shown.campaign, {}) for one in _versions(shown)]
    names = {name for one in counted for name in one} - {SENT, WAITS}
    reasons = sorted(names, key=lambda name: (-max(one.get(name, 0) for one in counted), name))
    return [(name, [one.get(name, 0) for one in counted]) for name in (SENT, WAITS, *reasons)]


def _days(shown: Simulation) -> list[Row]:
    return [
        (f"{day}", [one.days[shown.campaign][day] for one in _versions(shown)])
        for day in shown.here.days[shown.campaign]
    ]


def _messages(shown: Simulation) -> list[Row]:
    limits = [*((number, number) for number in range(1, 5)), *_MANY]

    def people(one: Outcome, least: int, most: int | None) -> int:
        return sum(
            count
            for messages, count in one.messages.items()
            if messages >= least and (most is None or messages <= most)
        )

    return [
        (
            f"{least}" if least == most else f"{least} to {most}" if most else f"{least} or more",
            [people(one, least, most) for one in _versions(shown)],
        )
        for least, most in limits
    ]


def _others(shown: Simulation) -> list[Row]:
    names = sorted({name for one in _versions(shown) for name in one.outcomes} - {shown.campaign})
    return [(name, [one.sent(name) for one in _versions(shown)]) for name in names]


def _sections(shown: Simulation) -> list[tuple[str, str, list[Row]]]:
    """Title, first column, rows."""
    return [
        (f"What becomes of the candidates of {shown.campaign}", "outcome", _outcomes(shown)),
        (f"Messages of {shown.campaign} by day", "day (UTC)", _days(shown)),
        ("Messages per person, of all campaigns", "messages", _messages(shown)),
        ("Messages of the other campaigns", "campaign", _others(shown)),
    ]


def _columns(first: str, shown: Simulation) -> tuple[str, ...]:
    return (first, "A", "B", "change") if shown.there else (first, "count")


def _cells(row: Row) -> tuple[str, ...]:
    name, counts = row
    told = tuple(f"{count:,}" for count in counts)
    return (name, *told, signed(counts[1] - counts[0])) if len(counts) > 1 else (name, *told)


def _barred(rows: Sequence[Row]) -> list[tuple[tuple[str, ...], float]]:
    """With the length of the bar: that of the last version."""
    most = max((max(counts) for _, counts in rows), default=0) or 1
    return [(_cells(row), row[1][-1] / most) for row in rows]


def print_simulation(console: Console, shown: Simulation) -> None:
    """Tables one below the other; of two versions side by side, the bar is that of B."""
    heading(console, f"{shown.campaign}, simulated", _about(shown))
    for note in shown.notes:
        line(console, note, "yellow", hang=2)
    if shown.there:
        for letter, name, style in zip("AB", (HERE, shown.change), _STYLES, strict=True):
            console.print(Text.assemble((letter, f"bold {style}"), f"  {name}"))
        line(console, "bars are those of B", "dim")
    style = _STYLES[1 if shown.there else 0]
    console.print()
    columns = _columns("", shown)
    summary = [(cells, 0.0, style) for cells, _ in _barred(_summary(shown))]
    console.print(bars_table(console, columns, summary, columns[1:]))
    for title, first, rows in _sections(shown):
        if not rows:
            continue
        console.print()
        line(console, title, "bold")
        columns = _columns(first, shown)
        barred = [(cells, length, style) for cells, length in _barred(rows)]
        console.print(bars_table(console, columns, barred, columns[1:]))
        if first.startswith("day"):
            _print_hours(console, shown)


def _print_hours(console: Console, shown: Simulation) -> None:
    console.print()
    line(console, f"Messages of {shown.campaign} by hour of the person's day, 0 to 23", "bold")
    for letter, one, style in zip("AB", _versions(shown), _STYLES, strict=False):
        hours = one.hours[shown.campaign]
        most = max(hours) or 1
        drawn = "".join(_SPARKS[-(-8 * count // most)] * 2 for count in hours)
        busiest = f"  most at {hours.index(max(hours))}: {max(hours):,}" if any(hours) else ""
        console.print(Text.assemble(f"{letter}  " if shown.there else "", (drawn, style), busiest))
    console.print(
        Text(f"{'   ' if shown.there else ''}0{'6':>12}{'12':>13}{'18':>12}", style="dim")
    )


def simulation_page(shown: Simulation) -> str:
    """A simulation as a page."""
    names = [f"A: {HERE}", f"B: {shown.change}"] if shown.there else [shown.campaign]
    days = _days(shown)
    lines = [(name, [counts[number] for _, counts in days]) for number, name in enumerate(names)]
    labels = [day for day, _ in days]
    sections = []
    for title, first, rows in _sections(shown):
        drawn = pages.bars_table(_columns(first, shown), _barred(rows))
        if first.startswith("day"):
            sections += [
                pages.section(title, pages.chart(lines, labels)),
                pages.section(
                    f"Messages of {shown.campaign} by hour of the person's day",
                    pages.bars_table(_columns("hour", shown), _barred(_by_hour(shown))),
                ),
            ]
        elif rows:
            sections.append(pages.section(title, drawn))
    versions = "".join(
        pages.small(words)
        for words in (f"A: {HERE}", f"B: {shown.change}", "Bars are those of B.")
        if shown.there
    )
    return pages.page(
        f"{shown.campaign}, simulated",
        f"<p>{escape(_about(shown))}.</p>",
        versions,
        *(f'<p class="warning">{escape(note)}</p>' for note in shown.notes),
        pages.rows_table(_columns("", shown), [_cells(row) for row in _summary(shown)]),
        *sections,
    )


def _by_hour(shown: Simulation) -> list[Row]:
    return [
        (f"{hour}", [one.hours[shown.campaign][hour] for one in _versions(shown)])
        for hour in range(24)
    ]
