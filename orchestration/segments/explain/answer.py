"""The whole answer to `muster segment explain NAME PROFILE`, as records for any renderer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestration.rendering.renderer import Rendered
from orchestration.resources.dbt_project import PREFIX
from orchestration.segments.errors import SegmentError
from orchestration.segments.explain.blocks import Block, blocks
from orchestration.segments.explain.conditions import Leaf, Tree, marked
from orchestration.segments.explain.events import Event, events
from orchestration.segments.explain.facts import Facts, Judged, Row, facts
from orchestration.segments.explain.flips import Flip, flip
from orchestration.segments.members import collect, model_of, require_tag
from orchestration.segments.show import made_anew
from orchestration.segments.world import Moment, World

_TRIED = 40  # moments at which the whole is asked again
_OTHER = 987_643  # no threshold is that, so what shows it comes of the parameter


@dataclass(frozen=True)
class Parameter:
    """A threshold of parameters.yml, as it is in force."""

    name: str
    value: Any
    unit: str
    meaning: str


@dataclass(frozen=True)
class Condition:
    """A leaf: its SQL, the expressions of its sides, its thresholds, and what its columns are."""

    number: int
    text: str
    sides: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """A condition for one row."""

    truth: bool | None
    values: tuple[Any, ...]
    flip: str
    flips_at: datetime | None


@dataclass(frozen=True)
class Told:
    """A row or group of the person, with its result of each condition."""

    passes: bool
    named: Mapping[str, Any]
    results: Mapping[int, Result]


@dataclass(frozen=True)
class Part:
    """One select. `where` and `having` are nested lists of the conditions' numbers."""

    name: str
    tables: tuple[str, ...]
    truth: bool
    whole: str
    joins: tuple[int, ...]
    where: Any
    having: Any
    conditions: tuple[Condition, ...]
    rows: tuple[Told, ...]
    groups: tuple[Told, ...]


@dataclass(frozen=True)
class Explanation:
    """All of it. `changes_at` is when membership changes if nothing happens but time."""

    segment: str
    profile_id: str
    as_of: datetime
    is_member: bool
    changes_at: datetime | None
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    events: tuple[Event, ...]
    event_count: int

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""

        def plain(value: Any) -> Any:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)

        return json.dumps(asdict(self), default=plain, indent=2)


def explain(world: World, name: str, profile_id: str) -> Explanation:
    """Why a profile is in a segment, or is not.

    Args:
        world: at the moment to explain.
        name: of the segment.
        profile_id: one of today.

    Raises:
        SegmentError: there is no such segment, or its SQL is not understood.
    """
    model = model_of(world, name)
    refs = world.closure(model)
    changed = world.changed(model, refs)
    world.make(model, set(changed), refs)
    collect(world, model, "members")
    require_tag(world, name, model)
    segment = name.removeprefix(PREFIX)
    rendered = world.rendered(model)
    query = _query(world, rendered)
    found, notes = blocks(query)
    is_member = _is_member(world, model, segment, profile_id)
    tag = segment.removeprefix(model.removeprefix(PREFIX)).removeprefix("_")
    known = [
        (block, _of_tag(block, _facts(world, block, profile_id, notes), tag)) for block in found
    ]
    parts = tuple(_part(world, block, of) for block, of in known if of)
    notes += _tags(world, model, segment, profile_id)
    notes += made_anew({one: why for one, why in changed.items() if one != model})
    if parts and not (tag and not parts[-1].groups):  # rows do not tell their tag
        notes += _doubts(query, [of for _, of in known if of], is_member)
    deciding = _deciding(known)
    shown, count = events(world.connection, world.renderer, deciding)
    return Explanation(
        segment,
        profile_id,
        world.built_as_of,
        is_member,
        _changes_at(world, model, segment, profile_id, parts),
        tuple(notes),
        parts,
        tuple(shown),
        count,
    )


def _query(world: World, rendered: Rendered) -> Any:
    """The query with its literals traced to parameters and to as_of."""
    from sqlglot.errors import SqlglotError

    model = rendered.model.name
    names = [name for name in sorted(rendered.variables) if name in world.project.parameters]
    before = world.renderer.variables

    def rendered_with(variables: Mapping[str, Any]) -> str:
        world.renderer.variables = {**before, **variables}
        try:
            return world.rendered(model).sql
        finally:
            world.renderer.variables = before

    def of(name: str) -> Callable[[], str]:
        return lambda: rendered_with({name: _OTHER})

    later = world.built_as_of + timedelta(days=400, hours=7, minutes=11)
    try:
        return marked(
            rendered.sql,
            {name: of(name) for name in names},
            rendered_with({"as_of": f"{later:%Y-%m-%d %H:%M:%S}"}),
        )
    except SqlglotError as error:
        raise SegmentError(f"{model}: its SQL is not understood: {error}") from None


def _facts(world: World, block: Block, profile_id: str, notes: list[str]) -> Facts | None:
    import duckdb

    try:
        return facts(world.connection, block, profile_id)
    except duckdb.Error as error:
        text = str(error).splitlines()[0][:200]
        notes.append(f"{block.name or 'the segment'} cannot be taken apart: {text}")
        return None


def _of_tag(block: Block, of: Facts | None, tag: str) -> Facts | None:
    """Of a segment that is a tag, the groups of the tag, where the model has groups of it."""
    if of is None or not tag or block.name or not any("tag" in one.named for one in of.groups):
        return of
    groups = tuple(group for group in of.groups if group.named["tag"] == tag)
    return Facts(of.rows, groups, any(group.passes for group in groups))


def _doubts(query: Any, known: list[Facts], is_member: bool) -> list[str]:
    """What was taken apart must say what the whole says."""
    from sqlglot import exp

    is_whole = isinstance(query, exp.SetOperation) or not known
    if is_whole or known[-1].truth == is_member:
        return []
    return ["the conditions, taken apart, say otherwise; the SQL as a whole decides"]


def _is_member(world: World, model: str, segment: str, profile_id: str) -> bool:
    """Also of a model with tags as a whole, that is, in any of its segments."""
    is_whole = segment == model.removeprefix(PREFIX)
    row = world.connection.execute(
        f"""select 1 from members
        where profile_id = '{profile_id}' and (segment = '{segment}' or {is_whole})"""
    ).fetchone()
    return row is not None


def _tags(world: World, model: str, segment: str, profile_id: str) -> list[str]:
    """Of a model with tags asked for as a whole: in which of its segments the person is."""
    if segment != model.removeprefix(PREFIX):
        return []
    rows = world.connection.execute(
        f"""select distinct segment from members
        where profile_id = '{profile_id}' and segment <> '{segment}' order by 1"""
    ).fetchall()
    return [f"each tag is a segment; in {', '.join(row[0] for row in rows)}"] if rows else []


def _part(world: World, block: Block, of: Facts) -> Part:
    leaves = [
        *block.joins,
        *(block.where.leaves() if block.where else ()),
        *(block.having.leaves() if block.having else ()),
    ]
    by_number = {leaf.number: leaf for leaf in leaves}

    def told(row: Row) -> Told:
        results = {
            number: _result(by_number[number], judged, world.built_as_of)
            for number, judged in row.judged.items()
        }
        return Told(row.passes, row.named, results)

    return Part(
        block.name,
        tuple(table.name for table in block.tables),
        of.truth,
        block.whole,
        tuple(leaf.number for leaf in block.joins),
        _numbers(block.where),
        _numbers(block.having),
        tuple(_condition(world, block, leaf) for leaf in leaves),
        tuple(told(row) for row in of.rows),
        tuple(told(group) for group in of.groups),
    )


def _result(leaf: Leaf, judged: Judged, as_of: datetime) -> Result:
    would: Flip = flip(leaf, judged, as_of)
    return Result(judged.truth, judged.values, would.words, would.at)


def _numbers(tree: Tree | None) -> Any:
    if tree is None:
        return None
    if tree.leaf:
        return tree.leaf.number
    return {tree.kind: [_numbers(child) for child in tree.children]}


def _condition(world: World, block: Block, leaf: Leaf) -> Condition:
    from sqlglot import exp

    from orchestration.segments.explain.conditions import shown

    parameters = []
    for name in leaf.parameters:
        entry = world.project.parameters[name]
        value = world.parameters.get(name, entry["value"])
        parameters.append(Parameter(name, value, str(entry["unit"]), str(entry["meaning"])))
    columns = {}
    for column in leaf.expression.find_all(exp.Column):
        if about := _about(world, block, column.name, column.table):
            columns[column.name] = about
    text = leaf.expression.meta.get("words") or leaf.text
    sides = tuple(shown(side) for side in leaf.sides)
    return Condition(leaf.number, text, sides, tuple(parameters), columns)


def _about(world: World, block: Block, column: str, alias: str) -> str:
    """What the YAML of a model says of a column: formula and source, if it tells them."""
    for table in block.tables:
        model = world.project.models.get(table.name)
        if model is None or (alias and alias != table.alias_or_name):
            continue
        says = model.column(column)
        if not says:
            continue
        meta = {**(says.get("meta") or {}), **((says.get("config") or {}).get("meta") or {})}
        told = [f"{key}: {meta[key]}" for key in ("formula", "window", "unit", "source")
                if meta.get(key)]  # fmt: skip
        return "; ".join(told) or " ".join(str(says.get("description", "")).split())
    return ""


def _deciding(known: list[tuple[Block, Facts | None]]) -> list[Row]:
    """Rows that made somebody a member; where nobody is one, those that would have had to."""
    rows = [row for _, of in known if of for row in of.rows]
    passing = [row for row in rows if row.passes]
    return passing or rows


def _moments(part: Part) -> list[datetime]:
    return [
        result.flips_at
        for row in (*part.rows, *part.groups)
        for result in row.results.values()
        if result.flips_at
    ]


def _changes_at(
    world: World, model: str, segment: str, profile_id: str, parts: tuple[Part, ...]
) -> datetime | None:
    """The first moment at which the segment, asked again as time goes on, says the opposite.

    Only moments at which some condition flips by itself can be one.
    """
    is_member = _is_member(world, model, segment, profile_id)
    moments = sorted({one for part in parts for one in _moments(part)})
    tag = segment.removeprefix(model.removeprefix(PREFIX)).removeprefix("_")
    tagged = f" and tag = '{tag}'" if tag else ""
    found = None
    for moment in moments[:_TRIED]:
        world.at(Moment(moment))
        # A model's moment has whole seconds; what flips within one has flipped at its end.
        if moment.microsecond:
            world.at(Moment(moment + timedelta(seconds=1)))
        sql = world.rendered(model).sql
        row = world.connection.execute(
            f"select 1 from (\n{sql}\n) where profile_id = '{profile_id}'{tagged} limit 1"
        ).fetchone()
        if (row is not None) != is_member:
            found = moment
            break
    world.at(Moment(world.built_as_of))
    return found
