"""A condition of SQL as a tree of and, or, not and leaves; and which literals are thresholds.

Parsed with sqlglot, never by hand. A leaf is what cannot be taken apart further: a comparison, a
flag, `in`, `between`, `is null`, `exists`; or anything else, as one whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import sqlglot
from sqlglot import exp

DIALECT = "duckdb"
_PARAMETER, _AS_OF = "parameter", "as_of"
_COMPARED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_TAKES_ONE = (exp.In, exp.Is, exp.Between, exp.Exists, exp.Like, exp.ILike)


@dataclass
class Leaf:
    """One condition. `sides` are the expressions whose values decide it, the tested one first."""

    number: int
    expression: exp.Expr
    sides: list[exp.Expr]

    @property
    def operator(self) -> str:
        """How the two sides are compared, such as `GT`; the kind of condition otherwise."""
        return type(self.tested).__name__

    @property
    def tested(self) -> exp.Expr:
        """The comparison itself, without `not` and without `coalesce(..., false)` around it."""
        return _bare(self.expression)

    @property
    def is_negated(self) -> bool:
        """Whether it is true where what is tested, read as `=`, `in` and so on, is false."""
        nots = sum(isinstance(one, exp.Not) for one in _around(self.expression))
        return (nots + isinstance(self.tested, exp.NEQ | exp.NullSafeNEQ)) % 2 == 1

    @property
    def parameters(self) -> list[str]:
        """Names of the thresholds of parameters.yml in it."""
        found = (node.meta.get(_PARAMETER) for node in self.expression.walk())
        return list(dict.fromkeys(name for name in found if name))

    @property
    def text(self) -> str:
        """The condition as one reads it: as_of by name, lower case."""
        return shown(self.expression)


@dataclass
class Tree:
    """`all` and `any` of the children, `not` of the only one, or a leaf."""

    kind: Literal["all", "any", "not", "leaf"]
    children: list["Tree"] = field(default_factory=list)
    leaf: Leaf | None = None

    def leaves(self) -> Iterator[Leaf]:
        """All leaves, from left to right."""
        if self.leaf:
            yield self.leaf
        for child in self.children:
            yield from child.leaves()

    def truth(self, of: Mapping[int, bool | None]) -> bool | None:
        """SQL's truth of three values, from that of the leaves by number."""
        if self.leaf:
            return of[self.leaf.number]
        values = [child.truth(of) for child in self.children]
        if self.kind == "not":
            return None if values[0] is None else not values[0]
        decisive = self.kind == "any"
        if decisive in values:
            return decisive
        return None if None in values else not decisive


def parse(sql: str) -> exp.Expr:
    """A query.

    Raises:
        sqlglot.errors.ParseError: sqlglot does not understand it.
    """
    return sqlglot.parse_one(sql, dialect=DIALECT)


def marked(sql: str, variants: Mapping[str, Callable[[], str]], as_of: str) -> exp.Expr:
    """A query whose literals know where they come from.

    Each variant is the same query with one parameter changed; what differs comes of it. That is
    sure however a macro used the value, and needs no marks in the SQL.

    Args:
        sql: the query as it is.
        variants: by parameter, what renders the query with another value.
        as_of: the query at another moment.
    """
    query = parse(sql)
    for name, render in variants.items():
        try:
            _mark(query, parse(render()), _PARAMETER, name)
        except (ValueError, sqlglot.errors.SqlglotError):
            continue  # no such value is possible, so it cannot be told apart
    _mark(query, parse(as_of), _AS_OF, "as_of")
    return query


def _mark(query: exp.Expr, other: exp.Expr, key: str, name: str) -> None:
    here, there = list(query.walk()), list(other.walk())
    if len(here) != len(there):
        return
    for one, two in zip(here, there, strict=True):
        if isinstance(one, exp.Literal | exp.Identifier) and one.this != two.this:
            one.meta[key] = name


def depends_on_as_of(expression: exp.Expr) -> bool:
    """Whether it is another value at another moment."""
    return any(node.meta.get(_AS_OF) for node in expression.walk())


def tree(condition: exp.Expr, numbers: Iterator[int]) -> Tree:
    """A condition taken apart; leaves are numbered in order."""
    if isinstance(condition, exp.Paren):
        return tree(condition.this, numbers)
    if isinstance(condition, exp.And | exp.Or):
        kind: Literal["all", "any"] = "all" if isinstance(condition, exp.And) else "any"
        children = []
        for side in (condition.left, condition.right):
            found = tree(side, numbers)
            children += found.children if found.kind == kind else [found]
        return Tree(kind, children)
    if isinstance(condition, exp.Not) and isinstance(condition.this.unnest(), exp.And | exp.Or):
        return Tree("not", [tree(condition.this, numbers)])
    return Tree("leaf", leaf=Leaf(next(numbers), condition, _sides(condition)))


def _bare(condition: exp.Expr) -> exp.Expr:
    return list(_around(condition))[-1]


def _around(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The condition, what it is `not` of, and so on; at last the comparison itself."""
    yield condition
    is_wrapper = isinstance(condition, exp.Not | exp.Paren)
    if isinstance(condition, exp.Coalesce) and len(condition.expressions) == 1:
        is_wrapper = isinstance(condition.expressions[0], exp.Boolean)
    if is_wrapper:
        yield from _around(condition.this)


def _sides(condition: exp.Expr) -> list[exp.Expr]:
    inner = _bare(condition)
    if isinstance(inner, _COMPARED):
        return [inner.left, inner.right]
    if isinstance(inner, exp.Between):
        return [inner.this, inner.args["low"], inner.args["high"]]
    if isinstance(inner, exp.Exists):
        return []
    if isinstance(inner, _TAKES_ONE):
        return [inner.this]
    if isinstance(inner, exp.Column):
        return [inner]
    outside = [one for one in inner.find_all(exp.Column) if not one.find_ancestor(exp.Select)
               or one.find_ancestor(exp.Select) is inner.find_ancestor(exp.Select)]  # fmt: skip
    several: list[exp.Expr] = list({one.sql(): one for one in outside}.values())
    return several[:4]


def shown(expression: exp.Expr) -> str:
    """SQL for people: `started_at > as_of - interval 7 day`, tables by their bare names."""

    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Cast) and node.this.meta.get(_AS_OF):
            return exp.column("as_of")
        if isinstance(node, exp.Table):
            return exp.table_(node.name, alias=node.alias or None)
        if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal):
            return exp.Var(this=f"interval {node.this.this} {node.text('unit')}".lower())
        if isinstance(node, exp.Not) and isinstance(node.this, exp.In | exp.Is):
            return exp.Var(this=_negated(plain_of(node.this)))
        return node

    def plain_of(node: exp.Expr) -> exp.Expr:
        return node.copy().transform(plain)

    return _lowered(plain_of(expression).sql(dialect=DIALECT))


def _negated(condition: exp.Expr) -> str:
    text = condition.sql(dialect=DIALECT)
    tested = condition.this.sql(dialect=DIALECT)
    word = "IS NOT" if isinstance(condition, exp.Is) else "NOT IN"
    rest = text[len(tested) :].strip()
    return f"{tested} {word} {rest.split(' ', 1)[1] if ' ' in rest else rest}"


def _lowered(sql: str) -> str:
    """Lower case outside of quotes; no quotes around plain names."""
    parts = re.split(r"('(?:[^']|'')*')", sql)
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r'"([a-z_][a-z0-9_]*)"', r"\1", parts[place].lower())
    return "".join(parts)
