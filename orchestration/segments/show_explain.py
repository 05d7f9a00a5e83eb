"""An explanation of membership for a terminal, from 80 columns on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from orchestration.segments.explain.answer import Condition, Explanation, Part, Result, Told
from orchestration.segments.show import at, heading, line, table, told

_MOST = 8  # rows of one kind
_EVENTS = 12
_KEYS = ("session_id", "cart_id", "order_id", "event_id", "ticket_id")
_WORDS = {"all": "all of", "any": "any of", "not": "not"}


def print_explanation(console: Console, shown: Explanation) -> None:
    """In or out first, then each select with its conditions, then the events behind it."""
    verb, style = ("is in", "bold green") if shown.is_member else ("is not in", "bold red")
    line(console, f"{shown.profile_id} {verb} {shown.segment}", style)
    line(console, f"as of {at(shown.as_of)} UTC, as all times here", "dim")
    if shown.changes_at:
        word = "leaves" if shown.is_member else "enters"
        line(console, f"{word} on {at(shown.changes_at)}, if nothing happens but time")
    for note in shown.notes:
        line(console, note, "yellow", hang=2)
    for part in shown.parts:
        console.print()
        _part(console, part)
    _events(console, shown)


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
        words = "true" if part.truth else "not true"
        line(console, f"{_mark(part.truth)} {words} as a whole; {part.whole}", "yellow", 2, 2)
    of = {one.number: one for one in part.conditions}
    best = max(part.rows, key=_closeness)
    is_one = len(part.rows) == 1
    named: set[str] = set()
    true_of = Counter(number for row in part.rows for number, result in row.results.items()
                      if result.truth)  # fmt: skip
    shown = _Shown(console, of, best, named, None if is_one else (true_of, len(part.rows)))
    for number in part.joins:
        shown.leaf(number)
    shown.tree(part.where)
    if not is_one:
        _rows(console, part, of)
    for group in part.groups[:_MOST]:
        keys = [f"{key} {told(value)}" for key, value in group.named.items()
                if key != "profile_id" and not key.startswith("_")]  # fmt: skip
        line(console, ", ".join(("of those rows together", *keys)), "dim", 2)
        _Shown(console, of, group, named, None).tree(part.having)


def _closeness(row: Told) -> tuple[bool, int]:
    return row.passes, sum(result.truth is True for result in row.results.values())


@dataclass
class _Shown:
    """A row whose conditions are printed; only the first mention of a name says what it means.

    Of several rows, `several` says in how many each condition is true, and how many there are.
    """

    console: Console
    of: Mapping[int, Condition]
    row: Told
    named: set[str]
    several: tuple[Mapping[int, int], int] | None

    def tree(self, tree: Any, depth: int = 1) -> None:
        """The conditions of a tree, each in its line."""
        if isinstance(tree, int):
            if tree in self.row.results:
                self.leaf(tree, depth)
            return
        for kind, children in (tree or {}).items():
            below = depth
            if kind != "all" or depth > 1:
                line(self.console, _WORDS[kind], "dim", 2 * depth)
                below += 1
            for child in children:
                self.tree(child, below)

    def leaf(self, number: int, depth: int = 1) -> None:
        """A condition, its value, what would flip it, and what its names mean."""
        condition, result = self.of[number], self.row.results[number]
        place = 2 * depth
        if self.several:
            true_of, count = self.several
            line(self.console, f"- {condition.text}", "", place, 2)
            said = [f"true in {true_of[number]:,} of {count:,} rows"]
        else:
            style = "green" if result.truth else "red"
            line(self.console, f"{_mark(result.truth)} {condition.text}", style, place, 2)
            said = [*_values(condition, result), *filter(None, [result.flip])]
        if said:
            line(self.console, "; ".join(said), "bold", place + 4)
        for one in condition.parameters:
            value = f"{one.name} = {told(one.value)} {one.unit}"
            line(self.console, self._first(one.name, f"{value}: {one.meaning}") or value, "dim",
                 place + 4, 2)  # fmt: skip
        for column, about in condition.columns.items():
            # `lifetime_value = sum(net_value); window: ...`, of which the YAML has a formula.
            is_formula = about.startswith("formula: ")
            words = f"{column} = {about[9:]}" if is_formula else f"{column}: {about}"
            if words := self._first(column, words):
                line(self.console, words, "dim", place + 4, 2)

    def _first(self, name: str, words: str) -> str:
        if name in self.named:
            return ""
        self.named.add(name)
        return words


def _values(condition: Condition, result: Result) -> list[str]:
    """Of each side that is not the same in words as in value."""
    return [
        f"{side} has no value" if value is None else f"{side} is {told(value)}"
        for side, value in zip(condition.sides, result.values, strict=False)
        if side not in {told(value), str(value), f"'{value}'"}
    ]


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
            made.add_row(mark, *cells, _why(row, part, of, {*key, *when}))
        if len(several) > _MOST:
            made.add_row("", f"and {len(several) - _MOST:,} more")
    console.print(made)


def _why(row: Told, part: Part, of: Mapping[int, Condition], known: set[str]) -> Text:
    """Of a row that passes, until when it does by time alone; else the conditions it fails.

    Values of the columns `known` stand beside it.
    """
    if row.passes:
        ends = [one.flips_at for one in row.results.values() if one.flips_at]
        return Text(f"passes until {at(min(ends))}" if ends else "", style="dim")
    words = []
    for number in (*part.joins, *_leaves(part.where)):
        result = row.results[number]
        if not result.truth:
            flips = f", until {at(result.flips_at)}" if result.flips_at else ""
            is_known = not result.values or of[number].sides[0].split(".")[-1] in known
            value = "" if is_known else f" (it is {told(result.values[0])})"
            words.append(f"{_mark(result.truth)} {of[number].text}{value}{flips}")
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
    listed = shown.events[-_EVENTS:]
    those = f"the newest {len(listed)} of {shown.event_count:,}"
    about = f"--json has {len(shown.events):,}" if len(shown.events) > len(listed) else ""
    heading(console, f"Events that {word}: {those}" if about else f"Events that {word}", about)
    made = table("when", "what", "id", "of")
    made.columns[0].no_wrap = True
    for event in listed:
        when = f"{event.at:%Y-%m-%d %H:%M:%S}" if event.at else "-"
        made.add_row(when, event.name, event.event_id, event.of)
    console.print(made)
