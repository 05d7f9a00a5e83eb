"""What the asset of the identity map tells after each build: counts and a picture."""

from contextlib import nullcontext

import dagster as dg
import duckdb

from orchestration.identity.explain.report import report
from orchestration.identity.rules import load_rules
from orchestration.identity.secret import project_secret
from orchestration.resources.dbt import borrowed
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import WarehouseError, open_to_read


def identity_metadata(log: dg.DagsterLogManager) -> dict[str, dg.MarkdownMetadataValue]:
    """The report as metadata. A build does not fail for want of it."""
    try:
        needed = "intermediate.int_identity_map"
        with (
            borrowed() as lent,
            nullcontext(lent) if lent else open_to_read(load_settings().warehouse, needed) as own,
        ):
            own.execute("set timezone = 'UTC'")
            told = report(own, load_rules(), project_secret())
    except (WarehouseError, duckdb.Error) as error:
        log.warning(f"no report on identity: {error}")
        return {}
    return {name: dg.MetadataValue.md(text) for name, text in told.items()}
