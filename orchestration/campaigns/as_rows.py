"""Campaigns as rows for SQL: the function `campaign_files`, which campaign_definitions calls.

A duration is seconds here, percents are shares of 1, and defaults of policy.yml are filled in.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.campaigns.definitions import Campaigns, Defined, Fault, load_usable
from orchestration.campaigns.fields import CALENDAR, At, Cap, Policy, QuietHours, seconds_of

FOREVER = 100 * 365 * 24 * 3600  # seconds: longer than any ledger


def campaign_files(folder: str) -> str:
    """All campaigns of a folder, as JSON: a list of objects, one for each file.

    With a policy that is wrong none of them can be used; what is no campaign is still built.
    """
    place = Path(folder).resolve()
    return json.dumps(rows(load_usable(place), place.parent.parent))


def rows(campaigns: Campaigns, root: Path) -> list[dict[str, Any]]:
    """One row for each file, good or bad; of a bad one only `campaign`, `file` and `fault` count.

    Args:
        campaigns: as loaded.
        root: what `file` is told below.
    """
    good = [_row(one, campaigns.policy, root) for one in campaigns.defined.values()]
    bad = [_fault_row(one, root) for one in campaigns.faults]
    return sorted(good + bad, key=lambda row: (row["campaign"], row["file"]))


def _fault_row(fault: Fault, root: Path) -> dict[str, Any]:
    return {
        "campaign": fault.name,
        "file": _below(fault.path, root),
        "fault": fault.message,
    }


def _below(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _row(defined: Defined, policy: Policy, root: Path) -> dict[str, Any]:
    campaign, audience = defined.campaign, defined.campaign.audience
    quiet = policy.quiet_hours if campaign.quiet_hours is None else campaign.quiet_hours
    quiet = None if quiet == "none" else quiet
    return {
        "campaign": defined.name,
        "file": _below(defined.path, root),
        "fault": None,
        "version": defined.version,
        "description": campaign.description,
        "owner": campaign.owner,
        "audience_kind": "trigger" if audience.trigger else "segment",
        "audience": audience.trigger or audience.segment,
        "every": audience.every,
        "channel": campaign.channel,
        "priority": campaign.priority,
        "group_name": campaign.group,
        "scopes": _scopes(defined),
        "caps": _caps(defined, policy),
        "steps": _steps(defined),
        "variants": _variants(defined),
        "holdout_share": campaign.holdout / 100,
        "cooldown_seconds": _cooldown(campaign.cooldown),
        "excluded_segments": sorted({*campaign.exclude, *policy.exclude}),
        "conversion_event": campaign.conversion.event if campaign.conversion else None,
        "conversion_seconds": seconds_of(campaign.conversion.within)
        if campaign.conversion
        else None,
        "quiet_from": quiet.begin if isinstance(quiet, QuietHours) else None,
        "quiet_to": quiet.end if isinstance(quiet, QuietHours) else None,
        "schedule": campaign.schedule.at
        if isinstance(campaign.schedule, At)
        else campaign.schedule,
        "timezone": campaign.timezone,
        "starts_at": _midnight(campaign.start),
        "ends_at": _midnight(campaign.end),
        "definition": json.dumps(campaign.model_dump(mode="json", by_alias=True)),
    }


def _scopes(defined: Defined) -> list[str]:
    """What a message of this campaign counts as."""
    campaign = defined.campaign
    tags = [f"tag:{tag}" for tag in sorted(set(campaign.tags))]
    return ["all", f"channel:{campaign.channel}", f"campaign:{defined.name}", *tags]


def _applying(defined: Defined, policy: Policy) -> list[Cap]:
    """Caps that hold for it: its own, and those of the policy that count its messages."""
    counted = set(_scopes(defined))
    return [*(one for one in policy.caps if one.counts in counted), *defined.campaign.caps]


def _caps(defined: Defined, policy: Policy) -> list[dict[str, Any]]:
    """Each once: what policy and campaign both say would be counted twice."""
    found: list[dict[str, Any]] = []
    for one in _applying(defined, policy):
        told = _cap(one, defined.name)
        if told not in found:
            found.append(told)
    return found


def _cap(cap: Cap, campaign: str) -> dict[str, Any]:
    is_calendar = cap.within in CALENDAR
    return {
        "scope": f"campaign:{campaign}" if cap.counts == "campaign" else cap.counts,
        "most": cap.limit,
        "seconds": None if is_calendar else seconds_of(cap.within),
        "period": cap.within if is_calendar else None,
    }


def _steps(defined: Defined) -> list[dict[str, Any]]:
    steps = defined.campaign.steps
    if not steps:
        return [{"step": "message", "place": 1, "after_seconds": 0}]
    return [
        {"step": step.name, "place": place, "after_seconds": seconds_of(step.after)}
        for place, step in enumerate(steps, start=1)
    ]


def _variants(defined: Defined) -> list[dict[str, Any]]:
    """Shares of the unit interval in the order of the file, the last up to 1."""
    found, below = [], 0.0
    variants = defined.campaign.variants
    weights = {name: one.weight for name, one in variants.items()} if variants else {"default": 100}
    for name, weight in weights.items():
        found.append({"variant": name, "from_share": below, "to_share": below + weight / 100})
        below += weight / 100
    found[-1]["to_share"] = 1.0
    return found


def _cooldown(text: str | None) -> int | None:
    if text is None:
        return None
    return FOREVER if text == "forever" else seconds_of(text)


def _midnight(day: date | None) -> str | None:
    return f"{day} 00:00:00" if day else None
