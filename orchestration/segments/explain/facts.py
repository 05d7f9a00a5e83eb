"""The values of one person in a block: its rows and groups, with the truth of each condition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from orchestration.segments.explain.blocks import PERSON, Block
from orchestration.segments.explain.conditions import DIALECT, Leaf, Tree

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 10_000
# Columns by which a row is named, and behind which its events are found.
_NAMES = ("session_id", "cart_id", "order_id", "event_id", "ticket_id", "event_ids")


@dataclass(frozen=True)
class Judged:
    """A leaf for one row or group: its truth, and the values of its sides."""

    truth: bool | None
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """A row of the person, or a group of them: `named` are its keys and times."""

    passes: bool
    named: Mapping[str, Any]
    judged: Mapping[int, Judged]


@dataclass(frozen=True)
class Facts:
    """All rows of the person in a block; `groups` of those that pass, where it groups.

    `truth` is that of the whole block for the person.
    """

    rows: tuple[Row, ...]
    groups: tuple[Row, ...]
    truth: bool


def facts(connection: "duckdb.DuckDBPyConnection", block: Block, profile_id: str) -> Facts:
    """Ask the block about one person.

    Raises:
        duckdb.Error: the taken-apart query cannot be run.
    """
    leaves = [*block.joins, *(block.where.leaves() if block.where else ())]
    rows = tuple(
        Row(_passes(block.joins, block.where, judged), named, judged)
        for named, judged in _rows(connection, block, leaves, profile_id)
    )
    if block.whole:
        return Facts(rows, (), _is_in(connection, block, profile_id))
    if not block.is_grouped:
        return Facts(rows, (), any(row.passes for row in rows))
    groups = tuple(
        Row(_passes([], block.having, judged), named, judged)
        for named, judged in _groups(connection, block, profile_id)
    )
    return Facts(rows, groups, any(group.passes for group in groups))


def _passes(joins: list[Leaf], tree: Tree | None, judged: Mapping[int, Judged]) -> bool:
    truths = {number: one.truth for number, one in judged.items()}
    is_joined = all(truths[join.number] for join in joins)
    return is_joined and (tree is None or tree.truth(truths) is True)


def _rows(
    connection: "duckdb.DuckDBPyConnection", block: Block, leaves: list[Leaf], profile_id: str
) -> list[tuple[dict[str, Any], dict[int, Judged]]]:
    query = block.rows.copy()
    for part in ("where", "group", "having", "distinct", "order", "limit", "qualify", "with_"):
        query.set(part, None)
    query.set("where", exp.Where(this=_is_person(block, profile_id)))
    named = _naming_columns(connection, block)
    query.set("expressions", [*(_named(column) for column in named), *_asked(leaves)])
    if not query.expressions:
        query.set("expressions", [exp.true()])
    query.set("limit", exp.Limit(expression=exp.Literal.number(MOST_ROWS)))
    return _read(connection, _with_ctes(block, query), [one.name for one in named], leaves)


def _groups(
    connection: "duckdb.DuckDBPyConnection", block: Block, profile_id: str
) -> list[tuple[dict[str, Any], dict[int, Judged]]]:
    leaves = list(block.having.leaves()) if block.having else []
    query = block.select.copy()
    for part in ("having", "distinct", "order", "limit", "qualify", "with_"):
        query.set(part, None)
    query = query.where(_is_person(block, profile_id), copy=False)
    keys = [f"_key_{place}" for place in range(len(query.expressions))]
    names = [one.alias_or_name or key for one, key in zip(query.expressions, keys, strict=True)]
    query.set("expressions", [*query.expressions, *_asked(leaves)])
    return _read(connection, _with_ctes(block, query), names, leaves)


def _asked(leaves: list[Leaf]) -> list[exp.Expr]:
    asked: list[exp.Expr] = []
    for leaf in leaves:
        asked.append(exp.alias_(exp.paren(leaf.expression.copy()), f"_leaf_{leaf.number}"))
        asked += [
            exp.alias_(side.copy(), f"_leaf_{leaf.number}_{place}")
            for place, side in enumerate(leaf.sides)
        ]
    return asked


def _read(
    connection: "duckdb.DuckDBPyConnection", sql: str, names: list[str], leaves: list[Leaf]
) -> list[tuple[dict[str, Any], dict[int, Judged]]]:
    found = []
    for row in connection.execute(sql).fetchall():
        at = len(names)
        judged = {}
        for leaf in leaves:
            values = tuple(row[at + 1 : at + 1 + len(leaf.sides)])
            judged[leaf.number] = Judged(_as_truth(row[at]), values)
            at += 1 + len(leaf.sides)
        found.append((dict(zip(names, row, strict=False)), judged))
    return found


def _as_truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _is_person(block: Block, profile_id: str) -> exp.Expr:
    return exp.EQ(this=block.person.copy(), expression=exp.Literal.string(profile_id))


def _with_ctes(block: Block, query: exp.Select) -> str:
    if block.root.args.get("with_"):
        query.set("with_", block.root.args["with_"].copy())
    return query.sql(dialect=DIALECT)


def _naming_columns(connection: "duckdb.DuckDBPyConnection", block: Block) -> list[exp.Column]:
    """Keys and times of the table that has the person's rows."""
    source = block.rows.args.get("from_")
    if source is None:
        return []
    alias = source.this.alias_or_name
    query = exp.select(exp.Star()).from_(source.this.copy()).limit(0)
    asked = connection.execute(_with_ctes(block, query))
    columns = [(column[0], str(column[1])) for column in asked.description or []]
    wanted = [name for name, _ in columns if name in _NAMES]
    wanted += [name for name, kind in columns if kind.startswith(("TIMESTAMP", "DATETIME"))][:6]
    wanted = wanted or [name for name, _ in columns if name != PERSON][:2]
    return [exp.column(name, table=alias) for name in wanted]


def _named(column: exp.Column) -> exp.Expr:
    return exp.alias_(column.copy(), f"_named_{column.name}")


def _is_in(connection: "duckdb.DuckDBPyConnection", block: Block, profile_id: str) -> bool:
    query = block.select.copy()
    query.set("with_", None)
    outer = exp.select(exp.true()).from_(query.subquery("whole"))
    outer = outer.where(
        exp.EQ(this=exp.column("profile_id"), expression=exp.Literal.string(profile_id))
    )
    return connection.execute(_with_ctes(block, outer.limit(1))).fetchone() is not None
