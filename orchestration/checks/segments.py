"""Checks of the catalogue: which segments are held, and which are not filled in yet."""

import dagster as dg

from orchestration.assets.dbt import asset_key
from orchestration.rendering.faults import unfinished
from orchestration.rendering.project import Project
from orchestration.resources.dbt_project import FOLDER, PREFIX
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import open_to_read

_TABLE = ("published", "segment_catalog")


@dg.asset_check(
    asset=asset_key(*_TABLE),
    name="no_segment_is_held",
    pool="warehouse",
    description="A segment whose rows of this build do not count keeps its last good members.",
)
def no_segment_is_held() -> dg.AssetCheckResult:
    """A warning with file and reason for each segment that is held."""
    with open_to_read(load_settings().warehouse, ".".join(_TABLE)) as connection:
        # By models: one whose name is a segment of another model has no row in the catalogue.
        held = connection.execute(
            """select verdicts.model, verdicts.file || ': ' || verdicts.reason as held_because,
                coalesce(sum(size), 0)::bigint, count(catalog.definition_version) > 0,
                min(catalog.held_since)
            from membership.segment_verdicts as verdicts
            left join membership.segment_versions as versions using (model)
            left join published.segment_catalog as catalog using (segment)
            where verdicts.reason is not null group by all order by verdicts.model"""
        ).fetchall()
        rows = connection.execute("select count(*) from published.segment_catalog").fetchall()
    told = "; ".join(
        f"{why} ({f'{size:,} members kept' if was_good else 'no good members yet: not published'})"
        for _, why, size, was_good, _ in held
    )
    table = "\n".join(
        f"| {name} | {why} | {size} | {since} |" for name, why, size, _, since in held
    )
    return dg.AssetCheckResult(
        passed=not held,
        severity=dg.AssetCheckSeverity.WARN,
        description=told or f"all {rows[0][0]} segments count",
        metadata={
            "held": dg.MetadataValue.md(
                f"| segment | why | members | since |\n|---|---|---|---|\n{table}"
            )
        }
        if held
        else {},
    )


@dg.asset_check(
    asset=asset_key(*_TABLE),
    name="no_segment_is_unfinished",
    description="No segment's files still say what `muster segment new` put there.",
)
def no_segment_is_unfinished() -> dg.AssetCheckResult:
    """A warning with file and line of each segment that is still to be filled in."""
    models = Project().named(FOLDER, PREFIX)
    left = [str(place) for name in sorted(models) for place in unfinished(models[name])]
    return dg.AssetCheckResult(
        passed=not left,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(left) or f"all {len(models)} are filled in",
    )
