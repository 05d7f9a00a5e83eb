"""One blocking check for each table of a stage: does it meet its expectation suite?

An expectation of severity `error` that fails stops what is downstream; `warn` only shows. A table
without a suite fails.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from orchestration.assets.dbt import Manifest, asset_key
from orchestration.assets.landing import RECORDED
from orchestration.connectors.contract import entities
from orchestration.resources.build import Build
from orchestration.resources.dbt import run_dbt
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import wait_until_free

CHECK = "expectations"
_SEGMENTS = "segments"
# Tables between profiles' models that have a suite, although intermediate ones need none.
_INTERMEDIATE = (
    "int_identifiers_blocked",
    "int_identity_map",
    "int_events_too_late",
    "int_sessions",
    "int_orders_valued",
    "int_carts",
)


def _stage_tables(parsed: Manifest) -> dict[str, list[tuple[str, str]]]:
    """Tables by stage as (schema, name)."""
    stages: dict[str, list[tuple[str, str]]] = {
        "landing": [("landing", name) for name in (*entities(), "_rejected_lines", *RECORDED)],
        "staging": [],
        "profiles": [("intermediate", name) for name in _INTERMEDIATE],
        "segments": [],
        "published": [],
    }
    stage_of = {
        "staging": "staging",
        "marts": "profiles",
        "segments": "segments",
        "triggers": "segments",
        "published": "published",
    }
    for unique_id, props in parsed["nodes"].items():
        is_table = unique_id.startswith("model.") and props["config"]["materialized"] == "table"
        if is_table and props["schema"] in stage_of:
            stages[stage_of[props["schema"]]].append((props["schema"], props["alias"]))
    return stages


def _check_result(schema: str, name: str, results: list[Any]) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    errors = [result for result in failed if result.severity == "error"]
    rows = "\n".join(
        f"| {'yes' if r.passed else '**no**'} | {r.severity} | {r.description} | {r.observed} |"
        for r in sorted(results, key=lambda r: (r.passed, r.severity, r.description))
    )
    # No result at all is a table that nobody validated: that fails too. A segment is held alone,
    # and has no table if it was never built.
    is_error = (bool(errors) or not results) and schema != _SEGMENTS
    return dg.AssetCheckResult(
        asset_key=asset_key(schema, name),
        check_name=CHECK,
        passed=bool(results) and not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{r.description} ({r.observed})" for r in failed)
        or (f"{len(results)} expectations met" if results else _unvalidated(schema)),
        metadata={
            "expectations": dg.MetadataValue.md(
                f"| met | severity | expectation | observed |\n|---|---|---|---|\n{rows}"
            )
        },
    )


def _unvalidated(schema: str) -> str:
    if schema == _SEGMENTS:
        return "it was not built; no_segment_is_held of the catalogue says why"
    return "no suite covers this table"


def _stage_check(stage: str, tables: list[tuple[str, str]]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=asset_key(schema, name),
                blocking=schema != _SEGMENTS,
                description="Great Expectations: the table meets its suite.",
            )
            for schema, name in tables
        ],
        name=f"expectations_{stage}",
        pool="warehouse",
    )
    def check(
        context: dg.AssetCheckExecutionContext, build: Build
    ) -> Iterator[dg.AssetCheckResult]:
        from expectations.run import build_docs, validate
        from expectations.status import record_status

        settings = load_settings()
        wait_until_free(settings.warehouse, context.log.warning)
        as_of = build.moment(context.instance, context.run.run_id)
        if stage == "landing":
            # The views over landing's Parquet are made by dbt, at the start of any command.
            for _ in run_dbt(["run-operation", "register_landing"], {"as_of": as_of}):
                pass
        names = [f"{schema}.{name}" for schema, name in tables]
        by_table: dict[str, list[Any]] = {}
        results = validate(stage, settings.warehouse, settings.quality)
        record_status(results, stage, settings.warehouse, settings.quality, as_of)
        for result in results:
            # A table that the project does not know (of a model that is gone) has no check of its
            # own, yet its lack of a suite must show: it counts with the stage's first table.
            known = result.table in names
            by_table.setdefault(result.table if known else names[0], []).append(result)
        if stage == "published":
            build_docs(settings.quality)
        for schema, name in tables:
            yield _check_result(schema, name, by_table.get(f"{schema}.{name}", []))

    return check


def expectation_checks(parsed: Mapping[str, Any]) -> list[dg.AssetChecksDefinition]:
    """One check definition for each stage."""
    return [_stage_check(stage, tables) for stage, tables in _stage_tables(parsed).items()]
