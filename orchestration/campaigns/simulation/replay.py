"""What happened in the newest build's warehouse, replayed through triggers and arbitration.

With what is known today: late events were not late, merged profiles always were one, and people had
the addresses and traits that they have now. Consent, conversions and memberships are histories, so
each moment has its own. Nobody is paused.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from orchestration.campaigns.definitions import Campaigns
from orchestration.campaigns.fields import seconds_of
from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.placing import put_campaigns
from orchestration.campaigns.simulation.rounds import CANDIDATES, PAST, SENDS, Span, simulate
from orchestration.resources.settings import Settings
from orchestration.segments.world import Moment, World, open_world

_LOOKBACK = "trigger_lookback_days"
_NEVER = "timestamp '1970-01-01'"


def replay(
    settings: Settings,
    campaigns: Campaigns,
    span: Span,
    parameters: Mapping[str, Any] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> World:
    """A scratch database in which `simulated.decisions` holds what would have been decided.

    Args:
        settings: where the warehouse is.
        campaigns: as they shall be.
        span: when runs are; its end is not after the newest build's moment.
        parameters: thresholds other than those of parameters.yml.
        tell: is told the round and how many candidates are left.

    Raises:
        CampaignError: a threshold that nothing here reads.
        SegmentError: a value of another kind than the threshold's, or SQL that DuckDB refuses.
        WarehouseError: there is no warehouse yet, or another process writes it.
    """
    world = open_world(settings, parameters)
    world.parameters = {**world.parameters, _LOOKBACK: _days_back(world, campaigns, span)}
    put_past(world, span.begin)
    put_campaigns(world, campaigns)
    _put_stays(world)
    asked = {name for one in world.closure(CANDIDATES) for name in world.rendered(one).variables}
    for name in parameters or {}:
        if name not in asked:
            raise CampaignError(
                f"--set {name}: no trigger or campaign hangs on it. Segments are as they were "
                "recorded; `muster segment backtest --set` tells what it changes there"
            )
    simulate(world, span, tell)
    return world


def _days_back(world: World, campaigns: Campaigns, span: Span) -> int:
    """How far back candidates are listed, so that all are there that come due in the span."""
    steps = [step.after for one in campaigns.defined.values() for step in one.campaign.steps or []]
    longest = max(map(seconds_of, steps), default=0)
    back = world.built_as_of - span.begin + timedelta(seconds=longest)
    usual = int(world.project.parameters[_LOOKBACK]["value"])
    return max(usual, math.ceil(back / timedelta(days=1)))


def put_past(world: World, begin: datetime) -> None:
    """What the ledger knew when the span began."""
    world.at(Moment(begin))
    for name in (PAST, SENDS):
        world.put(name, world.rendered(name).sql)
    world.at(Moment(world.built_as_of))


def _put_stays(world: World) -> None:
    """Memberships; who was in a segment when it was first recorded has been in it always."""
    world.put(
        "segment_stays",
        f"""select * replace (
            case when entered_at = min(entered_at) over (partition by segment) then {_NEVER}
                else entered_at end as entered_at
        ) from ({world.rendered("segment_stays").sql})""",
    )


def first_recorded(world: World) -> datetime | None:
    """When memberships of segments were first recorded."""
    row = world.connection.execute(
        f"select min(entered_at) from ({world.rendered('segment_stays').sql})"
    ).fetchone()
    return row[0] if row else None
