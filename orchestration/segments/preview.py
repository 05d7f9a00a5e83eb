"""A segment as its file is now, against the newest build: size, change, overlap, what is typical.

Only reads; what it needs beyond the warehouse is made in memory by `world.py`.
"""

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from orchestration.resources.dbt_project import PREFIX
from orchestration.resources.settings import Settings
from orchestration.segments.members import (
    Problem,
    collect,
    everybody,
    model_of,
    problems,
    require_tag,
    take_out,
)
from orchestration.segments.published import Published, newest_published
from orchestration.segments.traits import Trait, telling_traits
from orchestration.segments.world import World

_NAMED = 5  # profiles told by id


@dataclass(frozen=True)
class Part:
    """One segment of the model (one, unless it returns tags) beside what is published of it.

    `published` is None if it never was; the ids are a few of each.
    """

    segment: str
    size: int
    published: int | None
    entering: int
    leaving: int
    entering_ids: tuple[str, ...]
    leaving_ids: tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """Another published segment: how many are in both, and how much likelier than by chance."""

    segment: str
    size: int
    both: int
    lift: float
    jaccard: float


@dataclass(frozen=True)
class Preview:
    """All that a preview tells; `seconds` of the work, without the start of the command."""

    model: str
    as_of: datetime
    published_as_of: datetime | None
    size: int
    everybody: int
    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]
    barred: dict[str, int]
    overlaps: tuple[Overlap, ...]
    traits: tuple[Trait, ...]
    sample_columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    made_anew: dict[str, str]
    seconds: float

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat(), indent=2)


def preview(world: World, settings: Settings, name: str, rows: int = 5) -> Preview:
    """Evaluate a segment's file.

    Args:
        world: at the moment to evaluate at.
        settings: where published snapshots are.
        name: of the segment.
        rows: of the sample.

    Raises:
        SegmentError: there is no such segment, or DuckDB refuses its SQL.
    """
    began = time.monotonic()
    model = model_of(world, name)
    refs = world.closure(model)
    anew = world.changed(model, refs)
    world.make(model, set(anew), refs)
    collect(world, model, "members")
    require_tag(world, name, model)
    published = newest_published(settings)
    memberships = published.memberships if published else None
    wrong = problems(world, model, published)
    barred = take_out(world, model, "members", memberships)
    connection = world.connection
    size, total = connection.execute(
        f"""select (select count(distinct profile_id) from members),
            (select count(*) from {everybody(world)})"""
    ).fetchall()[0]
    parts, overlaps = _against_published(world, model, published, size, total)
    traits = telling_traits(connection, everybody(world)) if size else ()
    columns, sample = _sample(world, traits, rows)
    return Preview(
        model=model,
        as_of=world.built_as_of,
        published_as_of=published.as_of if published else None,
        size=size,
        everybody=total,
        parts=parts,
        problems=tuple(wrong),
        barred=barred,
        overlaps=overlaps,
        traits=traits,
        sample_columns=columns,
        sample=sample,
        made_anew={one: why for one, why in anew.items() if one != model},
        seconds=time.monotonic() - began,
    )


def _against_published(
    world: World, model: str, published: Published | None, size: int, total: int
) -> tuple[tuple[Part, ...], tuple[Overlap, ...]]:
    bare = model.removeprefix(PREFIX)
    connection = world.connection
    source = published.memberships if published else "(select '' segment, '' profile_id limit 0)"
    connection.execute(
        f"create or replace temp view published_members as select segment, profile_id from {source}"
    )
    # A tagged model's segments begin with its name; so may another model's.
    own = f"(segment = '{bare}' or segment in (select segment from members))"
    rows = connection.execute(
        f"""with now as (select segment, profile_id from members),
        was as (select segment, profile_id from published_members where {own}),
        moved as (
            select coalesce(now.segment, was.segment) as segment,
                coalesce(now.profile_id, was.profile_id) as profile_id,
                now.profile_id is not null as is_now, was.profile_id is not null as is_was
            from now full join was using (segment, profile_id)
        )
        select segment, count(*) filter (where is_now), count(*) filter (where is_was),
            count(*) filter (where not is_was), count(*) filter (where not is_now),
            min(profile_id, {_NAMED}) filter (where not is_was),
            min(profile_id, {_NAMED}) filter (where not is_now)
        from moved group by segment order by segment"""
    ).fetchall()
    known = {row[0] for row in rows if row[2]}
    parts = tuple(
        Part(one, now, was if one in known else None, enter, leave, tuple(ids or ()),
             tuple(gone or ()))
        for one, now, was, enter, leave, ids, gone in rows
    )  # fmt: skip
    return parts or (Part(bare, 0, None, 0, 0, (), ()),), _overlaps(world, own, size, total)


def _overlaps(world: World, own: str, size: int, total: int) -> tuple[Overlap, ...]:
    rows = world.connection.execute(
        f"""with now as (select distinct profile_id, true as is_now from members)
        select segment, count(*), count(is_now)
        from published_members left join now using (profile_id)
        where not {own} group by segment"""
    ).fetchall()
    found = [
        Overlap(segment, other, both, both * total / (size * other), both / (size + other - both))
        for segment, other, both in rows
        if both
    ]
    return tuple(sorted(found, key=lambda one: (-one.jaccard, one.segment)))


def _sample(
    world: World, traits: tuple[Trait, ...], rows: int
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """A few members, always the same of the same members, with their most telling traits."""
    columns = tuple(trait.name for trait in traits[:4])
    wanted = "".join(f', "{name}"' for name in columns)
    found = world.connection.execute(
        f"""with chosen as (
            select distinct profile_id from members order by hash(profile_id), profile_id
            limit {rows}
        )
        select profile_id{wanted} from chosen left join {everybody(world)} using (profile_id)
        order by hash(profile_id), profile_id"""
    ).fetchall()
    return ("profile_id", *columns), tuple(tuple(map(_plain, row)) for row in found)


def _plain(value: object) -> str:
    """A value as a cell, without the noughts that a decimal ends with."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
