"""What of the quarantine would pass now, and releases: events let through without a new plan.

A release is a landed record like any other (`landing/muster/plan_releases`): append-only, with who
and why, applied by staging in the next build. The warehouse is only read here.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.connectors.contract import entities
from orchestration.connectors.definitions import quoted
from orchestration.connectors.landing import land_own, own_relation
from orchestration.tracking_plan.judgement import (
    fatal_reasons,
    list_of_releases_sql,
    reasons_sql,
    unreleased_sql,
)
from orchestration.tracking_plan.plan import ENTITY, RawPlan

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TABLE = "plan_releases"


class ReleaseError(ValueError):
    """Nothing was released; the message says why and what to do."""


@dataclass(frozen=True)
class Release:
    """Events of one name that were landed in a time, and the reason (blank: each) set aside."""

    event_name: str
    reason: str
    landed_from: datetime | None
    landed_until: datetime | None
    released_by: str
    why: str


@dataclass(frozen=True)
class Waiting:
    """Quarantined events of one name and reason; `passing` of them would be accepted now."""

    name: str
    reason: str
    rows: int
    passing: int


def _schema() -> "pa.Schema":
    import pyarrow as pa

    moment = pa.timestamp("us", "UTC")
    return pa.schema(
        [
            ("event_name", pa.string()),
            ("reason", pa.string()),
            ("landed_from", moment),
            ("landed_until", moment),
            ("released_by", pa.string()),
            ("why", pa.string()),
        ]
    )


def _open(warehouse: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb

    if not warehouse.exists():
        raise ReleaseError(f"{warehouse} is not there yet; build it with `muster run`")
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach {quoted(str(warehouse))} as warehouse (read_only)")
        connection.execute("select record from warehouse.staging.quarantine limit 0")
    except duckdb.CatalogException:
        raise ReleaseError(f"{warehouse} has no quarantine yet; run `muster run`") from None
    except duckdb.IOException:
        raise ReleaseError(f"{warehouse} is being written; try again after the build") from None
    return connection


def _all_releases(landing: Path) -> str:
    """All releases as a relation: those recorded, and those of the table `more`."""
    recorded = own_relation(landing, TABLE)
    return f"(select * from more {'union all by name ' + recorded if recorded else ''})"


def quarantined(
    landing: Path, warehouse: Path, raw: RawPlan, asked: Release | None = None
) -> list[Waiting]:
    """The quarantined events by name and reason, judged again by the plan and all releases.

    Args:
        landing: the landing folder, which holds the releases.
        warehouse: the DuckDB file, opened read-only.
        raw: the plan, as parsed.
        asked: a release that is not recorded yet, to see what it would do.

    Raises:
        ReleaseError: there is no warehouse, or it is being written.
    """
    import pyarrow as pa

    fields = ", ".join(f'"{name}":"VARCHAR"' for name in entities()[ENTITY].columns)
    one = [{name: getattr(asked, name) for name in _schema().names}] if asked else []
    with _open(warehouse) as connection:
        connection.register("more", pa.Table.from_pylist(one, _schema()))
        releases = list_of_releases_sql(_all_releases(landing))
        return [
            Waiting(*row)
            for row in connection.execute(
                f"""with records as (
                    select reason as told, _landed_at,
                        unnest(json_transform(record, '{{{fields}}}'))
                    from warehouse.staging.quarantine
                    where entity = {quoted(ENTITY)} and is_record
                ),
                judged as (select *, {reasons_sql(raw)} as _now, {releases} as _all from records),
                decided as (select *, {unreleased_sql("_now", "_all")} as _left from judged)
                select coalesce(name, '(none)'), reason, count(*),
                    count(*) filter (where _left is null)
                from (
                    select lower(nullif(trim(name), '')) as name, _left,
                        unnest(string_split(told, '; ')) as reason
                    from decided
                )
                group by all order by 4 desc, 3 desc, 1, 2"""
            ).fetchall()
        ]


def _matching(waiting: list[Waiting], asked: Release) -> list[Waiting]:
    """The lines of the quarantine that a release speaks of.

    Raises:
        ReleaseError: there are none, or they are of a kind that cannot be released.
    """
    named = [line for line in waiting if line.name == asked.event_name]
    if not named:
        known = ", ".join(sorted({line.name for line in waiting})) or "no events at all"
        raise ReleaseError(f"no event {asked.event_name!r} is in quarantine; there are {known}")
    reasons = [line for line in named if asked.reason in ("", line.reason)]
    if not reasons:
        known = "; ".join(line.reason for line in named)
        raise ReleaseError(
            f"no {asked.event_name} is in quarantine because {asked.reason!r}; reasons are: {known}"
        )
    if all(line.reason in fatal_reasons() for line in reasons):
        raise ReleaseError(
            f"{asked.event_name}: {reasons[0].reason}, and nothing can be made of such an event; "
            "let the source send it again"
        )
    return reasons


def release(
    landing: Path, state: Path, warehouse: Path, raw: RawPlan, asked: Release
) -> list[Waiting]:
    """Record a release, which the next build applies.

    Args:
        landing: the landing folder.
        state: dlt's working folder.
        warehouse: the DuckDB file, opened read-only.
        raw: the plan, as parsed.
        asked: what to let through, and who says so.

    Returns:
        The quarantined events it speaks of, and how many of them will pass.

    Raises:
        ReleaseError: there is nothing it could release, or the warehouse cannot be read.
    """
    import pyarrow as pa

    found = _matching(quarantined(landing, warehouse, raw, asked), asked)
    if not any(line.passing for line in found):
        raise ReleaseError(
            "none of these events would pass: they have other reasons too, or were not landed in "
            "that time; `muster plan release --dry-run` lists them"
        )
    row = {name: getattr(asked, name) for name in _schema().names}
    land_own(landing, state, TABLE, pa.Table.from_pylist([row], _schema()))
    return found
