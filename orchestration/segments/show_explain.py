"""An explanation of membership for a terminal, from 80 columns on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orchestration.segments.explain.answer import Condition, Explanation, Part, Result, Told
from orchestration.segments.explain.flips import told
from orchestration.segments.show import at, heading, table

_MOST = 8  # rows of one kind
_EVENTS = 12
_KEYS = ("session_id", "cart_id", "order_id", "event_id", "ticket_id")
_WORDS = {"all": "all of", "any": "any of", "not": "not"}


def print_explanation(console: Console, shown: Explanation) -> None:
    """In or out first, then each select with its conditions, then the events behind it."""
    verb, style = ("is in", "bold green") if shown.is_member else ("is not in", "bold red")
    console.print(Text(f"{shown.profile_id} {verb} {shown.segment}", style=style))
    console.print(Text(f"as of {at(shown.as_of)} UTC{_by_itself(shown)}", style="dim"))
    for note in shown.notes:
        console.print(Text(note, style="yellow"))
    for part in shown.parts:
        console.print()
        _part(console, part)
    _events(console, shown)


def _by_itself(shown: Explanation) -> str:
    if not shown.changes_at:
        return ""
    word = "leaves" if shown.is_member else "enters"
    return f"; {word} on {at(shown.changes_at)} if nothing happens but time"


def _part(console: Console, part: Part) -> None:
    passing = sum(row.passes for row in part.rows)
    name = f"{part.name}: " if part.name else ""
    tables = ", ".join(part.tables) or "no table"
    if not part.rows:
        heading(console, f"{name}{tables} has no row of this person")
        return
    count = f"{passing:,} of {len(part.rows):,} rows pass" if len(part.rows) > 1 else "one row"
    heading(console, f"{name}{tables}: {count}")
    if part.whole:
        console.print(Text(f"  as a whole {_mark(part.truth)}: {part.whole}", style="yellow"))
    of = {one.number: one for one in part.conditions}
    best = max(part.rows, key=_closeness)
    is_one = len(part.rows) == 1
    columns: set[str] = set()
    shown = _Shown(console, of, best, is_one, columns)
    for number in part.joins:
        shown.leaf(number)
    shown.tree(part.where)
    if not is_one:
        _rows(console, part, of)
    for group in part.groups[:_MOST]:
        keys = [f"{key} {told(value)}" for key, value in group.named.items()
                if key != "profile_id" and not key.startswith("_")]  # fmt: skip
        console.print(Text(", ".join(("  of those rows together", *keys)), style="dim"))
        _Shown(console, of, group, True, columns).tree(part.having)


def _closeness(row: Told) -> tuple[bool, int]:
    return row.passes, sum(result.truth is True for result in row.results.values())


@dataclass
class _Shown:
    """A row whose conditions are printed; of a column only the first mention says what it is."""

    console: Console
    of: Mapping[int, Condition]
    row: Told
    has_values: bool
    told_columns: set[str]

    def tree(self, tree: Any, depth: int = 1) -> None:
        """The conditions of a tree, each in its line."""
        if isinstance(tree, int):
            if tree in self.row.results:
                self.leaf(tree, depth)
            return
        for kind, children in (tree or {}).items():
            below = depth
            if kind != "all" or depth > 1:
                self.console.print(Text(f"{'  ' * depth}{_WORDS[kind]}", style="dim"))
                below += 1
            for child in children:
                self.tree(child, below)

    def leaf(self, number: int, depth: int = 1) -> None:
        """A condition, its value, what would flip it, and what its names mean."""
        condition, result = self.of[number], self.row.results[number]
        line = Text("  " * depth)
        if self.has_values:
            line.append(f"{_mark(result.truth)} ", style="green" if result.truth else "red")
        line.append(condition.text)
        self.console.print(line)
        said = _values(condition, result) if self.has_values else []
        if result.flip and self.has_values:
            said.append(f"flips {result.flip}" if result.flips_at else result.flip)
        if said:
            _more(self.console, depth, "; ".join(said), "bold")
        for one in condition.parameters:
            words = f"{one.name} = {told(one.value)} {one.unit}: {one.meaning}"
            _more(self.console, depth, words)
        for column, about in condition.columns.items():
            if column not in self.told_columns:
                self.told_columns.add(column)
                _more(self.console, depth, f"{column}: {about}")


def _more(console: Console, depth: int, words: str, style: str = "dim") -> None:
    console.print(Padding(Text(words, style=style), (0, 0, 0, 2 * depth + 4), expand=False))


def _values(condition: Condition, result: Result) -> list[str]:
    """Of each side that is not the same in words as in value."""
    pairs = zip(condition.sides, result.values, strict=False)
    return [f"{side} is {told(value)}" for side, value in pairs if side != told(value)
            and side != f"'{value}'"]  # fmt: skip


def _rows(console: Console, part: Part, of: Mapping[int, Condition]) -> None:
    rows = sorted(part.rows, key=lambda row: (not row.passes, _newest(row)))
    tested = {side for condition in part.conditions for side in condition.sides}
    named = rows[0].named
    times = [name for name, value in named.items() if isinstance(value, datetime)]
    key = [name for name in _KEYS if name in named][:1] or list(named)[: 2 * (not times)]
    when = [name for name in times if name in tested][:1] or times[:1]
    made = table("", *key, *when, "why")
    made.columns[-1].no_wrap = False
    for is_passing in (True, False):
        several = [row for row in rows if row.passes == is_passing]
        mark = Text(_mark(is_passing), style="green" if is_passing else "red")
        for row in several[:_MOST]:
            cells = [told(row.named[name]) for name in (*key, *when)]
            made.add_row(mark, *cells, _why(row, part, of))
        if len(several) > _MOST:
            made.add_row("", f"and {len(several) - _MOST:,} more")
    console.print(made)


def _why(row: Told, part: Part, of: Mapping[int, Condition]) -> Text:
    """Of a row that passes, until when it does by time alone; else the conditions it fails."""
    if row.passes:
        ends = [one.flips_at for one in row.results.values() if one.flips_at]
        return Text(f"until {at(min(ends))}" if ends else "", style="dim")
    words = []
    for number in (*part.joins, *_leaves(part.where)):
        result = row.results[number]
        if not result.truth:
            value = f" ({told(result.values[0])})" if result.values else ""
            flips = f", until {at(result.flips_at)}" if result.flips_at else ""
            words.append(f"✗ {of[number].text}{value}{flips}")
    return Text("\n".join(words), style="red")


def _newest(row: Told) -> float:
    moments = [value for value in row.named.values() if isinstance(value, datetime)]
    return -moments[0].timestamp() if moments else 0.0


def _leaves(tree: Any) -> Sequence[int]:
    if tree is None:
        return []
    if isinstance(tree, int):
        return [tree]
    return [one for children in tree.values() for child in children for one in _leaves(child)]


def _mark(truth: bool | None) -> str:
    return "✓" if truth else "✗" if truth is not None else "?"


def _events(console: Console, shown: Explanation) -> None:
    if not shown.events:
        return
    console.print()
    word = "decide" if shown.is_member else "were looked at"
    heading(console, f"Events that {word}: {shown.event_count:,}")
    made = table("when (UTC)", "what", "id", "of")
    made.columns[0].no_wrap = True
    for event in shown.events[-_EVENTS:]:
        when = f"{event.at:%Y-%m-%d %H:%M:%S}" if event.at else "-"
        made.add_row(when, event.name, event.event_id, event.of)
    console.print(made)
    if shown.event_count > _EVENTS:
        console.print("the newest; --json has up to 50", style="dim")
