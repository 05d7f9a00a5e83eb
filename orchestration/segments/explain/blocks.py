"""The selects of a segment's query that are about one person each: where its rows can be asked for.

A block is a `select` with a column that names the person. Joins that would drop its rows are made
outer ones, so that a row that found no partner can still be shown.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from orchestration.segments.explain.conditions import Leaf, Tree, shown, tree

PERSON = "profile_id"


@dataclass
class Block:
    """One select. `person` is the column that names the person; `root` holds the query's CTEs.

    `where` and `having` are trees, `joins` the leaves that say whether a join found a partner;
    `whole` is set where it cannot be taken apart, and says why.
    """

    name: str
    select: exp.Select
    person: exp.Column
    root: exp.Expr
    rows: exp.Select
    joins: list[Leaf] = field(default_factory=list)
    where: Tree | None = None
    having: Tree | None = None
    whole: str = ""

    @property
    def is_grouped(self) -> bool:
        """Whether rows are counted together before they are judged."""
        return self.select.args.get("group") is not None or self.having is not None

    @property
    def tables(self) -> list[exp.Table]:
        """What it reads, the one that has the person's rows first."""
        found = []
        source = self.select.args.get("from_")
        joined = [join.this for join in self.select.args.get("joins") or []]
        for one in [source.this if source else None, *joined]:
            if isinstance(one, exp.Table):
                found.append(one)
        return found


def blocks(query: exp.Expr) -> tuple[list[Block], list[str]]:
    """The blocks in the order of reading, the main one last; and what was left whole, with why."""
    numbers = itertools.count()
    found: list[Block] = []
    left: list[str] = []
    for name, select in _selects(query):
        person = _person(select)
        if person is None:
            if name == "":
                left.append("the segment's own select does not name its profile_id plainly")
            continue
        found.append(_block(name, select, person, query, numbers))
    return found, left


def _selects(query: exp.Expr) -> Iterator[tuple[str, exp.Select]]:
    """Selects that stand for themselves: of CTEs, of a union's branches, of `from (...)`."""
    for cte in query.ctes if isinstance(query, exp.Query) else []:
        for branch in _branches(cte.this):
            yield from _with_inner(cte.alias, branch)
    for branch in _branches(query):
        yield from _with_inner("", branch)


def _with_inner(name: str, select: exp.Select) -> Iterator[tuple[str, exp.Select]]:
    """A select, and before it the subqueries that it reads or asks of the person."""
    source = select.args.get("from_")
    if source and isinstance(source.this, exp.Subquery):
        for branch in _branches(source.this.this):
            yield from _with_inner(source.this.alias or "from", branch)
    where = select.args.get("where")
    for test in where.find_all(exp.In) if where else []:
        inner = test.args.get("query")
        if inner and isinstance(test.this, exp.Column) and test.this.name == PERSON:
            for branch in _branches(inner.this):
                yield from _with_inner("in (...)", branch)
    for test in where.find_all(exp.Exists) if where else []:
        is_own = test.find_ancestor(exp.Select) is select and isinstance(test.this, exp.Select)
        if is_own and (asked := _of_person(test.this, select)):
            yield from _with_inner("exists (...)", asked)
    yield name, select


def _of_person(inner: exp.Select, outer: exp.Select) -> exp.Select | None:
    """The select of an `exists` that is about the outer row's person and nothing else of it, as
    one that stands for itself: it names the person instead of comparing. None of any other.
    """
    own, around = _aliases(inner), _aliases(outer)
    where = inner.args.get("where")
    tests = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
    tests = tests or ([where.this] if where else [])
    person = None
    kept: list[exp.Expr] = []
    for test in tests:
        found = _compared_person(test, own, around)
        person, kept = (found, kept) if found and not person else (person, [*kept, test])
    asked = inner.copy()
    asked.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)
    columns = [one for test in kept for one in test.find_all(exp.Column)]
    is_apart = all(one.table in own if one.table else len(own) == 1 for one in columns)
    is_other = any(inner.args.get(part) for part in ("group", "having", "qualify", "with_"))
    if person is None or not is_apart or is_other:
        return None
    asked.set("expressions", [person.copy()])
    for part in ("distinct", "order", "limit"):  # whether there is a row does not depend on them
        asked.set(part, None)
    return asked


def _aliases(select: exp.Select) -> set[str]:
    source = select.args.get("from_")
    read = [source, *(select.args.get("joins") or [])]
    return {one.this.alias_or_name for one in read if one}


def _compared_person(test: exp.Expr, own: set[str], around: set[str]) -> exp.Column | None:
    """The inner side of `inner.profile_id = outer.profile_id`."""
    if not isinstance(test, exp.EQ):
        return None
    sides = (test.left, test.right)
    columns = [one for one in sides if isinstance(one, exp.Column) and one.name == PERSON]
    if len(columns) < 2:
        return None
    inner, outer = sorted(columns, key=lambda one: one.table not in own)
    return inner if inner.table in own and outer.table in around - own else None


def _branches(query: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(query, exp.Subquery | exp.Paren):
        yield from _branches(query.this)
    elif isinstance(query, exp.SetOperation):
        yield from _branches(query.left)
        yield from _branches(query.right)
    elif isinstance(query, exp.Select):
        yield query


def _person(select: exp.Select) -> exp.Column | None:
    """The column of the person among what is selected."""
    for projection in select.expressions:
        if isinstance(projection, exp.Star) and select.args.get("from_"):
            return exp.column(PERSON)
        if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            return exp.column(PERSON, table=projection.table)
        if projection.alias_or_name == PERSON:
            inner = projection.unalias()
            return inner if isinstance(inner, exp.Column) else None
    return None


def _block(
    name: str, select: exp.Select, person: exp.Column, root: exp.Expr, numbers: Iterator[int]
) -> Block:
    where, having = select.args.get("where"), select.args.get("having")
    block = Block(name, select, person, root, select.copy())
    block.whole = _why_whole(select, person)
    aliases = {one.alias: one.this for one in select.expressions if isinstance(one, exp.Alias)}
    if where:
        block.where = tree(_without_aliases(where.this, aliases), numbers)
    if having:
        block.having = tree(_without_aliases(having.this, aliases), numbers)
    source = select.args.get("from_")
    driving = source.this.alias_or_name if source else ""
    if person.table in ("", driving):
        block.joins = _outer_joins(block.rows, numbers)
    return block


def _why_whole(select: exp.Select, person: exp.Column) -> str:
    if select.args.get("qualify"):
        return "qualify compares a row with other rows"
    if select.args.get("limit"):
        return "limit keeps the first rows of all"
    group = select.args.get("group")
    if group and not group.args.get("all"):
        keys = {one.name for one in group.expressions if isinstance(one, exp.Column)}
        places = [int(one.this) for one in group.expressions
                  if isinstance(one, exp.Literal) and not one.is_string]  # fmt: skip
        keys |= {
            select.expressions[place - 1].alias_or_name
            for place in places
            if place <= len(select.expressions)
        }
        if person.name not in keys and PERSON not in keys:
            return "its groups are of several people"
    return ""


def _without_aliases(condition: exp.Expr, aliases: dict[str, exp.Expr]) -> exp.Expr:
    """DuckDB lets a condition name what is selected; the rows are asked without those names."""
    if not aliases:
        return condition

    def replace(node: exp.Expr) -> exp.Expr:
        is_alias = isinstance(node, exp.Column) and not node.table and node.name in aliases
        inner = aliases[node.name] if is_alias else None
        if inner is None or (isinstance(inner, exp.Column) and inner.name == node.name):
            return node
        return exp.paren(inner.copy())

    return condition.copy().transform(replace)


def _outer_joins(rows: exp.Select, numbers: Iterator[int]) -> list[Leaf]:
    """Make inner joins outer ones in place; the leaves say which found a partner."""
    found = []
    for join in rows.args.get("joins") or []:
        is_inner = not join.args.get("side") and join.kind in ("", "INNER")
        has_condition = join.args.get("on") or join.args.get("using")
        if not is_inner or not has_condition or not isinstance(join.this, exp.Table):
            continue
        number = next(numbers)
        table, alias, marker = join.this, join.this.alias_or_name, f"_found_{number}"
        bare = table.copy()
        bare.set("alias", None)
        marked = exp.select(exp.Star(), exp.alias_(exp.true(), marker)).from_(bare)
        words = f"a row of {table.name} with {_join_words(join)}"
        join.set("this", marked.subquery(alias))
        join.set("side", "LEFT")
        join.set("kind", None)
        test = exp.column(marker, table=alias)
        leaf = Leaf(number, exp.Coalesce(this=test, expressions=[exp.false()]), [])
        leaf.expression.meta["words"] = words
        found.append(leaf)
    return found


def _join_words(join: exp.Join) -> str:
    on = join.args.get("on")
    if on is not None:
        return shown(on)
    return "the same " + ", ".join(one.name for one in join.args["using"])
