"""Whom a segment's SQL returns: its members as a table, and what a build would refuse in them.

A segment returns (profile_id), or (profile_id, tag): then each tag is a segment `<name>_<tag>`.
"""

from dataclasses import dataclass, replace
from typing import Literal

from orchestration.near import did_you_mean
from orchestration.rendering.context import DATABASE
from orchestration.rendering.faults import check_files, unfinished
from orchestration.rendering.places import FileError
from orchestration.rendering.project import Project, Yaml
from orchestration.rendering.segment_yaml import check_yaml
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.segments.errors import SegmentError
from orchestration.segments.published import Published
from orchestration.segments.world import World

_EXCLUDED, _VERDICTS = "segment_excluded_profiles", "segment_verdicts"
_VERSIONS = "segment_versions"
EVERYBODY = "profile_traits"  # the model with one row for each profile
_COLUMNS = 5  # that are told by name
_NO_FAILURES = """select '' as build_id, '' as model, '' as file, true as is_built, '' as reason,
    '' as description, '' as owner where false"""


@dataclass(frozen=True)
class Problem:
    """Something wrong with the members: an `error` a build refuses, a `warning` it may hold."""

    severity: Literal["error", "warning"]
    words: str


def model_of(world: World, name: str) -> str:
    """The model of a segment that a build would read.

    Args:
        world: with the files.
        name: of the segment, with its prefix or without.

    Raises:
        SegmentError: there is no such segment.
        FileError: a build would hold it, whatever its SQL returns.
    """
    model = named_model(world, name)
    check_files(world.renderer, world.project.models[model])
    return model


def named_model(world: World, name: str) -> str:
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
    there = f"; there are: {', '.join(sorted(segments)) or 'none'}"
    raise SegmentError(f"there is no segment '{bare}'{did_you_mean(bare, segments, there)}")


def require_tag(world: World, name: str, model: str, table: str = "members") -> None:
    """Refuse a segment that would be of one of the model's tags, if there is no such tag.

    Args:
        world: in which the model was made.
        name: as it was asked for.
        model: the segment's.
        table: of (segment, ...): what it returned.

    Raises:
        SegmentError: neither it nor the newest build knows the segment.
    """
    bare = name.removeprefix(PREFIX)
    if f"{PREFIX}{bare}" == model:
        return
    asked = f"select distinct segment from {table}"
    if world.has(_VERSIONS):
        versions = f"{DATABASE}.{world.project.models[_VERSIONS].schema}.{_VERSIONS}"
        asked += f" union select segment from {versions} where '{PREFIX}' || model = '{model}'"
    known = {str(row[0]) for row in world.connection.execute(asked).fetchall()}
    if bare not in known:
        there = f"; {model} has: {', '.join(sorted(known)) or 'none'}"
        raise SegmentError(f"there is no segment '{bare}'{did_you_mean(bare, known, there)}")


def collect(world: World, model: str, table: str) -> None:
    """Put (segment, profile_id), each once, into a temporary table.

    Raises:
        SegmentError: the SQL gives no column profile_id, so there is nothing to look at.
    """
    relation = world.renderer.relation(model)
    columns = _columns(world, relation)
    if "profile_id" not in columns:
        file = world.project.models[model].path.name
        raise SegmentError(f"{file} returns {', '.join(columns)} but no profile_id")
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
    bare = model.removeprefix(PREFIX)
    own = world.project.models[model].meta
    if not own.get("exclusive_set"):
        return []
    place = (own.get("priority") or 0, bare)
    return [
        name
        for name, other in _readable_metas(world.project).items()
        if other.get("exclusive_set") == own["exclusive_set"]
        and (other.get("priority") or 0, name) < place
    ]


def _readable_metas(project: Project) -> dict[str, Yaml]:
    """What YAML says of segments, but for those that a build would hold for it."""
    found = {}
    for name, model in project.named(FOLDER, PREFIX).items():
        try:
            if model.yaml:
                check_yaml(project, model.yaml)
            found[name] = model.meta
        except FileError:
            continue
    return found


def problems(world: World, model: str, published: Published | None) -> list[Problem]:
    """What a build would refuse in a model whose members were collected, by the build's own models
    `segment_counts` and `segment_verdicts`: such a segment keeps its last good members.

    Args:
        world: in which the model was made.
        model: the segment's.
        published: what is published, if anything is.
    """
    relation = world.renderer.relation(model)
    columns = _columns(world, relation)
    extra = [one for one in columns if one not in ("profile_id", "tag")]
    others = f" and {len(extra) - _COLUMNS} more" if len(extra) > _COLUMNS else ""
    words = f"{', '.join(extra[:_COLUMNS])}{others}: only profile_id and tag are published"
    found = [Problem("warning", words)] if extra else []
    found += [Problem("warning", str(one)) for one in unfinished(world.project.models[model])]
    refused = _verdict(world, model, relation, "tag" in columns, published)
    return [*found, Problem("error", refused)] if refused else [*found, *_hints(world, model)]


def _columns(world: World, relation: str) -> list[str]:
    asked = world.connection.execute(f"select * from {relation} limit 0")
    return [column[0] for column in asked.description or []]


def everybody(world: World) -> str:
    """The relation of all profiles."""
    return world.renderer.relation(EVERYBODY)


def _verdict(
    world: World, model: str, relation: str, is_tagged: bool, published: Published | None
) -> str | None:
    """Why a build would hold the segment; None if it would not."""
    bare, meta = model.removeprefix(PREFIX), world.project.models[model].meta
    segment = f"'{bare}_' || tag" if is_tagged else f"'{bare}'"
    allowed = [bool(meta.get(name)) for name in ("may_be_empty", "may_hold_everybody")]
    last, others = _around(world, bare, published)
    given = {
        # Rows of others only for their names, which are taken.
        "segment_candidates": f"""select '{bare}' as model, {segment} as segment,
            cast(profile_id as varchar) as profile_id from {relation}
            union all select model, segment, null from ({others}) where model <> '{bare}'""",
        "segment_definitions": f"""select '{bare}' as model, '' as file, '' as wrong_columns,
            {allowed[0]} as may_be_empty, {allowed[1]} as may_hold_everybody,
            {is_tagged} as has_tags""",
        "segment_last_members": last,
    }
    judged = replace(world, texts={**world.texts, **given})
    world.connection.execute(f"create or replace temp table segment_failures as {_NO_FAILURES}")
    databases = world.renderer.databases
    judged.make(_VERDICTS, set(given), judged.closure(_VERDICTS))
    verdict = judged.renderer.relation(_VERDICTS)
    world.renderer.databases = databases
    ((reason,),) = world.connection.execute(
        f"select reason from {verdict} where model = '{bare}'"
    ).fetchall()
    return None if reason is None else str(reason)


def _around(world: World, bare: str, published: Published | None) -> tuple[str, str]:
    """As SQL: what is published of the segment, with the names that others have, a row for each;
    and the names of files beside those.
    """
    others = [name for name in world.project.named(FOLDER, PREFIX) if name != bare]
    files = [f"select '{name}', '{name}', null" for name in others]
    last = ["select '' as model, '' as segment, null::varchar as profile_id limit 0"]
    if published and world.has(_VERSIONS):
        versions = world.renderer.relation(_VERSIONS)
        last += [
            f"""select '{bare}' as model, segment, profile_id from {published.memberships}
            where segment in (select segment from {versions} where model = '{bare}')""",
            f"select model, segment, null from {versions} where model <> '{bare}'",
        ]
    either = (" union all ".join(f"({one})" for one in some) for some in (last, [*last, *files]))
    return next(either), next(either)


def _hints(world: World, model: str) -> list[Problem]:
    """What a build lets pass, as few are concerned, and may still be a slip."""
    size, total = world.connection.execute(
        f"""select (select count(distinct profile_id) from members),
            (select count(*) from {everybody(world)})"""
    ).fetchall()[0]
    meta = world.project.models[model].meta
    if not size and not meta.get("may_be_empty"):
        return [Problem("warning", "nobody is in it")]
    if size and size == total and not meta.get("may_hold_everybody"):
        return [Problem("warning", "everybody is in it: is a condition missing?")]
    return []
