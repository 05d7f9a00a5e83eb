"""Great Expectations itself: its context, its objects made from our words, and Data Docs.

Everything that imports the package stands here and in `custom/`, inside functions. Results are kept
as files, the last of each table, so that pages made after the last stage show all stages; a longer
history is the orchestrator's to keep.
"""

import logging
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.dialect import connection_string
from expectations.spec import Result, Rule, Suite

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
    from great_expectations.expectations.expectation import Expectation

_SITE = "data_docs"
# Only counts are kept: values of columns may be personal.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
# Engine errors that speak of SQL, not of data, and so may be shown.
_HARMLESS = re.compile(r"((?:Binder|Catalog|Parser) Error: [^\\\n]*)")

_BEACON = re.compile(r"https://great-expectations-web-assets[^\s\"')]*")


@contextmanager
def quiet() -> Iterator[None]:
    """No analytics, no progress bars, no warnings: a check says what it found and no more."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def open_context(quality: Path) -> "EphemeralDataContext":
    """A context whose suites and results are files under `quality`; no configuration file."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        ProgressBarsConfig,
    )

    def files(folder: str) -> dict[str, object]:
        (quality / folder).mkdir(parents=True, exist_ok=True)
        return {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str((quality / folder).resolve()),
        }

    stores = {
        "expectations_store": ("ExpectationsStore", files("suites")),
        "validation_results_store": ("ValidationResultsStore", files("results")),
        "validation_definition_store": ("ValidationDefinitionStore", files("definitions")),
        "checkpoint_store": ("CheckpointStore", {"class_name": "InMemoryStoreBackend"}),
    }
    config = DataContextConfig(
        stores={
            name: {"class_name": kind, "store_backend": backend}
            for name, (kind, backend) in stores.items()
        },
        expectations_store_name="expectations_store",
        validation_results_store_name="validation_results_store",
        checkpoint_store_name="checkpoint_store",
        data_docs_sites={
            _SITE: {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": files(_SITE),
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
        },
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    # get_context, because it also makes the context known to the package's own factories.
    return gx.get_context(mode="ephemeral", project_config=config)


def open_warehouse(context: "EphemeralDataContext", warehouse: Path) -> "SQLDatasource":
    """The DuckDB file, read-only, as a data source of the context."""
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

    source = context.data_sources.add_or_update_sql(
        "warehouse", connection_string=connection_string(warehouse)
    )
    assert isinstance(source, SQLDatasource)
    return source


def forget(stage: str, quality: Path) -> None:
    """Removes what earlier runs of the stage left, also of tables that are no more."""
    # The package makes folders of a name's dots, but not in the store of definitions.
    for folder in ("suites", "results"):
        shutil.rmtree(quality / folder / stage, ignore_errors=True)
    for definition in quality.glob(f"definitions/{stage}.*"):
        definition.unlink()


def tables_of(source: "SQLDatasource") -> list[str]:
    """Every table and view of the warehouse, as `schema.table`."""
    from sqlalchemy import text

    with source.get_engine().connect() as connection:
        rows = connection.execute(
            text("select table_schema || '.' || table_name from information_schema.tables")
        ).fetchall()
    return [str(row[0]) for row in rows]


def _expectation(suite: Suite, position: int, rule: Rule) -> "Expectation":
    from expectations.custom import expectation_class

    fields: dict[str, Any] = {
        **rule.arguments,
        "description": rule.description,
        "severity": "critical" if rule.severity == "error" else "warning",
        "meta": {"rule": position, "owner": rule.owner or suite.owner},
    }
    return expectation_class(rule.expectation)(**fields)


def run_suite(
    context: "EphemeralDataContext", source: "SQLDatasource", suite: Suite
) -> list[Result]:
    """Results of one suite, in the order of its rules; Great Expectations' own result is kept."""
    from great_expectations import ExpectationSuite, ValidationDefinition

    schema, table = suite.table.split(".", 1)
    title = f"{suite.stage}.{suite.table}"
    asset = source.add_table_asset(title, table_name=table, schema_name=schema)
    stored = context.suites.add(
        ExpectationSuite(
            name=title,
            expectations=[
                _expectation(suite, position, rule) for position, rule in enumerate(suite.rules)
            ],
            meta={"owner": suite.owner},
        )
    )
    definition = context.validation_definitions.add(
        ValidationDefinition(
            name=title, data=asset.add_batch_definition_whole_table("whole"), suite=stored
        )
    )
    outcome = definition.run(result_format=_RESULT_FORMAT)
    found = {_position(kept): kept for kept in outcome.results}
    return [_result(suite, rule, found[position]) for position, rule in enumerate(suite.rules)]


def _position(kept: "ExpectationValidationResult") -> int:
    """Results come in another order than rules, so each carries its rule's position."""
    assert kept.expectation_config is not None
    assert kept.expectation_config.meta is not None
    return int(kept.expectation_config.meta["rule"])


def _result(suite: Suite, rule: Rule, kept: "ExpectationValidationResult") -> Result:
    return Result(
        stage=suite.stage,
        table=suite.table,
        expectation=rule.name,
        severity=rule.severity,
        passed=bool(kept.success),
        observed=_observed(kept),
        description=rule.description,
        owner=rule.owner or suite.owner,
    )


def _observed(kept: "ExpectationValidationResult") -> str:
    """What was seen, in counts. An engine's message is shown only if it cannot quote data."""
    found = kept.result
    if "observed_value" in found:
        return str(found["observed_value"])
    if "unexpected_count" in found:
        # An empty table has no counts.
        bad, rows = found["unexpected_count"] or 0, found.get("element_count") or 0
        return f"{bad:,} of {rows:,} rows break it"
    harmless = _HARMLESS.search(str(kept.exception_info))
    return f"could not be evaluated: {harmless[1][:200] if harmless else 'engine error'}"


def write_docs(quality: Path) -> Path:
    """Pages of every result kept under `quality`; returns the page to open."""
    import expectations.custom  # noqa: F401  # pages are drawn by the classes

    shutil.rmtree(quality / _SITE, ignore_errors=True)
    open_context(quality).build_data_docs(site_names=[_SITE])
    # Each page would load a picture with the context's id and the time: a count of its readers.
    for page in (quality / _SITE).rglob("*.html"):
        page.write_text(_BEACON.sub("data:,", page.read_text("utf-8")), "utf-8")
    return quality / _SITE / "index.html"
