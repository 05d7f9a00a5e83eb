"""The words of many decisions at once: traits and products are looked up together."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration.campaigns.content.renderer import Renderer
from orchestration.campaigns.content.rendering import ContentError, Message
from orchestration.campaigns.names import CampaignError
from orchestration.rendering.context import DATABASE

if TYPE_CHECKING:
    import duckdb

_PERSON = ("intermediate.int_golden_records", "marts.profile_traits")


def messages(
    connection: "duckdb.DuckDBPyConnection",
    renderer: Renderer,
    decisions: Sequence[Mapping[str, Any]],
) -> dict[str, Message | str]:
    """The message of each decision by its id; where there can be none, why.

    Args:
        connection: to which the warehouse is attached.
        renderer: of the campaigns.
        decisions: with decision_id, campaign, step, variant, profile_id and payload (JSON).
    """
    people = _people(connection, [one["profile_id"] for one in decisions])
    payloads = {one["decision_id"]: json.loads(one["payload"] or "{}") for one in decisions}
    named = {str(one) for told in payloads.values() for one in told.get("product_ids") or []}
    products = _products(connection, sorted(named))
    made: dict[str, Message | str] = {}
    for one in decisions:
        campaign = renderer.campaigns.of(one["campaign"]).campaign
        person = people.get(one["profile_id"], {"profile_id": one["profile_id"]})
        try:
            made[one["decision_id"]] = renderer.render(
                one["campaign"],
                one["step"] if campaign.steps else None,
                one["variant"] if campaign.variants else None,
                person,
                payloads[one["decision_id"]],
                products,
            )
        except (ContentError, CampaignError) as error:
            made[one["decision_id"]] = str(error)
    return made


def _people(
    connection: "duckdb.DuckDBPyConnection", ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for table in _PERSON:
        rows = _rows(
            connection,
            f"from {DATABASE}.{table} where profile_id in (select unnest(?::varchar[]))",
            ids,
        )
        for row in rows:
            found.setdefault(row["profile_id"], {}).update(row)
    return found


def _products(
    connection: "duckdb.DuckDBPyConnection", ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    rows = _rows(
        connection,
        f"""select product_id, name, category, brand, price, currency,
            json_extract_string(try_cast(_extra as json), '$.url') as url
        from {DATABASE}.staging.stg_shop__products where list_contains(?::varchar[], product_id)""",
        ids,
    )
    return {row["product_id"]: row for row in rows}


def _rows(
    connection: "duckdb.DuckDBPyConnection", query: str, ids: Sequence[str]
) -> list[dict[str, Any]]:
    cursor = connection.execute(query, [list(ids)])
    names = [one[0] for one in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
