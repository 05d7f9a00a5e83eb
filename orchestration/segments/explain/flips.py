"""What would make a condition say the opposite: how far its value is off, or when time alone will.

Only as_of moves by itself; what it is compared with is taken as it stands now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlglot import exp

from orchestration.segments.explain.conditions import Leaf, depends_on_as_of
from orchestration.segments.explain.facts import Judged

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_OPEN = (exp.GTE, exp.LT)  # these say the opposite only just after both sides are equal


@dataclass(frozen=True)
class Flip:
    """What would flip a condition, in words; `at`, if it flips by itself, and when."""

    words: str
    at: datetime | None = None


def flip(leaf: Leaf, judged: Judged, as_of: datetime) -> Flip:
    """What would flip a leaf for one row.

    Args:
        leaf: the condition.
        judged: its truth and the values of its sides.
        as_of: the moment of evaluation.
    """
    test, values = leaf.tested, judged.values
    if leaf.expression.meta.get("words"):
        return Flip("" if judged.truth else "there is none")
    if any(value is None for value in values) and not isinstance(test, exp.Is):
        return Flip("no value: nothing can be compared with it")
    at = _by_time(test, values, as_of) if isinstance(test, _ORDERED) else None
    if at:
        return Flip(f"by itself on {at:%Y-%m-%d %H:%M:%S}", at)
    return Flip(_words(test, values, bool(judged.truth)))


def _words(test: exp.Expr, values: Sequence[Any], is_true: bool) -> str:
    if isinstance(test, _ORDERED):
        return _distance(values[0], values[1], is_true)
    if isinstance(test, exp.Between):
        low, high = (abs(_number(values[0], end)) for end in values[1:])
        return f"{told(min(low, high))} from the nearer end"
    if isinstance(test, exp.Is):
        return "a value" if values[0] is None else "no value"
    if isinstance(test, exp.EQ | exp.NEQ):
        return "another value" if is_true else f"the value {told(values[1])}"
    return ""


def _by_time(test: exp.Expr, values: Sequence[Any], as_of: datetime) -> datetime | None:
    """When as_of, as it goes on, comes to the value that it is compared with; None if never."""
    if not isinstance(test, exp.Binary):
        return None
    moves = [depends_on_as_of(side) for side in (test.left, test.right)]
    if moves[0] == moves[1]:
        return None
    moving = 0 if moves[0] else 1
    side = (test.left, test.right)[moving]
    threshold, value = values[moving], values[1 - moving]
    if not _is_shifted_as_of(side) or type(threshold) is not type(value):
        return None
    # Read with as_of on the right.
    is_open = isinstance(test, _OPEN if moving == 1 else (exp.GT, exp.LTE))
    at = None
    if isinstance(value, datetime):
        left = value - threshold
        just_after = timedelta(microseconds=1) if is_open else timedelta(0)
        at = as_of + left + just_after if left >= timedelta(0) else None
    elif isinstance(value, date):
        days = (value - threshold).days + is_open
        at = datetime.combine(as_of.date(), time()) + timedelta(days=days)
    # What is equal now has flipped already, if equality is enough.
    return at if at and at > as_of else None


def _is_shifted_as_of(side: exp.Expr) -> bool:
    """Whether it is as_of, or as_of and a constant: then it moves as fast as time."""
    if isinstance(side, exp.Paren):
        return _is_shifted_as_of(side.this)
    if isinstance(side, exp.Cast):
        return isinstance(side.this, exp.Literal)
    if isinstance(side, exp.Add | exp.Sub):
        is_constant = not depends_on_as_of(side.right) and not side.right.find(exp.Column)
        return _is_shifted_as_of(side.left) and is_constant
    return False


def _distance(one: Any, other: Any, is_true: bool) -> str:
    gap = abs(_number(one, other))
    return f"{told(gap)} to spare" if is_true else f"{told(gap)} off"


def _number(one: Any, other: Any) -> Any:
    """The difference of two values of one kind; 0 where there is no such thing."""
    if isinstance(one, Decimal | float | int) and isinstance(other, Decimal | float | int):
        return Decimal(str(one)) - Decimal(str(other))
    try:
        return one - other
    except TypeError:
        return 0


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


_WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (type(None), lambda value: "nothing"),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: f"{value.normalize():,f}"),
    (datetime, lambda value: f"{value:%Y-%m-%d %H:%M:%S}"),
    (float, lambda value: f"{value:,.6g}"),
    (int, lambda value: f"{value:,}"),
)
