"""Whom a segment's SQL returns: its members as a table, and what a build would refuse in them.

A segment returns (profile_id), or (profile_id, tag): then each tag is a segment `<name>_<tag>`.
"""

from dataclasses import dataclass
from typing import Literal

from orchestration.segments.errors import SegmentError
from orchestration.segments.world import World

_EXCLUDED = "segment_excluded_profiles"
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
        raise SegmentError(f"{model} returns {', '.join(columns)} but no profile_id")
    bare = model.removeprefix(PREFIX)
    name = f"'{bare}_' || tag" if "tag" in columns else f"'{bare}'"
    world.connection.execute(
        f"""create or replace temp table {table} as
        select distinct {name} as segment, cast(profile_id as varchar) as profile_id
        from {relation} where profile_id is not null and {name} is not null"""
    )


def take_out(world: World, model: str, table: str, published: str | None) -> dict[str, int]:
    """Take out of the members whom a build takes out: `excluded` people, and in an exclusive set
    those `outranked` by a segment of higher priority, as it is published. Says how many each.
    """
    bars = {}
    if world.has(_EXCLUDED):
        bars["excluded"] = f"select profile_id from {world.renderer.relation(_EXCLUDED)}"
    rivals = _rivals(world, model)
    if published and rivals:
        names = ", ".join(f"'{rival}'" for rival in rivals)
        bars["outranked"] = f"select profile_id from {published} where segment in ({names})"
    counts = {}
    for why, query in bars.items():
        ((count,),) = world.connection.execute(
            f"delete from {table} where profile_id in ({query})"
        ).fetchall()
        if count:
            counts[why] = int(count)
    return counts


def _rivals(world: World, model: str) -> list[str]:
    """Segments of the same exclusive set that come first."""
    segments = world.project.named(FOLDER, PREFIX)
    bare = model.removeprefix(PREFIX)
    own = segments[bare].meta
    if not own.get("exclusive_set"):
        return []
    place = (own.get("priority") or 0, bare)
    return [
        name
        for name, other in segments.items()
        if other.meta.get("exclusive_set") == own["exclusive_set"]
        and (other.meta.get("priority") or 0, name) < place
    ]


def problems(world: World, model: str, table: str, published_size: int) -> list[Problem]:
    """What a build would refuse in a model whose members were collected: such a segment keeps its
    last good members. `published_size` is how many it has now.
    """
    relation = world.renderer.relation(model)
    columns = _columns(world, relation)
    extra = [one for one in columns if one not in ("profile_id", "tag")]
    words = f"{', '.join(extra)}: only profile_id and tag are published"
    found = [Problem("warning", words)] if extra else []
    found += _rows_wrong(world, relation, table, "tag" in columns)
    return found + _size_wrong(world, model, table, published_size)


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
    ((unknown,),) = world.connection.execute(
        f"""select count(*) from (select distinct profile_id from {table})
        where profile_id not in (select profile_id from {everybody(world)})"""
    ).fetchall()
    errors = {
        "{:,} rows have no profile_id": nulls,
        "{:,} rows have no tag": untagged,
        "{:,} rows repeat a profile: write select distinct": rows - distinct,
        "{:,} members are no profile of " + EVERYBODY: unknown,
    }
    return [Problem("error", words.format(count)) for words, count in errors.items() if count]


def _size_wrong(world: World, model: str, table: str, published_size: int) -> list[Problem]:
    """By the limits of parameters.yml from which on a build refuses; below, only a hint."""
    size, total = world.connection.execute(
        f"""select (select count(distinct profile_id) from {table}),
            (select count(*) from {everybody(world)})"""
    ).fetchall()[0]
    meta = world.project.models[model].meta
    limits = world.project.parameters
    if not size and not meta.get("may_be_empty"):
        words = "nobody is in it"
        words += f", and {published_size:,} are published" if published_size else ""
        return [_limited(published_size >= limits["segment_collapse_from"]["value"], words)]
    if size and size == total and not meta.get("may_hold_everybody"):
        is_refused = total >= limits["segment_everybody_from"]["value"]
        return [_limited(is_refused, "everybody is in it: is a condition missing?")]
    return []


def _limited(is_refused: bool, words: str) -> Problem:
    return Problem("error" if is_refused else "warning", words)
