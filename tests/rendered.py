"""Models of dbt rendered without it, for tests that run their SQL on random input in plain DuckDB.

dbt's start costs seconds, a rendered model milliseconds. `ref('x')` becomes the table `x`, and
`source('x', 'y')` the table `x_y`. Macros
that give dbt a value instead of text (the moment, files, thresholds) are Python here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import yaml

from orchestration.resources.settings import DBT_PROJECT

_MACROS = (
    "behaviour.sql",
    "consent.sql",
    "features.sql",
    "identifiers.sql",
    "survivorship.sql",
    "time.sql",
    "tracking_plan.sql",
    "windows.sql",
    "engine/casts.sql",
    "engine/clocks.sql",
    "triggers.sql",
    "engine/identity.sql",
    "engine/incremental.sql",
    "engine/judgement.sql",
    "engine/survivorship.sql",
    "engine/triggers.sql",
)
_MACRO = re.compile(r"{% macro .*?{%-? endmacro %}", re.DOTALL)
WINDOWS = (1, 7, 30, 90, 365)


@cache
def _macros() -> str:
    text = "".join((DBT_PROJECT / "macros" / file).read_text() for file in _MACROS)
    return "".join(macro for macro in _MACRO.findall(text) if "return(" not in macro)


@cache
def _template(text: str) -> jinja2.Template:
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    return environment.from_string(_macros() + text)


@cache
def thresholds() -> Mapping[str, Any]:
    """Values of parameters.yml."""
    entries = yaml.safe_load((DBT_PROJECT / "parameters.yml").read_text())
    return {name: entry["value"] for name, entry in entries.items()}


def _exists(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = connection.execute("select 1 from duckdb_tables() where table_name = ?", [name])
    return found.fetchone() is not None


def build(
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    as_of: datetime,
    rules: dict[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    incremental: bool = False,
) -> None:
    """Build the models in this order as tables of the connection; `rules` are identity_rules.

    `parameters` override parameters.yml. With `incremental` the models of `by_profile` go on from
    the tables that are there, as dbt has them do.
    """
    values = {**thresholds(), **(parameters or {})}
    for name in names:
        (path,) = (DBT_PROJECT / "models").rglob(f"{name}.sql")
        again = incremental and path.parent.name == "by_profile" and _exists(connection, name)
        context: dict[str, Any] = {
            "ref": lambda model: model,
            "source": lambda group, table: f"{group}_{table}",
            "as_of_moment": lambda: as_of,
            "modules": SimpleNamespace(datetime=__import__("datetime")),
            "identity_rules": lambda: rules or {},
            "parameter": values.__getitem__,
            "windows": lambda: WINDOWS,
            "behaviour_salt": lambda: f"{sorted(values.items(), key=str)}".replace("'", '"'),
            "is_incremental": lambda: again,  # noqa: B023  # rendered within the loop
            "this": name,
            "columns_of": lambda relation: None,
            "columns_of_query": lambda query: None,
            "model": SimpleNamespace(compiled_code=""),
        }
        sql = _template(path.read_text()).render(context)
        if again:
            connection.execute(_template("{{ forget_changed_profiles() }}").render(context))
            connection.execute(f"insert into {name} {sql}")
        else:
            connection.execute(f"create or replace table {name} as {sql}")


def rendered(text: str) -> str:
    """SQL in which macros stand, rendered; these may ask for tables, but for no threshold."""
    return _template(text).render(ref=lambda model: model)
