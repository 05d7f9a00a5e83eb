"""Whom a campaign is about: the person that is meant, its traits, the products of a payload.

All of it is read from the warehouse, opened by itself or attached to another database.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.campaigns.names import CampaignError
from orchestration.identity.explain.answer import the_one
from orchestration.identity.rules import load_rules
from orchestration.rendering.context import DATABASE

if TYPE_CHECKING:
    import duckdb

TRAITS = "marts.profile_traits"
_PERSON = ("intermediate.int_golden_records", TRAITS)


def person_of(connection: "duckdb.DuckDBPyConnection", value: str) -> tuple[str, tuple[str, ...]]:
    """The profile id that a value means, and what is to be told about the value.

    Raises:
        CampaignError, NotExplainedError: it means nobody, or several.
    """
    found = the_one(connection, value.strip(), load_rules())
    if found.profile_id is None:
        raise CampaignError(f"{value} is nobody's now; see muster explain identity {value}")
    past = found.past_profile_id
    about = (f"{past} is of the past: since {found.since} it is {found.profile_id}",)
    return found.profile_id, about if past else ()


def newest_moment(connection: "duckdb.DuckDBPyConnection") -> datetime:
    """The as_of of the newest build."""
    row = connection.execute(
        f"select max_by(as_of, number) from {DATABASE}.main.dbt_builds"
    ).fetchone()
    return row[0]  # type: ignore[index, no-any-return]


def traits_of(
    connection: "duckdb.DuckDBPyConnection", profiles: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The golden record and the traits of profiles, by id; `profile_id` is always among them."""
    found: dict[str, dict[str, Any]] = {one: {"profile_id": one} for one in profiles}
    for table in _PERSON:
        rows = dicts(
            connection,
            f"from {DATABASE}.{table} where profile_id in (select unnest(?::varchar[]))",
            [list(profiles)],
        )
        for row in rows:
            found[row["profile_id"]] |= row
    return found


def products_of(
    connection: "duckdb.DuckDBPyConnection", ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What messages may say of products, by product_id; those that nobody knows are missing."""
    rows = dicts(
        connection,
        f"""select product_id, name, category, brand, price, currency,
            json_extract_string(try_cast(_extra as json), '$.url') as url
        from {DATABASE}.staging.stg_shop__products where list_contains(?::varchar[], product_id)""",
        [list(ids)],
    )
    return {row["product_id"]: row for row in rows}


def dicts(
    connection: "duckdb.DuckDBPyConnection", query: str, values: Sequence[object]
) -> list[dict[str, Any]]:
    """A query's rows by the names of their columns."""
    cursor = connection.execute(query, values)
    names = [one[0] for one in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
