"""What the asset of the identity map tells after each build: counts and a picture."""

import dagster as dg

from orchestration.identity.report import report
from orchestration.identity.rules import load_rules
from orchestration.identity.secret import project_secret
from orchestration.resources.settings import load_settings
from orchestration.resources.warehouse import WarehouseError, open_to_read

REPORTED = "int_identity_map"


def identity_metadata(log: dg.DagsterLogManager) -> dict[str, dg.MarkdownMetadataValue]:
    """The report as metadata; nothing while somebody writes the warehouse, which is no failure."""
    try:
        with open_to_read(load_settings().warehouse, f"intermediate.{REPORTED}") as connection:
            told = report(connection, load_rules(), project_secret())
    except WarehouseError as error:
        log.warning(f"no report on identity: {error}")
        return {}
    return {name: dg.MetadataValue.md(text) for name, text in told.items()}
