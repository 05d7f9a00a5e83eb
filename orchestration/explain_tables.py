"""An explanation of identity as tables for a terminal, from 80 columns on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from orchestration.identity.explain.answer import Answer
from orchestration.identity.explain.events import Event
from orchestration.identity.explain.overrides import Said
from orchestration.identity.explain.path import Path
from orchestration.identity.explain.reader import Edge, Person, Rejected
from orchestration.identity.provenance import TraitProvenance

MOST = 40  # rows of one table
_NAMED = 3  # identifiers told by name in one event
_BESIDE_EDGES = 61  # columns that a table of edges needs beside the identifiers
_T = TypeVar("_T")


def print_answer(console: Console, answer: Answer) -> None:
    """Who it is, what holds the profile together, what was rejected, said, and when."""
    person = answer.person
    _who(console, person)
    _traits(console, answer.traits)
    _identifiers(console, person)
    _edges(console, person.edges)
    _list(console, "Rejected", person.rejected, lambda one: _rejection(one, person))
    _list(console, "Overrides", person.overrides, _override)
    _timeline(console, answer.events)


def print_path(console: Console, path: Path) -> None:
    """The chain from one identifier to another, and in words what it means."""
    if path.start == path.end:
        console.print(f"{path.start} is the same identifier.", markup=False)
        return
    if path.steps is None:
        console.print(
            f"No edge connects {path.start} and {path.end}, accepted or rejected, over any others.",
            markup=False,
        )
        return
    refused = sum(1 for step in path.steps if not step.edges)
    said = f"{len(path.steps)} edge{'s' * (len(path.steps) != 1)} from {path.start} to {path.end}"
    kept = "all accepted" if len(path.steps) > 1 else "accepted"
    if refused:
        how_many = f"{refused} of them " if len(path.steps) > 1 else ""
        kept = f"{how_many}rejected, which keeps them apart"
    console.print(Text(f"Path: {said}, {kept}", style="bold"))
    for step in path.steps:
        console.print(Text(f"  {step.a}"))
        for edge in step.edges:
            line = f"    │ {_by(edge)}, {_seen(edge)}, landed {_day(edge.first_landed_at)}"
            console.print(Text(line, style="dim"))
        if step.rejected and not step.edges:
            line = f"    ✗ {step.rejected.rule}: {step.rejected.reason}"
            console.print(Text(f"{line}, since {_time(step.rejected.since)}", style="red"))
    console.print(Text(f"  {path.end}"))
    console.print()


def _who(console: Console, person: Person) -> None:
    if person.profile_id:
        size = f"{len(person.identifiers):,} identifiers"
        console.print(Text(f"Profile {person.profile_id}", style="bold"))
        console.print(Text(f"  since {_time(person.since)} (UTC, as all times here), {size}"))
    else:
        name = person.identifiers[0].identifier
        console.print(Text(f"{name} is nobody's: it belongs to no profile now", style="bold"))
    for alias, since in person.aliases:
        console.print(Text(f"  was also {alias}, until {_time(since)}"))
    console.print()


def _traits(console: Console, traits: Sequence[TraitProvenance]) -> None:
    if not traits:
        return
    table = _table("Golden record", "value", "source", "decided by", "others")
    table.columns.insert(0, Column("trait", no_wrap=True))
    for one in traits:
        others = str(len(one.losers)) if one.losers else ""
        decided = (one.survivor.source, one.decided_by, others)
        table.add_row(one.trait, Text(one.survivor.value), *decided)
    _print(console, table, len(traits))


def _identifiers(console: Console, person: Person) -> None:
    days = {one: (_day(one.first_landed_at), _day(one.since)) for one in person.identifiers}
    # Mostly they came to the profile when they landed; a narrow terminal needs the room.
    is_same = all(landed == since for landed, since in days.values())
    last = ("landed, here",) if is_same else ("landed", "here since")
    table = _table("Identifiers", "identifier", "records", "seen", *last)
    for one in person.identifiers[:MOST]:
        told = days[one][: len(last)]
        table.add_row(Text(one.identifier), f"{one.record_count:,}", _seen(one), *told)
    _print(console, table, len(person.identifiers))


def _edges(console: Console, edges: Sequence[Edge]) -> None:
    """By the identifier that they begin at, which is named once."""
    if not edges:
        return
    shown = edges[:MOST]
    if max(len(edge.b) for edge in shown) > console.width - _BESIDE_EDGES:
        _narrow_edges(console, shown)
    else:
        table = _table("Edges that hold them together", "from, to", "by source", "seen", "landed")
        for start, several in groupby(shown, key=lambda edge: edge.a):
            table.add_row(Text(start))
            for edge in several:
                by = _by(edge)
                table.add_row(Text(f" └ {edge.b}"), by, _seen(edge), _day(edge.first_landed_at))
        console.print(table)
    _more(console, len(edges))


def _narrow_edges(console: Console, edges: Sequence[Edge]) -> None:
    """Two lines an edge, where a table would break the identifiers."""
    console.print(Text("Edges that hold them together", style="bold"))
    for start, several in groupby(edges, key=lambda edge: edge.a):
        console.print(Padding(Text(start), (0, 0, 0, 1)))
        for end, alike in groupby(several, key=lambda edge: edge.b):
            console.print(Padding(Text(f"└ {end}"), (0, 0, 0, 2)))
            for edge in alike:
                line = f"{_by(edge)}, {_seen(edge)}, landed {_day(edge.first_landed_at)}"
                console.print(Padding(Text(line, style="dim"), (0, 0, 0, 5)))


def _by(edge: Edge) -> str:
    if edge.weight is not None:
        return f"{edge.source}, weight {edge.weight:.1f}"
    return f"{edge.source} ×{edge.record_count:,}"


def _rejection(one: Rejected, person: Person) -> Iterator[str]:
    yield f"{one.a} ✗ {one.b}"
    by = f"{', '.join(one.sources)} ×{one.record_count:,}"
    yield f"{one.rule}: {one.reason}; since {_time(one.since)} ({by})"
    other = "of the same profile" if one.other_profile_id else "of nobody"
    if one.other_profile_id and one.other_profile_id != person.profile_id:
        other = f"of {one.other_profile_id}"
    yield f"the other side is {other}"


def _override(one: Said) -> Iterator[str]:
    about = " and ".join(name for name in (one.identifier_a, one.identifier_b) if name)
    yield f"{one.override_id}: {one.action} {about}"
    yield f"{one.state}; {_time(one.landed_at)} by {one.told_by}: {one.why}"


def _timeline(console: Console, happened: Sequence[Event]) -> None:
    table = _table("What happened", "when", "what")
    table.columns[0].no_wrap = True
    rows = [
        (at, sentence)
        for at, several in groupby(happened, key=lambda one: one.at)
        for sentence in _sentences(list(several))
    ]
    for at, sentence in rows[:MOST]:
        table.add_row(_time(at), Text(sentence))
    _print(console, table, len(rows))


def _sentences(happened: Sequence[Event]) -> Iterator[str]:
    """Of one moment; many edges that were judged alike are counted."""
    alike = Counter((one.kind, one.rule) for one in happened if one.a)
    told = set()
    for one in happened:
        group = (one.kind, one.rule)
        if one.kind not in {"rejected", "accepted"} or alike[group] <= _NAMED:
            yield _sentence(one)
        elif group not in told:
            told.add(group)
            yield f"{alike[group]:,} edges were {one.kind} ({one.rule or 'they link after all'})"


def _sentence(one: Event) -> str:
    names, edge = _names(one.identifiers), f"{one.a} – {one.b}"
    moved = f", with {names}" if names else ""
    because = f" ({one.rule}: {one.reason})" if one.reason else f" ({one.rule})"
    first, *rest = one.identifiers or ("",)
    beside = f", with {_names(rest)}" if rest else ""
    sentences = {
        "founded": f"{one.profile_id} founded by {first}{beside}",
        "joined": f"joined {one.profile_id}: {names}",
        "merged": f"{one.other_profile_id} merged into {one.profile_id} by {edge}{because}{moved}",
        "split": f"{one.profile_id} split from {one.other_profile_id}{because}: {edge} no longer "
        f"links{moved}",
        "moved": f"moved from {one.other_profile_id} to {one.profile_id}: {names}",
        "nobody's": f"nobody's from then on: {names}",
        "rejected": f"rejected {edge}{because}",
        "accepted": f"accepted after all {edge}",
    }
    return sentences[one.kind]


def _names(identifiers: Sequence[str]) -> str:
    more = len(identifiers) - _NAMED
    named = ", ".join(identifiers[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"


def _seen(one: object) -> str:
    first, last = (_day(getattr(one, name)) for name in ("first_occurred_at", "last_occurred_at"))
    return first if first == last else f"{first}..{last}"


def _table(title: str, first: str, *others: str) -> Table:
    """Only the first column is folded where the terminal is narrow."""
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=None
    )
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(
            name,
            justify="right" if name == "records" else "left",
            no_wrap=name != "what",
            overflow="fold",
        )
    return table


def _print(console: Console, table: Table, size: int) -> None:
    console.print(table)
    _more(console, size)


def _more(console: Console, size: int) -> None:
    if size > MOST:
        console.print(f"and {size - MOST:,} more; --json has all", style="dim")
    console.print()


def _list(
    console: Console, title: str, rows: Sequence[_T], told: Callable[[_T], Iterable[str]]
) -> None:
    if not rows:
        return
    console.print(Text(title, style="bold"))
    for row in rows[:MOST]:
        head, *lines = told(row)
        console.print(Padding(Text(head), (0, 0, 0, 1)))
        for line in lines:
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, 5)))
    _more(console, len(rows))
