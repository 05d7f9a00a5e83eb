"""Landing assets: one for each entity of the input contract, filled from the inbox.

How a file is read belongs to `connectors/`; this module only reports what was read.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.assets.sources import sources_of
from orchestration.connectors.contract import entities
from orchestration.connectors.sources.file_drop import (
    DropReport,
    land_inbox,
    sources_in,
    stray_files,
)
from orchestration.resources.build import Build
from orchestration.resources.settings import load_settings

GROUP = "landing"
INBOX = dg.AssetKey("inbox")

inbox = dg.AssetSpec(
    INBOX,
    group_name=GROUP,
    description="Files dropped into `MUSTER_HOME/inbox/<source>/<entity>/`.",
    kinds={"file"},
    owners=["team:data-engineering"],
)

# What people recorded with the `muster` command; nothing pulls it.
RECORDED = {
    "plan_releases": "What `muster plan release` let through although it breaks the tracking plan.",
    "identity_overrides": "What `muster identity` was told of who is who, against the data.",
}

recorded = [
    dg.AssetSpec(
        dg.AssetKey(["landing", name]),
        group_name=GROUP,
        description=description,
        kinds={"dlt", "parquet"},
        owners=["team:data-engineering"],
    )
    for name, description in RECORDED.items()
]


def _key(entity: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", entity])


def _specs() -> list[dg.AssetSpec]:
    described = {name: f"Landed records of `{name.replace('_', '.', 1)}`." for name in entities()}
    described["_rejected_lines"] = "Lines of dropped files that could not be read as rows."
    return [
        dg.AssetSpec(
            _key(name),
            deps=[INBOX, *sources_of(name)],
            group_name=GROUP,
            description=description,
            kinds={"dlt", "parquet"},
            owners=["team:data-engineering"],
        )
        for name, description in described.items()
    ]


def _summary(reports: list[DropReport]) -> str:
    lines = ["| file | rows | aside | note |", "|---|---|---|---|"]
    for report in reports:
        lines += [f"| {f.path} | {f.rows} | {f.rejected} | {f.message} |" for f in report.files]
        lines += [f"| {path} | - | - | **{why}** |" for path, why in report.refused.items()]
    return "\n".join(lines)


@dg.multi_asset(
    specs=_specs(),
    check_specs=[
        dg.AssetCheckSpec(
            "every_file_was_read",
            asset=_key("_rejected_lines"),
            description="No file of the inbox was refused; a refused one is tried again next time.",
        )
    ],
    name="landing",
    pool="landing",
)
def landing_assets(
    context: dg.AssetExecutionContext,
    build: Build,  # not used: it keeps a second build away
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Land every new file of the inbox, source by source, each file once."""
    settings = load_settings()
    reports = [DropReport("inbox", refused=stray_files(settings.inbox))]
    for source in sources_in(settings.inbox):
        report = land_inbox(
            settings.inbox,
            settings.landing,
            settings.dlt,
            source,
            progress=context.log.info,
        )
        reports.append(report)
    refused = {path: why for report in reports for path, why in report.refused.items()}
    for path, why in refused.items():
        context.log.warning(f"{path}: {why}")
    if len(reports) == 1:
        context.log.warning(f"the inbox {settings.inbox} is empty: nothing to land")
    metadata = {"files": dg.MetadataValue.md(_summary(reports))}
    for entity in entities():
        rows = sum(report.rows.get(entity, 0) for report in reports)
        yield dg.MaterializeResult(
            asset_key=_key(entity), metadata={"dagster/row_count": rows, **metadata}
        )
    rejected = sum(item.rejected for report in reports for item in report.files)
    yield dg.MaterializeResult(
        asset_key=_key("_rejected_lines"), metadata={"dagster/row_count": rejected, **metadata}
    )
    yield dg.AssetCheckResult(
        asset_key=_key("_rejected_lines"),
        check_name="every_file_was_read",
        passed=not refused,
        description="; ".join(f"{path}: {why}" for path, why in refused.items()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"refused": dg.MetadataValue.json(refused)},
    )
