"""`--set NAME=VALUE`: another campaign, policy or threshold, to be compared with the files.

NAME is a field of the campaign (`holdout`, `caps.0.limit`), `cap` for the limit of all its caps,
`policy.` with a field of policy.yml, or a threshold of parameters.yml. VALUE is YAML.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from orchestration.campaigns.definitions import FOLDER, Campaigns, Defined
from orchestration.campaigns.fields import Campaign, Policy
from orchestration.campaigns.names import CampaignError, Names, check_names, check_policy
from orchestration.near import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_POLICY = "policy."


@dataclass(frozen=True)
class Changed:
    """Campaigns as they would be, and thresholds that are not those of parameters.yml."""

    campaigns: Campaigns
    parameters: Mapping[str, Any] = field(default_factory=dict)


def change(
    campaigns: Campaigns,
    name: str,
    said: Mapping[str, Any],
    thresholds: Mapping[str, Any],
    folder: Path = FOLDER,
) -> Changed:
    """The campaigns with what was said.

    Args:
        campaigns: as loaded.
        name: of the campaign whose fields are meant.
        said: values by NAME.
        thresholds: those that parameters.yml has.
        folder: of the campaigns.

    Raises:
        CampaignError: there is no such field or threshold, or the value does not fit.
    """
    defined = campaigns.of(name)
    own = _plain(defined.campaign)
    policy = _plain(campaigns.policy)
    parameters = {}
    for key, value in said.items():
        first = key.partition(".")[0]
        if key.startswith(_POLICY):
            _put(policy, key.removeprefix(_POLICY), value, key, Policy)
        elif key == "cap":
            _all_caps(own, value, name)
        elif first in Campaign.model_fields:
            _put(own, key, value, key, Campaign)
        elif key in thresholds:
            parameters[key] = value
        else:
            known = {"cap", *Campaign.model_fields, *thresholds,
                     *(f"{_POLICY}{one}" for one in Policy.model_fields)}  # fmt: skip
            raise CampaignError(
                f"--set {key}: neither a field of a campaign, nor policy.FIELD, nor a threshold of "
                f"parameters.yml{did_you_mean(key, known)}"
            )
    names = Names(folder)
    campaign = _validated(Campaign, own, said)
    new_policy = _validated(Policy, policy, said)
    try:
        check_names(defined.path, campaign, names)
        check_policy(folder / "policy.yml", new_policy, names)
    except CampaignError as error:
        raise CampaignError(f"--set: {re.sub(r'^.*?, line [0-9]+: ', '', str(error))}") from None
    made = {**campaigns.defined, name: Defined(name, defined.path, campaign, defined.version)}
    return Changed(replace(campaigns, defined=made, policy=new_policy), parameters)


def _plain(model: BaseModel) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(model.model_dump_json(by_alias=True, exclude_unset=True))
    return told


def _all_caps(own: dict[str, Any], value: object, name: str) -> None:
    if not own.get("caps"):
        raise CampaignError(
            f"--set cap={value}: {name} has no caps; say which, such as "
            f"--set 'caps=[{{counts: campaign, limit: {value}, within: 7d}}]'"
        )
    for cap in own["caps"]:
        cap["limit"] = value


def _put(into: dict[str, Any], path: str, value: object, key: str, model: type[BaseModel]) -> None:
    *outer, last = path.split(".")
    place: Any = into
    for part in outer:
        place = _entry(place, part, key)
    if isinstance(place, list):
        _entry(place, last, key)
        place[int(last)] = value
    elif isinstance(place, dict):
        known = model.model_fields
        if not outer and last not in known:
            raise CampaignError(f"--set {key}: there is no such field{did_you_mean(last, known)}")
        place[last] = value
    else:
        raise CampaignError(f"--set {key}: {'.'.join(outer)} has no fields")


def _entry(place: Any, part: str, key: str) -> Any:
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    if isinstance(place, dict) and place.get(part) is not None:
        return place[part]
    if isinstance(place, list):
        raise CampaignError(f"--set {key}: there is no {part} of {len(place)}, counted from 0")
    raise CampaignError(f"--set {key}: there is no {part} yet; set it as a whole")


def _validated(model: type[Model], raw: dict[str, Any], said: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        told = ", ".join(f"{key}={value}" for key, value in said.items())
        raise CampaignError(f"--set {told}: {where + ': ' if where else ''}{message}") from None
