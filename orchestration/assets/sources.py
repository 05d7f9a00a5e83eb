"""Source assets: one for each entity of each pulled source of `sources.yml`.

How a source is read belongs to `connectors/`; this module only reports what was pulled.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration.connectors.pull import PullReport, pull, together
from orchestration.connectors.registry import load_sources
from orchestration.connectors.sources.base import Source, SourceError
from orchestration.resources.settings import load_settings

GROUP = "sources"
# A source that is down is asked again after about 10, 30 and 70 seconds.
RETRY = dg.RetryPolicy(
    max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


def source_key(source: str, entity: str) -> dg.AssetKey:
    """The key of what one source delivers of one entity."""
    return dg.AssetKey([GROUP, source, entity])


def source_entities(source: Source) -> dict[str, list[str]]:
    """Names of the source's parts by the entity they fill."""
    found: dict[str, list[str]] = {}
    for part in source.parts():
        found.setdefault(part.entity, []).append(part.name)
    return found


def sources_of(entity: str) -> list[dg.AssetKey]:
    """The assets that fill one entity of landing."""
    return [
        source_key(source.name, entity)
        for source in load_sources().values()
        if entity in source_entities(source)
    ]


def _spec(source: Source, entity: str, parts: list[str]) -> dg.AssetSpec:
    window = source.fresh_within_minutes
    return dg.AssetSpec(
        source_key(source.name, entity),
        group_name=GROUP,
        description=f"`{entity}` from {source.name}: {', '.join(parts)}.",
        kinds={source.type, "dlt"},
        owners=["team:data-engineering"],
        freshness_policy=(
            dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=window))
            if window
            else None
        ),
    )


def _metadata(reports: list[PullReport]) -> dict[str, Any]:
    """Rows, bytes, cursor, deletions and lag of an entity's parts."""
    lags = [report.lag_seconds for report in reports if report.lag_seconds is not None]
    notes = [f"{report.part}: {note}" for report in reports for note in report.notes]
    found: dict[str, Any] = {
        "dagster/row_count": dg.MetadataValue.int(sum(report.rows for report in reports)),
        "bytes": dg.MetadataValue.int(sum(report.size for report in reports)),
        "cursor": dg.MetadataValue.json({report.part: report.position for report in reports}),
    }
    if deleted := sum(report.deleted for report in reports):
        found["deleted"] = dg.MetadataValue.int(deleted)
    if lags:
        found["lag_seconds"] = dg.MetadataValue.float(max(lags))
    if notes:
        found["notes"] = dg.MetadataValue.md("\n".join(f"- {note}" for note in notes))
    return found


def _pulled(
    context: dg.AssetExecutionContext, source: Source, entity: str, failures: list[SourceError]
) -> list[PullReport]:
    """What the entity's parts brought; one that fails joins `failures`, and stops no other unless
    that would fail alike.
    """
    settings = load_settings()
    reports = []
    for part in (part for part in source.parts() if part.entity == entity):
        try:
            report = pull(source, part, settings.landing, settings.dlt, context.log.info)
        except SourceError as error:
            context.log.error(str(error))
            failures.append(error)
            if error.is_of_source:
                break
            continue
        context.log.info(f"{source.name}/{part.name}: {report.rows:,} rows")
        for note in report.notes:
            context.log.warning(f"{source.name}/{part.name}: {note}")
        reports.append(report)
    return reports


def _source_assets(source: Source) -> dg.AssetsDefinition:
    entities = source_entities(source)

    @dg.multi_asset(
        specs=[
            # Not made when its part fails, while the other parts are.
            _spec(source, entity, parts).replace_attributes(skippable=True)
            for entity, parts in entities.items()
        ],
        name=f"source_{source.name}",  # not `pull_`, which is the job
        can_subset=True,
        pool=f"source_{source.name}",
        retry_policy=RETRY,
        description=f"Pulls what is new from {source.name}.",
    )
    def assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        failures: list[SourceError] = []
        with together(source, load_settings().dlt):
            for entity, parts in entities.items():
                key = source_key(source.name, entity)
                if key not in context.selected_asset_keys:
                    continue
                if failures and failures[-1].is_of_source:
                    break
                reports = _pulled(context, source, entity, failures)
                if len(reports) == len(parts):
                    yield dg.MaterializeResult(asset_key=key, metadata=_metadata(reports))
        if failures:
            # What a password or a mapping must cure does not heal by asking again.
            raise dg.Failure(
                "; ".join(str(error) for error in failures),
                allow_retries=any(error.is_transient for error in failures),
            )

    return assets


def source_assets() -> list[dg.AssetsDefinition]:
    """The assets of all sources, none where `sources.yml` names none."""
    return [_source_assets(source) for source in load_sources().values()]
