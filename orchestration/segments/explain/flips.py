"""What would make a condition say the opposite: which value would, or when time alone will.

Only as_of moves by itself; what it is compared with is taken as it stands now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlglot import exp

from orchestration.segments.explain.conditions import Leaf, depends_on_as_of, shown
from orchestration.segments.explain.facts import Judged
from orchestration.segments.show import told

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_OPEN = (exp.GTE, exp.LT)  # these say the opposite only just after both sides are equal
_GREATER, _STRICT = (exp.GT, exp.GTE), (exp.GT, exp.LT)
_FOR_NULLS = (exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)
_TURNED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}
_LISTED = 6  # values of `in` that are told


@dataclass(frozen=True)
class Flip:
    """What a condition wants and what would flip it; `at` is when, if it flips by itself."""

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
    is_true = bool(judged.truth)
    if leaf.expression.meta.get("words"):
        return Flip("" if is_true else "there is no such row")
    if None in values and not isinstance(test, _FOR_NULLS):
        return Flip("without a value no comparison is true")
    at = _by_time(test, values, as_of) if isinstance(test, _ORDERED) else None
    if at:
        return Flip(f"flips by itself on {at:%Y-%m-%d %H:%M:%S}", at)
    if isinstance(test, exp.Binary) and not isinstance(test, exp.Is | exp.Like | exp.ILike):
        test, values = _value_first(test, values)
    return Flip(_words(test, values, is_true, leaf.is_negated))


def _words(test: exp.Expr, values: Sequence[Any], is_true: bool, is_negated: bool) -> str:
    holds = is_true != is_negated
    if isinstance(test, _ORDERED):
        return _of_order(test, values, holds)
    if isinstance(test, exp.Between):
        return _of_range(values, holds)
    wants, otherwise = _wanted(test, values, is_negated)
    if not wants:
        return ""
    return f"wants {wants}; flips with {otherwise}" if is_true else (
        f"wants {wants}, which would flip it")  # fmt: skip


def _value_first(test: exp.Binary, values: tuple[Any, ...]) -> tuple[exp.Expr, tuple[Any, ...]]:
    """`5 < x` read as `x > 5`."""
    changing = (exp.Column, exp.Star, exp.AggFunc)
    if test.left.find(*changing) or not test.right.find(*changing):
        return test, values
    turned = _TURNED.get(type(test), type(test))
    return turned(this=test.right.copy(), expression=test.left.copy()), values[::-1]


def _wanted(test: exp.Expr, values: Sequence[Any], is_negated: bool) -> tuple[str, str]:
    """Which values make it true, and which do not; nothing where that cannot be said shortly."""
    is_null = isinstance(test, exp.Is) and isinstance(test.expression, exp.Null)
    is_flag = isinstance(test, exp.Column)
    if is_null or is_flag:
        both = ("no value", "any value") if is_null else ("true", "false")
        return both[::-1] if is_negated else both
    accepted = _accepted(test, values)
    if not accepted:
        return "", ""
    several = ", ".join(accepted[:_LISTED])
    if len(accepted) > _LISTED:
        several += f" or {len(accepted) - _LISTED:,} others"
    one = several if len(accepted) == 1 else f"one of {several}"
    others = f"any value but {several}"
    if is_negated:
        return others, one
    return one, "any other value" if isinstance(test, exp.EQ | exp.NullSafeEQ) else others


def _accepted(test: exp.Expr, values: Sequence[Any]) -> list[str]:
    """The values with which a comparison holds."""
    if isinstance(test, exp.EQ | exp.NullSafeEQ | exp.NEQ | exp.NullSafeNEQ):
        return [told(values[1])]
    if isinstance(test, exp.In):
        return [_plain(one) for one in test.expressions] or ["what the select gives"]
    if isinstance(test, exp.Is | exp.Like | exp.ILike):
        like = "" if isinstance(test, exp.Is) else "something like "
        return [f"{like}{_plain(test.expression)}"]
    return []


def _plain(value: exp.Expr) -> str:
    return value.name if isinstance(value, exp.Literal) else shown(value)


def _of_order(test: exp.Expr, values: Sequence[Any], holds: bool) -> str:
    """Of `value > limit` and its like: beyond which limit it flips, and how far that is."""
    value, limit = values
    is_upwards = isinstance(test, _GREATER) != holds
    includes_limit = isinstance(test, _STRICT) == holds
    is_time = isinstance(limit, date)
    above, below = ("after", "before") if is_time else ("above", "below")
    more, less = ("later", "earlier") if is_time else ("more", "less")
    beyond = f"{above if is_upwards else below} {told(limit)}"
    if includes_limit:
        beyond = f"at {told(limit)} or {above if is_upwards else below}"
    gap = abs(_number(value, limit))
    return f"flips {beyond}" + (f" ({told(gap)} {more if is_upwards else less})" if gap else "")


def _of_range(values: Sequence[Any], holds: bool) -> str:
    value, low, high = values
    where = f"below {told(low)} or above {told(high)}" if holds else (
        f"between {told(low)} and {told(high)}")  # fmt: skip
    gap = min(abs(_number(value, end)) for end in (low, high))
    return f"flips {where}" + (f" (the nearer end is {told(gap)} away)" if gap else "")


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


def _number(one: Any, other: Any) -> Any:
    """The difference of two values of one kind; 0 where there is no such thing."""
    if isinstance(one, Decimal | float | int) and isinstance(other, Decimal | float | int):
        return Decimal(str(one)) - Decimal(str(other))
    try:
        return one - other
    except TypeError:
        return 0
