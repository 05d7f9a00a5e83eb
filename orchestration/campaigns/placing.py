"""Campaigns in a scratch world, in the place of those that were built."""

import json
from pathlib import Path

from orchestration.campaigns.as_rows import rows
from orchestration.campaigns.definitions import Campaigns
from orchestration.segments.world import World


def put_campaigns(world: World, campaigns: Campaigns) -> None:
    """Campaigns as they shall be, of which none is paused."""
    told = json.dumps(rows(campaigns, Path())).replace("'", "''")
    world.put("campaign_definitions", world.renderer.call("campaign_rows", f"'{told}'"))
    world.put("campaign_pauses_now", f"from ({world.rendered('campaign_pauses_now').sql}) limit 0")
