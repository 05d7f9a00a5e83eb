"""Pieces that the segment commands draw in a terminal of any width: bars, tables, numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"


def made_anew(changed: Mapping[str, str]) -> list[str]:
    """What was made here, as it changed since the build: a line each of a few, else one of all."""
    if len(changed) <= 3:
        return [f"made anew here: {model}, {why}" for model, why in changed.items()]
    return [
        f"made anew here: {len(changed)} tables whose file, macros, parameters or moment changed "
        f"since the build, or that stand on such: {', '.join(changed)}"
    ]


def bar(share: float, width: int) -> str:
    """A bar of so many columns, to an eighth of one."""
    whole = max(0.0, min(1.0, share)) * width
    full, part = int(whole), int((whole - int(whole)) * 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")) or "▏"


def sparkline(values: Sequence[float]) -> str:
    """A line of blocks, one for each value."""
    top = max(values, default=0) or 1
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(value / top * 7.999))] for value in values)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without lines; the first column gives way where the terminal is narrow."""
    made = Table(header_style="dim", box=None)
    for place, name in enumerate(columns):
        made.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold",
            no_wrap=place > 0,
        )
    return made


def heading(console: Console, words: str, about: str = "") -> None:
    """What it is about, and a line of smaller print."""
    console.print(Text(words, style="bold"))
    if about:
        console.print(Text(about, style="dim"))


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
