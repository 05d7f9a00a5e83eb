"""Whom a segment's SQL returns: its members as a table, and what a build would refuse in them.

A segment returns (profile_id), or (profile_id, tag): then each tag is a segment `<name>_<tag>`.
"""

from dataclasses import dataclass
from typing import Literal

from orchestration.segments.errors import SegmentError
from orchestration.segments.world import World

FOLDER, PREFIX = "marts/segments", "seg_"
EVERYBODY = "profile_traits"  # the model with one row for each profile


@dataclass(frozen=True)
class Problem:
    """Something wrong with the members: an `error` a build refuses, a `warning` it may hold."""

    severity: Literal["error", "warning"]
    words: str


def model_of(world: World, name: str) -> str:
    """The model of a segment, which may be named with its prefix or without.

    Raises:
        SegmentError: there is no such segment.
    """
    segments = world.project.named(FOLDER, PREFIX)
    bare = name.removeprefix(PREFIX)
    if bare in segments:
        return segments[bare].name
    # A tag's segment has no file of its own.
    for known in sorted(segments, key=len, reverse=True):
        if bare.startswith(f"{known}_") and "tag" in segments[known].text:
            return segments[known].name
    near = ", ".join(sorted(segments)) or "none"
    raise SegmentError(f"there is no segment '{bare}'; there are: {near}")


def collect(world: World, model: str, table: str) -> None:
    """Put (segment, profile_id), each once, into a temporary table.

    Raises:
        SegmentError: the SQL gives no column profile_id, so there is nothing to look at.
    """
    relation = world.renderer.relation(model)
    columns = _columns(world, relation)
    if "profile_id" not in columns:
        raise SegmentError(
            f"{model} returns {', '.join(columns)}; a segment returns profile_id, and no other "
            "column but tag"
        )
    bare = model.removeprefix(PREFIX)
    name = f"'{bare}_' || tag" if "tag" in columns else f"'{bare}'"
    world.connection.execute(
        f"""create or replace temp table {table} as
        select distinct {name} as segment, cast(profile_id as varchar) as profile_id
        from {relation} where profile_id is not null and {name} is not null"""
    )


def problems(world: World, model: str, table: str) -> list[Problem]:
    """What a build would refuse or hold, of a model whose members were collected."""
    relation = world.renderer.relation(model)
    columns = _columns(world, relation)
    extra = [one for one in columns if one not in ("profile_id", "tag")]
    words = f"it returns the columns {', '.join(extra)}, which a segment must not"
    found = [Problem("error", words)] if extra else []
    return found + _rows_wrong(world, relation, table, "tag" in columns)


def _columns(world: World, relation: str) -> list[str]:
    asked = world.connection.execute(f"select * from {relation} limit 0")
    return [column[0] for column in asked.description or []]


def everybody(world: World) -> str:
    """The relation of all profiles."""
    return world.renderer.relation(EVERYBODY)


def _rows_wrong(world: World, relation: str, table: str, is_tagged: bool) -> list[Problem]:
    key = "profile_id, tag" if is_tagged else "profile_id"
    no_tag = "count(*) filter (where tag is null)" if is_tagged else "0"
    rows, nulls, distinct, untagged = world.connection.execute(
        f"""select count(*), count(*) filter (where profile_id is null),
            (select count(*) from (select distinct {key} from {relation})), {no_tag}
        from {relation}"""
    ).fetchall()[0]
    unknown, size, all_profiles = world.connection.execute(
        f"""with members as (select distinct profile_id from {table})
        select count(*) filter (where known.profile_id is null), count(*),
            (select count(*) from {everybody(world)})
        from members
        left join (select profile_id from {everybody(world)}) as known using (profile_id)"""
    ).fetchall()[0]
    errors = {
        "{:,} rows have no profile_id": nulls,
        "{:,} rows have no tag": untagged,
        "{:,} rows repeat a profile: say `select distinct`, or group": rows - distinct,
        "{:,} members are no profile of " + EVERYBODY: unknown,
    }
    found = [Problem("error", words.format(count)) for words, count in errors.items() if count]
    if not size:
        found.append(Problem("warning", "nobody is in it: a feed holds an empty audience"))
    elif size == all_profiles:
        found.append(Problem("warning", "everybody is in it: is a condition missing?"))
    return found
