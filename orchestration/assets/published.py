"""The snapshot asset: what passed every check becomes what readers see."""

import os

import dagster as dg
import duckdb

from orchestration.assets.dbt import Manifest, asset_key, model_names
from orchestration.connectors.contract import entities
from orchestration.publication.builds import ForeignBuildError, recorded_build
from orchestration.publication.contract import read_contracts
from orchestration.publication.decisions import record_decisions
from orchestration.publication.manifest import SnapshotError
from orchestration.publication.membership import record_membership
from orchestration.publication.object_store import VARIABLE, CopyError, copy_newest
from orchestration.publication.retention import retention_of
from orchestration.publication.snapshot import delete_expired, publish
from orchestration.resources.build import Build
from orchestration.resources.settings import PUBLISHED_MODELS, Settings, load_settings
from orchestration.resources.warehouse import wait_until_free

SNAPSHOT = dg.AssetKey(["published", "snapshot"])
# What `snapshot` appends to and the next build reads, so no part of a graph without cycles.
ledger_assets = [
    dg.AssetSpec(
        ["ledger", name],
        group_name=group,
        owners=["team:growth"],
        kinds={"parquet"},
        description=f"The ledger: {what}, in each published build that changed it.",
    )
    for name, group, what in (
        ("segment_changes", "membership", "who entered and who left which segment"),
        ("segment_definitions", "membership", "which definition of a segment counted"),
        ("campaign_decisions", "campaigns", "what was decided for which candidate"),
        ("campaign_versions", "campaigns", "by which version of a campaign"),
        ("campaign_pauses", "campaigns", "which campaigns were paused"),
    )
]


# What the checks of each stage leave and the last step of dbt reads.
quality_asset = dg.AssetSpec(
    ["quality", "expectations"],
    group_name="published",
    owners=["team:data-engineering"],
    kinds={"parquet", "greatexpectations"},
    description="What Great Expectations last said of each table, in counts.",
)


def copy_assets() -> list[dg.AssetsDefinition]:
    """The asset that copies snapshots elsewhere, if MUSTER_PUBLISH_TO names a place.

    Nothing hangs on it: a store that cannot be reached holds no feed up, and the next run copies
    its own snapshot.
    """
    place = os.environ.get(VARIABLE)
    if not place:
        return []

    @dg.asset(
        key=["published", "copy"],
        deps=[SNAPSHOT],
        group_name="published",
        kinds={"parquet", "s3"} if place.startswith("s3:") else {"parquet"},
        owners=["team:data-engineering"],
        description="The newest snapshot in an object store, with `current.json` over it.",
    )
    def copy() -> dg.MaterializeResult[None]:
        try:
            copied = copy_newest(load_settings().published, place, retention_of(os.environ))
        except (CopyError, SnapshotError, OSError, ValueError) as error:
            raise dg.Failure(str(error)) from None
        return dg.MaterializeResult(metadata={"snapshot_id": copied.snapshot_id})

    return [copy]


def stage_counts(settings: Settings) -> dict[str, dict[str, int]]:
    """Rows landed, staged and quarantined by entity, read from the warehouse."""
    counts: dict[str, dict[str, int]] = {}
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        quarantined = dict(
            connection.execute(
                "select entity, count(*) from staging.quarantine group by 1"
            ).fetchall()
        )
        for entity in entities():
            staged = f"staging.stg_{entity.replace('_', '__', 1)}"
            landed = connection.execute(f"select count(*) from landing.{entity}").fetchone()
            kept = connection.execute(f"select count(*) from {staged}").fetchone()
            unreadable = connection.execute(
                "select count(*) from landing._rejected_lines where replace(folder, '/', '_') = ?",
                [entity],
            ).fetchone()
            counts[entity] = {
                "landed": landed[0] if landed else 0,
                "unreadable": unreadable[0] if unreadable else 0,
                "staged": kept[0] if kept else 0,
                "quarantined": quarantined.get(entity, 0),
            }
    return counts


def snapshot_asset(parsed: Manifest) -> dg.AssetsDefinition:
    """The asset that publishes all models of `models/published/`."""
    tables = model_names(parsed, "published/")

    @dg.asset(
        key=SNAPSHOT,
        deps=[asset_key("published", name) for name in tables],
        group_name="published",
        kinds={"parquet", "duckdb"},
        owners=["team:data-engineering"],
        pool="warehouse",
        description="Numbered snapshot of all published tables, and `current.duckdb` over it.",
    )
    def snapshot(context: dg.AssetExecutionContext, build: Build) -> dg.MaterializeResult[None]:
        settings = load_settings()
        wait_until_free(settings.warehouse, context.log.warning)
        try:
            record = recorded_build(settings.warehouse, context.run.run_id)
            retention = retention_of(os.environ)
        except (ForeignBuildError, ValueError) as error:
            raise dg.Failure(str(error)) from None
        record_membership(settings.warehouse, settings.ledger, record.as_of)
        record_decisions(settings.warehouse, settings.ledger, record.as_of)
        manifest = publish(
            settings.warehouse,
            settings.published,
            list(read_contracts(PUBLISHED_MODELS).values()),
            record,
            stage_counts(settings),
        )
        for gone in delete_expired(settings.published, retention):
            context.log.info(f"snapshot {gone} was kept long enough and is deleted")
        rows = {name: table.rows for name, table in manifest.tables.items()}
        context.log.info(f"published snapshot {manifest.snapshot_id} as of {record.as_of}")
        return dg.MaterializeResult(
            metadata={
                "snapshot_id": manifest.snapshot_id,
                "as_of": record.as_of,
                "dagster/row_count": sum(rows.values()),
                "tables": dg.MetadataValue.json(rows),
            }
        )

    return snapshot
