"""`dbt_project/campaigns/`: one YAML file for each campaign, and `policy.yml` for all of them.

A file that is wrong costs its own campaign only: it is a fault, with file, line and cure.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orchestration.campaigns.fields import Campaign, Policy
from orchestration.campaigns.names import (
    TEMPLATES,
    CampaignError,
    Names,
    check_names,
    check_policy,
    templates_of,
)
from orchestration.near import did_you_mean
from orchestration.resources.settings import DBT_PROJECT
from orchestration.yaml_files import load_validated

__all__ = ["CampaignError", "Campaigns", "Defined", "Fault", "files", "load_campaigns",
           "templates_of"]  # fmt: skip

FOLDER = DBT_PROJECT / "campaigns"
POLICY = "policy.yml"


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
        known = {*self.defined, *(fault.name for fault in self.faults)}
        there = f"; there are {', '.join(sorted(known))}" if known else "; there is none yet"
        raise CampaignError(f"there is no campaign '{name}'{did_you_mean(name, known, there)}")


def load_campaigns(folder: Path = FOLDER) -> Campaigns:
    """All campaigns.

    Raises:
        CampaignError: policy.yml is wrong, which would change what every campaign does.
    """
    from orchestration.campaigns.content.templates import load_templates

    names, defined, faults = Names(folder), {}, []
    policy, templates = _policy(folder, names), load_templates(folder / TEMPLATES)
    for path in files(folder):
        try:
            campaign = load_validated(path, Campaign, CampaignError)
            _named_once(path, folder)
            check_names(path, campaign, names)
            templates.check(path, campaign)
        except CampaignError as error:
            faults.append(Fault(path.stem, path, _told(str(error), folder)))
            continue
        version = _version(campaign, policy, folder)
        defined[path.stem] = Defined(path.stem, path, campaign, version)
    return Campaigns(defined, policy, tuple(faults))


def load_usable(folder: Path = FOLDER) -> Campaigns:
    """The same for what goes on without them: with a wrong policy.yml all are at fault."""
    try:
        return load_campaigns(folder)
    except CampaignError as error:
        faults = tuple(Fault(path.stem, path, str(error)) for path in files(folder))
        return Campaigns({}, Policy(), faults)


def _policy(folder: Path, names: Names) -> Policy:
    path = folder / POLICY
    if not path.exists():
        # Not the same as an empty one: no file must not lift every cap.
        raise CampaignError(
            f"{_told(str(path), folder)}, line 1: it is not there; write one, with `caps: []` if "
            "nothing holds for all campaigns"
        )
    try:
        policy = load_validated(path, Policy, CampaignError)
        check_policy(path, policy, names)
    except CampaignError as error:
        raise CampaignError(_told(str(error), folder)) from None
    return policy


def files(folder: Path) -> list[Path]:
    """The files of campaigns, sorted; templates have their own folder."""
    return sorted(
        path
        for path in folder.rglob("*.y*ml")
        if path.name != POLICY and TEMPLATES not in path.relative_to(folder).parts
    )


def _told(message: str, folder: Path) -> str:
    """With the path as it stands in the project."""
    return message.replace(f"{folder.parent.parent}/", "")


def _named_once(path: Path, folder: Path) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", path.stem):
        raise CampaignError(
            f"{path}, line 1: a campaign is called as its file, in lower case letters, digits "
            "and _; rename the file"
        )
    others = [one for one in files(folder) if one.stem == path.stem and one != path]
    if others:
        raise CampaignError(
            f"{path}, line 1: {others[0].relative_to(folder)} has the same name; rename one"
        )


def _version(campaign: Campaign, policy: Policy, folder: Path) -> str:
    """Of what it does: the file's content, the policy and the words of its templates."""
    told: dict[str, Any] = {
        "campaign": campaign.model_dump(mode="json", by_alias=True),
        "policy": policy.model_dump(mode="json", by_alias=True),
    }
    hashed = hashlib.md5(json.dumps(told, sort_keys=True).encode(), usedforsecurity=False)
    templates = folder / TEMPLATES
    shared = [*templates.glob("*.yml"), *templates.glob("_*/**/*")]
    own = [path for name in templates_of(campaign) for path in (templates / name).rglob("*")]
    for path in sorted({*shared, *own}):
        if path.is_file():
            hashed.update(path.relative_to(templates).as_posix().encode() + path.read_bytes())
    return hashed.hexdigest()[:12]


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas that editors check and complete by, by the names of their files."""
    from orchestration.campaigns.content.declared import Brand, TemplateFile

    shapes: dict[str, type[BaseModel]] = {
        "campaign": Campaign,
        "policy": Policy,
        "template": TemplateFile,
        "brand": Brand,
    }
    return {
        f"{name}.schema.json": {**shape.model_json_schema(), "title": f"Muster {name} file"}
        for name, shape in shapes.items()
    }
