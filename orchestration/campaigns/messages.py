"""The words of many decisions at once: traits and products are looked up together."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration.campaigns.content.renderer import Renderer
from orchestration.campaigns.content.rendering import ContentError, Message
from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.people import products_of, traits_of

if TYPE_CHECKING:
    import duckdb


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
    people = traits_of(connection, [one["profile_id"] for one in decisions])
    payloads = {one["decision_id"]: json.loads(one["payload"] or "{}") for one in decisions}
    named = {str(one) for told in payloads.values() for one in told.get("product_ids") or []}
    products = products_of(connection, sorted(named))
    made: dict[str, Message | str] = {}
    for one in decisions:
        campaign = renderer.campaigns.of(one["campaign"]).campaign
        try:
            made[one["decision_id"]] = renderer.render(
                one["campaign"],
                one["step"] if campaign.steps else None,
                one["variant"] if campaign.variants else None,
                people[one["profile_id"]],
                payloads[one["decision_id"]],
                products,
            )
        except (ContentError, CampaignError) as error:
            made[one["decision_id"]] = str(error)
    return made
