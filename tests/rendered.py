"""Models of dbt rendered without it, for tests that run their SQL on random input in plain DuckDB.

dbt's start costs seconds, a rendered model milliseconds. `ref('x')` becomes the table `x`. Macros
that ask dbt itself (the moment, files) are values here.
"""

from datetime import datetime
from functools import cache
from typing import Any

import duckdb
import jinja2

from orchestration.resources.settings import DBT_PROJECT

_MACROS = ("identifiers.sql", "survivorship.sql", "engine/casts.sql", "engine/survivorship.sql")


@cache
def _template(name: str) -> jinja2.Template:
    macros = "".join((DBT_PROJECT / "macros" / file).read_text() for file in _MACROS)
    (model,) = (DBT_PROJECT / "models").rglob(f"{name}.sql")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    return environment.from_string(macros + model.read_text())


def build(
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    as_of: datetime,
    rules: dict[str, Any] | None = None,
) -> None:
    """Build the models in this order as tables of the connection; `rules` are identity_rules."""
    for name in names:
        sql = _template(name).render(
            ref=lambda model: model,
            as_of=lambda: f"timestamp '{as_of:%Y-%m-%d %H:%M:%S}'",
            identity_rules=lambda: rules or {},
        )
        connection.execute(f"create or replace table {name} as {sql}")
