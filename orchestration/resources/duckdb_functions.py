"""Functions that DuckDB lacks and dbt's models call; free of dbt, for any connection.

Tables can be read by anybody, but a view that calls them only by a connection that has them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def _phones(numbers: pa.Array, countries: pa.Array) -> pa.Array:
    from orchestration.identity.normalization import normal_phone

    pairs = zip(numbers.to_pylist(), countries.to_pylist(), strict=True)
    return pa.array([normal_phone(*pair) for pair in pairs], pa.string())


def _emails(addresses: pa.Array) -> pa.Array:
    from orchestration.identity.normalization import normal_email

    return pa.array(
        [None if text is None else normal_email(text) for text in addresses.to_pylist()],
        pa.string(),
    )


def _campaigns(folders: pa.Array) -> pa.Array:
    from orchestration.campaigns.as_rows import campaign_files

    return pa.array([campaign_files(folder) for folder in folders.to_pylist()], pa.string())


def register(connection: "DuckDBPyConnection") -> None:
    """Make the functions known to a connection and its cursors."""
    from duckdb.func import FunctionNullHandling, PythonUDFType
    from duckdb.sqltypes import VARCHAR

    functions: dict[str, tuple[Callable[..., pa.Array], int]] = {
        "phone_e164": (_phones, 2),
        "mailbox": (_emails, 1),
        "campaign_files": (_campaigns, 1),
    }
    for name, (function, arguments) in functions.items():
        # Whole vectors as Arrow, which costs less than a call for each row. Nulls are handed
        # over: a null country is no null number.
        connection.create_function(
            name,
            function,
            [VARCHAR] * arguments,
            VARCHAR,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=False,
        )
