"""`dbt_project/campaigns/`: one YAML file for each campaign, and `policy.yml` for all of them.

A file that is wrong costs its own campaign only: it is a fault, with file, line and cure.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from orchestration.campaigns.fields import Campaign, Policy
from orchestration.resources.settings import DBT_PROJECT
from orchestration.yaml_files import line_of, load_validated

FOLDER = DBT_PROJECT / "campaigns"
_POLICY, _TEMPLATES = "policy.yml", "templates"


class CampaignError(ValueError):
    """A campaign cannot be used as it is; the message names the file, the line and the cure."""


@dataclass(frozen=True)
class Defined:
    """A campaign with its name and file; `version` is a hash of all that decides what it does."""

    name: str
    path: Path
    campaign: Campaign
    version: str


@dataclass(frozen=True)
class Fault:
    """Why a file is no campaign."""

    name: str
    path: Path
    message: str


@dataclass(frozen=True)
class Campaigns:
    """All files of the folder, as far as they can be used."""

    defined: Mapping[str, Defined]
    policy: Policy
    faults: tuple[Fault, ...]

    def of(self, name: str) -> Defined:
        """The campaign of a name.

        Raises:
            CampaignError: there is none, or its file is at fault.
        """
        if name in self.defined:
            return self.defined[name]
        for fault in self.faults:
            if fault.name == name:
                raise CampaignError(fault.message)
        there = ", ".join(sorted(self.defined)) or "none"
        raise CampaignError(f"there is no campaign '{name}'; there are {there}")


class _Names:
    """What campaigns may refer to, by the files of the project beside them."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.parent
        self._folder = folder

    def _models(self, folder: str, prefix: str) -> list[str]:
        return sorted(
            path.stem.removeprefix(prefix)
            for path in (self._root / "models" / folder).rglob(f"{prefix}*.sql")
        )

    @cached_property
    def triggers(self) -> list[str]:
        return self._models("marts/triggers", "trg_")

    @cached_property
    def segments(self) -> list[str]:
        return self._models("marts/segments", "seg_")

    @cached_property
    def templates(self) -> list[str]:
        found = (self._folder / _TEMPLATES).glob("*/")
        return sorted(path.name for path in found if not path.name.startswith("_"))

    @cached_property
    def events(self) -> list[str]:
        plan = yaml.safe_load((self._root / "tracking_plan.yml").read_text(encoding="utf-8"))
        return ["order", *sorted(plan.get("events") or {})]


def load_campaigns(folder: Path = FOLDER) -> Campaigns:
    """All campaigns.

    Raises:
        CampaignError: policy.yml is wrong, which would change what every campaign does.
    """
    policy_file = folder / _POLICY
    policy = Policy()
    if policy_file.exists():
        policy = load_validated(policy_file, Policy, CampaignError)
    names, defined, faults = _Names(folder), {}, []
    for path in files(folder):
        try:
            campaign = load_validated(path, Campaign, CampaignError)
            _check_names(path, campaign, names)
            _once(path, folder)
        except CampaignError as error:
            faults.append(Fault(path.stem, path, _told(str(error), folder)))
            continue
        version = _version(campaign, policy, folder)
        defined[path.stem] = Defined(path.stem, path, campaign, version)
    return Campaigns(defined, policy, tuple(faults))


def files(folder: Path) -> list[Path]:
    """The files of campaigns, sorted; templates have their own folder."""
    return sorted(
        path
        for path in folder.rglob("*.y*ml")
        if path.name != _POLICY and _TEMPLATES not in path.relative_to(folder).parts
    )


def _told(message: str, folder: Path) -> str:
    """With the path as it stands in the project."""
    return message.replace(f"{folder.parent.parent}/", "")


def _once(path: Path, folder: Path) -> None:
    others = [one for one in files(folder) if one.stem == path.stem and one != path]
    if others:
        raise CampaignError(
            f"{path}, line 1: {others[0].relative_to(folder)} has the same name; rename one"
        )


def templates_of(campaign: Campaign) -> list[str]:
    """Names of the templates that it may use, sorted."""
    named = [step.template for step in campaign.steps or []]
    named += [variant.template for variant in (campaign.variants or {}).values()]
    return sorted({campaign.template, *(one for one in named if one)})


def _check_names(path: Path, campaign: Campaign, names: _Names) -> None:
    audience = campaign.audience
    if audience.trigger:
        _known(path, audience.trigger, names.triggers, "trigger", "audience", "trigger")
    if audience.segment:
        _known_segment(path, audience.segment, names, "audience", "segment")
    for segment in campaign.exclude:
        _known_segment(path, segment, names, "exclude")
    for template in templates_of(campaign):
        _known(path, template, names.templates, "template", "template")
    if campaign.conversion:
        _known(path, campaign.conversion.event, names.events, "event", "conversion", "event")


def _known_segment(path: Path, name: str, names: _Names, *keys: str) -> None:
    # A model with tags has segments of its name and the tag, such as interested_in_shoes.
    if not any(name == one or name.startswith(f"{one}_") for one in names.segments):
        _known(path, name, names.segments, "segment", *keys)


def _known(path: Path, name: str, there: list[str], kind: str, *keys: str) -> None:
    if name not in there:
        line = line_of(path, *keys)
        raise CampaignError(
            f"{path}, line {line}: there is no {kind} '{name}'; there are {', '.join(there)}"
        )


def _version(campaign: Campaign, policy: Policy, folder: Path) -> str:
    """Of what it does: the file's content, the policy and the words of its templates."""
    told: dict[str, Any] = {
        "campaign": campaign.model_dump(mode="json", by_alias=True),
        "policy": policy.model_dump(mode="json", by_alias=True),
    }
    hashed = hashlib.md5(json.dumps(told, sort_keys=True).encode(), usedforsecurity=False)
    for template in templates_of(campaign):
        for path in sorted((folder / _TEMPLATES / template).rglob("*")):
            if path.is_file():
                hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:12]
