"""Pieces that commands draw in a terminal of any width: lines, bars, tables, values."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_LEAST, _BAR_MOST = 6, 24  # columns; a shorter bar tells nothing
_NAME_LEAST = 12
_LONGEST = 20  # digits before the point, or noughts behind it


def made_anew(changed: Mapping[str, str]) -> list[str]:
    """What was made here, as it changed since the build: a line each of a few, else one of all."""
    if len(changed) <= 3:
        return [f"made anew here: {model}, {why}" for model, why in changed.items()]
    return [
        f"made anew here: {len(changed)} tables whose file, macros, parameters or moment changed "
        f"since the build, or that stand on such: {', '.join(changed)}"
    ]


def line(console: Console, words: str, style: str = "", indent: int = 0, hang: int = 0) -> None:
    """Words, folded where the terminal ends; what is folded stands `hang` further in."""
    first, others = " " * indent, " " * (indent + hang)
    width = max(console.width, len(others) + 20)
    for one in wrap(words, width, initial_indent=first, subsequent_indent=others,
                    break_on_hyphens=False):  # fmt: skip
        console.print(Text(one, style=style))


def heading(console: Console, words: str, about: str = "") -> None:
    """What it is about, and a line of smaller print."""
    line(console, words, "bold")
    if about:
        line(console, about, "dim")


def more(console: Console, shown: int, of: int) -> None:
    """How many are not shown."""
    if of > shown:
        console.print(f"and {of - shown:,} more; --json has all", style="dim")


def bar(share: float, width: int) -> str:
    """A bar of so many columns, to an eighth of one."""
    whole = max(0.0, min(1.0, share)) * width
    full, part = int(whole), int((whole - int(whole)) * 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")) or ("▏" if whole else "")


def table(*columns: str, right: Sequence[str] = (), folds: Sequence[str] = ()) -> Table:
    """A table without lines; if the terminal is narrow the first column folds, or `folds` do."""
    made = Table(header_style="dim", box=None)
    for name in columns:
        made.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold",
            no_wrap=name not in (folds or columns[:1]),
        )
    return made


def bars_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[tuple[Sequence[str], float, str]],
    right: Sequence[str] = (),
) -> Table:
    """A table with a bar at the end of each row, as long as there is room for.

    Args:
        console: where it goes.
        columns: the names of the others.
        rows: their cells, the share of the longest bar, and the style of the bar.
        right: columns of numbers.
    """
    bare = names_table(console, columns, [cells for cells, _, _ in rows], right)
    room = console.width - width_of(console, bare) - 2
    if room < _BAR_LEAST:
        return bare
    made = table(*columns, "", right=right)
    for cells, length, style in rows:
        made.add_row(*cells, Text(bar(length, min(room, _BAR_MOST)), style=style))
    return made


def names_table(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]
) -> Table:
    """A table whose first column is of names: these fold between words if the room is scarce."""
    longest = max((len(name) for name, *_ in rows), default=0)
    made = table(*columns, right=right)
    for row in rows:
        made.add_row(*row)
    over = width_of(console, made) - console.width
    if over > 0:
        made = table(*columns, right=right)
        for name, *cells in rows:
            made.add_row(folded(name, max(longest - over, _NAME_LEAST)), *cells)
    return made


def folded(name: str, width: int) -> str:
    """A name in lines of at most so many characters, broken after `_` and blanks."""
    lines = [""]
    for part in re.split(r"(?<=[_ ])", name):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(each.rstrip() for each in lines)


def fitting(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table of the first columns, names left and others right, as many as the terminal holds."""
    for size in range(len(columns), 0, -1):
        made = table(*columns[:size], right=columns[1:size])
        for row in rows:
            made.add_row(*row[:size])
        if width_of(console, made) <= console.width:
            break
    return made


def width_of(console: Console, made: Table) -> int:
    """What a table takes, however wide the terminal is."""
    return Measurement.get(console, console.options.update(width=10_000), made).maximum


def signed(number: int) -> str:
    """`+12`, `-3`, `0`."""
    return f"{number:+,}" if number else "0"


def number(value: float) -> str:
    """As many digits as mean anything."""
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def share(part: float, whole: float) -> str:
    """Per cent of all."""
    return f"{part / whole:.1%}" if whole else "-"


def at(moment: datetime | None) -> str:
    """A moment in UTC, to the second only where it has any."""
    if moment is None:
        return "-"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def told(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, timedelta):
        days, seconds = abs(value).days, abs(value).seconds
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    for kind, written in _WRITTEN:
        if isinstance(value, kind):
            return written(value)
    return str(value)


def _digits(value: Decimal | float) -> str:
    """As many digits as mean anything: four after the point, or six of what is less than one."""
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        return str(value)
    places = 4 if abs(number) >= 1 else 5 - number.adjusted()
    return f"{round(number, places).normalize():,f}"


_WRITTEN: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (type(None), lambda value: "no value"),
    (bool, lambda value: "true" if value else "false"),
    (datetime, lambda value: f"{value:%Y-%m-%d %H:%M:%S}"),
    (Decimal | float, _digits),
    (int, lambda value: f"{value:,}"),
)
