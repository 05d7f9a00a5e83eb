"""Functions that DuckDB lacks and dbt's models call: `profiles.yml` names this module.

dbt-duckdb registers them on its own connection, so `dbt build` alone has them, and so have unit
tests and the SQL linter. Views that call them can be read through dbt only; tables by anybody.
"""

from typing import TYPE_CHECKING

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def _phones(numbers: pa.Array, countries: pa.Array) -> pa.Array:
    from orchestration.identity.normalization import normal_phone

    pairs = zip(numbers.to_pylist(), countries.to_pylist(), strict=True)
    return pa.array([normal_phone(*pair) for pair in pairs], pa.string())


def _emails(addresses: pa.Array) -> pa.Array:
    from orchestration.identity.normalization import plain_email

    return pa.array(
        [address and plain_email(address) for address in addresses.to_pylist()], pa.string()
    )


class Plugin(BasePlugin):  # type: ignore[misc]  # dbt's classes have no types
    """Registers the functions; `plugins` of dbt-duckdb asks for a class of this name."""

    def configure_connection(self, conn: "DuckDBPyConnection") -> None:
        """Called once for each process's connection, before any query."""
        from duckdb.sqltypes import VARCHAR

        # Whole vectors as Arrow: half the time of a call for each row. A null country is no
        # null number, so nulls are handed over.
        options = {"type": "arrow", "null_handling": "special", "side_effects": False}
        conn.create_function("phone_e164", _phones, [VARCHAR, VARCHAR], VARCHAR, **options)
        conn.create_function("plain_email", _emails, [VARCHAR], VARCHAR, **options)
