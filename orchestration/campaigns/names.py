"""What a campaign may refer to, by the files of the project, and what it refers to in vain.

Belongs here: segments, triggers, templates and events by name. What they are made of belongs to
their own rooms.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import yaml

from orchestration.campaigns.fields import Campaign, Policy
from orchestration.near import did_you_mean
from orchestration.rendering.places import FileError
from orchestration.rendering.project import SEGMENTS, Model
from orchestration.yaml_files import line_of

TEMPLATES = "templates"


class CampaignError(ValueError):
    """A campaign cannot be used as it is; the message names the file, the line and the cure."""


class Names:
    """Of one project, whose campaigns are in `folder`; each kind is looked up once."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.parent
        self._folder = folder

    def _models(self, folder: str, prefix: str) -> dict[str, Path]:
        paths = sorted((self._root / "models" / folder).rglob(f"{prefix}*.sql"))
        return {path.stem.removeprefix(prefix): path for path in paths}

    @cached_property
    def triggers(self) -> list[str]:
        """Of models trg_<name>."""
        return list(self._models("marts/triggers", "trg_"))

    @cached_property
    def segments(self) -> list[str]:
        """Of models seg_<name>, also of those that have one segment for each tag."""
        return list(self._models(SEGMENTS, "seg_"))

    @cached_property
    def tagged(self) -> list[str]:
        """Of models that have one segment for each tag, such as interested_in_shoes."""
        models = self._models(SEGMENTS, "seg_")
        return [name for name, path in models.items() if _has_tags(path)]

    @cached_property
    def templates(self) -> list[str]:
        """Folders of templates/; shared blocks begin with an underscore."""
        found = (self._folder / TEMPLATES).glob("*/")
        return sorted(path.name for path in found if not path.name.startswith("_"))

    @cached_property
    def events(self) -> list[str]:
        """Events of the tracking plan, and `order` for what the shop knows."""
        plan = yaml.safe_load((self._root / "tracking_plan.yml").read_text(encoding="utf-8"))
        return ["order", *sorted(plan.get("events") or {})]


def _has_tags(path: Path) -> bool:
    try:
        return bool(Model(path.stem, path, SEGMENTS, {}).column("tag"))
    except FileError:
        return False  # that segment is held, and no reason to stop campaigns


def templates_of(campaign: Campaign) -> list[str]:
    """Names of the templates that it may use, sorted."""
    named = [step.template for step in campaign.steps or []]
    named += [variant.template for variant in (campaign.variants or {}).values()]
    return sorted({campaign.template, *(one for one in named if one)})


def check_names(path: Path, campaign: Campaign, names: Names) -> None:
    """That there is all that it names.

    Raises:
        CampaignError: something is not there.
    """
    audience = campaign.audience
    if audience.trigger:
        _known(path, audience.trigger, names.triggers, "trigger", "audience", "trigger")
    if audience.segment:
        _known_segment(path, audience.segment, names, "audience", "segment")
    for number, segment in enumerate(campaign.exclude):
        _known_segment(path, segment, names, "exclude", str(number))
    _known(path, campaign.template, names.templates, "template", "template")
    for number, step in enumerate(campaign.steps or []):
        if step.template:
            keys = ("steps", str(number), "template")
            _known(path, step.template, names.templates, "template", *keys)
    for name, variant in (campaign.variants or {}).items():
        if variant.template:
            keys = ("variants", name, "template")
            _known(path, variant.template, names.templates, "template", *keys)
    if campaign.conversion:
        _known(path, campaign.conversion.event, names.events, "event", "conversion", "event")


def check_policy(path: Path, policy: Policy, names: Names) -> None:
    """That there are the segments that policy.yml excludes.

    Raises:
        CampaignError: one is not there.
    """
    for number, segment in enumerate(policy.exclude):
        _known_segment(path, segment, names, "exclude", str(number))


def _known_segment(path: Path, name: str, names: Names, *keys: str) -> None:
    if name in names.tagged:
        line = line_of(path, *keys)
        raise CampaignError(
            f"{path}, line {line}: {name} has a segment for each tag; name one: {name}_<tag>"
        )
    if not any(name.startswith(f"{one}_") for one in names.tagged):
        _known(path, name, names.segments, "segment", *keys)


def _known(path: Path, name: str, there: Iterable[str], kind: str, *keys: str) -> None:
    if name not in there:
        all_of_them = f"; there are {', '.join(there)}" if there else f"; there is no {kind} yet"
        raise CampaignError(
            f"{path}, line {line_of(path, *keys)}: there is no {kind} '{name}'"
            f"{did_you_mean(name, there, all_of_them)}"
        )
