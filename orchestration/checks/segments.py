"""One check of the catalogue tells which segments are held; they keep their last good members."""

import dagster as dg

from orchestration.assets.dbt import asset_key
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
        held = connection.execute(
            """select segment, held_because, size, held_since from published.segment_catalog
            where is_held order by segment"""
        ).fetchall()
        rows = connection.execute("select count(*) from published.segment_catalog").fetchall()
    told = "; ".join(f"{why} ({size:,} members kept)" for _, why, size, _ in held)
    table = "\n".join(f"| {name} | {why} | {size} | {since} |" for name, why, size, since in held)
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
