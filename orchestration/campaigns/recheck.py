"""What still holds of decisions to send when they go out: consent, conversion, expiry, a way there.

The gates of a build, at the moment of emission, and on what has landed by then. Caps, cooldowns
and quiet hours are not asked again: the decision itself counts in them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from orchestration.campaigns.definitions import Campaigns
from orchestration.campaigns.placing import put_campaigns
from orchestration.feeds.campaign_feed import Refused
from orchestration.segments.world import Moment, World

# In the order of a build.
GATES = ("expired", "converted", "no_contact_point", "no_consent", "unsubscribed_or_bounced")
_DUE = pa.schema(
    [("decision_id", pa.string()), ("campaign", pa.string()), ("step", pa.string()),
     ("profile_id", pa.string()), ("occurrence_key", pa.string()),
     ("occurred_at", pa.timestamp("us")), ("due_at", pa.timestamp("us")),
     ("expires_at", pa.timestamp("us"))]
)  # fmt: skip
# Of profiles, what has nothing to do with these gates stays as it was built.
_AS_BUILT = {
    "profile_traits": "profile_id, local_timezone, preferred_hour",
    "int_profile_recipients": "profile_id, recipient_id",
}


def recheck(
    world: World,
    campaigns: Campaigns,
    decisions: Sequence[Mapping[str, Any]],
    moment: datetime,
    known_at: datetime | None,
) -> dict[str, Refused]:
    """The decisions that do not hold any more, by id.

    Args:
        world: of the newest build.
        campaigns: as their files are now; those at fault are not to be asked about.
        decisions: with decision_id, campaign, step, profile_id, occurrence_key, occurred_at, due_at
            and expires_at.
        moment: of emission, on the clock of as_of.
        known_at: if more has landed than was built: until when, on the machine's clock.
    """
    if not decisions:
        return {}
    rows = [{name: one[name] for name in _DUE.names} for one in decisions]
    world.at(Moment(moment, known_at))
    world.connection.register("pending", pa.Table.from_pylist(rows, schema=_DUE))
    world.put(
        "campaign_due",
        f"""select *, cast(1 as bigint) as step_place, '' as payload,
            cast([] as varchar[]) as event_ids, timestamp '{moment}' as decided_at
        from pending""",
    )
    put_campaigns(world, campaigns)
    for name, columns in _AS_BUILT.items():
        relation = f"warehouse.{world.project.models[name].schema}.{name}"
        world.put(name, f"select {columns} from {relation}")
    refused: dict[str, Refused] = {}
    seen: set[str] = set()
    for gate in GATES:
        for decision_id, fails, detail in _asked(world, f"gate_{gate}", known_at is not None):
            seen.add(decision_id)
            if fails and decision_id not in refused:
                refused[decision_id] = Refused(gate, detail)
    for one in decisions:
        # What cannot be asked about is not sent.
        if one["decision_id"] not in seen:
            refused[one["decision_id"]] = Refused("expired", "the profile is gone")
    return refused


def _asked(world: World, gate: str, is_landed_anew: bool) -> list[tuple[str, bool, str]]:
    refs = world.closure(gate)
    anew = set(world.changed(gate, refs))
    if is_landed_anew:
        anew |= {one for one in refs if world.rendered(one).sources}
    world.make(gate, anew, refs)
    relation = world.renderer.relation(gate)
    return world.connection.execute(f"select decision_id, fails, detail from {relation}").fetchall()
