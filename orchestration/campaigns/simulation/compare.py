"""A campaign over a span of time, as its file is, and as a change would make it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from orchestration.campaigns.definitions import Campaigns
from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.simulation.changes import change
from orchestration.campaigns.simulation.outcome import Outcome, Simulation, outcome
from orchestration.campaigns.simulation.replay import first_recorded, replay
from orchestration.campaigns.simulation.rounds import Span
from orchestration.rendering.project import Project
from orchestration.resources.settings import Settings

MOST_RUNS = 100_000


def simulation(  # noqa: PLR0913, PLR0917  # one for each thing that is asked
    settings: Settings,
    campaigns: Campaigns,
    name: str,
    span: Span,
    said: Mapping[str, Any] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Simulation:
    """What all campaigns would have sent, told of one of them.

    Args:
        settings: where the warehouse is.
        campaigns: as their files are.
        name: of the campaign.
        span: when runs are.
        said: what to change, by name; see changes.py.
        tell: is told the round and how many candidates are left.

    Raises:
        CampaignError: there is no such campaign, field or threshold, or the value does not fit.
    """
    campaigns.of(name)
    changed = change(campaigns, name, said, Project().parameters) if said else None
    here, notes = _one(settings, campaigns, span, {}, tell)
    if changed is None:
        return Simulation(name, span, notes, here)
    there, _ = _one(settings, changed.campaigns, span, changed.parameters, tell)
    return Simulation(name, span, notes, here, there)


def span_of(begin: datetime, end: datetime, every: timedelta, built: datetime) -> Span:
    """Runs from a moment to another.

    Raises:
        CampaignError: there is none, or too many, or the last is after the newest build's moment:
            what happened by then is not in the warehouse.
    """
    if end > built:
        raise CampaignError(
            f"--to {end:%Y-%m-%d %H:%M} is after the newest build, which is as of "
            f"{built:%Y-%m-%d %H:%M} UTC and knows nothing later; take an earlier moment, or "
            "`muster run` first"
        )
    if begin > end:
        raise CampaignError(f"--from {begin:%Y-%m-%d %H:%M} is after --to {end:%Y-%m-%d %H:%M}")
    if (count := (end - begin) // every + 1) > MOST_RUNS:
        raise CampaignError(f"these are {count:,} runs; {MOST_RUNS:,} at most")
    return Span(begin, end, every)


def _one(
    settings: Settings,
    campaigns: Campaigns,
    span: Span,
    parameters: Mapping[str, Any],
    tell: Callable[[int, int], None] | None,
) -> tuple[Outcome, tuple[str, ...]]:
    """What a version comes to, and what to know of it."""
    world = replay(settings, campaigns, span, parameters, tell)
    with world.connection:
        return outcome(world, span), _notes(first_recorded(world), campaigns, span)


def _notes(recorded: datetime | None, campaigns: Campaigns, span: Span) -> tuple[str, ...]:
    notes = []
    if recorded and recorded > span.begin:
        notes.append(
            f"who was in a segment when it was first recorded, {recorded:%Y-%m-%d %H:%M} or later, "
            "is taken to have been in it before"
        )
    if campaigns.faults:
        names = ", ".join(sorted(fault.name for fault in campaigns.faults))
        notes.append(f"without {names}, which are at fault; see `muster campaign list`")
    return tuple(notes)
