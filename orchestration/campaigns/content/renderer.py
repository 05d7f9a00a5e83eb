"""Messages of campaigns: which template, which language, which values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.campaigns.content.declared import Brand
from orchestration.campaigns.content.rendering import (
    ContentError,
    Given,
    Message,
    Products,
    brand_of,
    fill,
    named_products,
    values_of,
)
from orchestration.campaigns.content.templates import FALLBACK, Template, Templates, load_templates
from orchestration.campaigns.definitions import FOLDER, Campaigns, load_campaigns
from orchestration.campaigns.fields import Campaign
from orchestration.campaigns.names import TEMPLATES, CampaignError


def load_renderer(folder: Path = FOLDER, campaigns: Campaigns | None = None) -> "Renderer":
    """A renderer of all campaigns of a folder.

    Raises:
        CampaignError: policy.yml is wrong.
    """
    return Renderer(campaigns or load_campaigns(folder), load_templates(folder / TEMPLATES))


@dataclass(frozen=True)
class Renderer:
    """Renders messages; loaded once, it is the same for all of them."""

    campaigns: Campaigns
    templates: Templates

    def render(  # noqa: PLR0913, PLR0917 (a message is of all of these)
        self,
        campaign: str,
        step: str | None,
        variant: str | None,
        profile: Mapping[str, Any],
        payload: Mapping[str, Any] | str | None,
        products: Products,
        locale: str | None = None,
    ) -> Message:
        """One message.

        Args:
            campaign: its name.
            step: name of a step, where the campaign has steps.
            variant: name of a variant, where it has variants.
            profile: traits by name, `profile_id` among them.
            payload: of the candidate, as an object or as JSON; None of a segment's member.
            products: by product_id, with some of name, category, brand, price, currency, url.
            locale: such as de; left out, that of the profile's country.

        Raises:
            CampaignError: there is no such campaign, step or variant.
            ContentError: it cannot be made for this person.
        """
        brand = self._brand()
        defined = self.campaigns.of(campaign).campaign
        template = self.templates.found[template_of(campaign, defined, step, variant)]
        wanted = locale or self._locale(profile)
        spoken = wanted if wanted in template.words else FALLBACK
        inputs, told = template.file.inputs, _object(payload)
        named = named_products(told.get("product_ids"), products, brand)
        values, used = values_of(inputs, defined.fallbacks, spoken, Given(profile, told, named))
        values["brand"] = brand_of(brand, str(profile.get("profile_id") or ""))
        values["locale"] = spoken
        made, size = fill(
            template.words[spoken], template.file.channel, template.file.limit, values
        )
        if spoken != wanted:
            used["locale"] = spoken
        return Message(
            subject=made.get("subject"),
            preview=made.get("preview"),
            body=made["body"],
            fallbacks_used=used,
            size=size,
            locale=spoken,
            template=template.name,
        )

    def template(self, campaign: str, step: str | None, variant: str | None) -> Template:
        """The template of a step and variant."""
        defined = self.campaigns.of(campaign).campaign
        return self.templates.found[template_of(campaign, defined, step, variant)]

    def _brand(self) -> Brand:
        if self.templates.brand is None:
            raise CampaignError("there is no templates/brand.yml")
        return self.templates.brand

    def _locale(self, profile: Mapping[str, Any]) -> str:
        country = str(profile.get("country") or "").upper()
        return self._brand().locales.get(country, FALLBACK)


def template_of(name: str, campaign: Campaign, step: str | None, variant: str | None) -> str:
    """The name of the template of a step and variant: theirs, else the campaign's.

    Raises:
        CampaignError: the campaign has no such step or variant.
    """
    steps = {one.name: one.template for one in campaign.steps or []}
    variants = {one: given.template for one, given in (campaign.variants or {}).items()}
    for kind, said, there in (("step", step, steps), ("variant", variant, variants)):
        if said is not None and said not in there:
            known = ", ".join(there) or "none"
            raise CampaignError(f"{name} has no {kind} '{said}'; there are {known}")
    named = (variants.get(variant) if variant else None) or (steps.get(step) if step else None)
    return named or campaign.template


def _object(payload: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            raise ContentError("the payload is no JSON") from None
    if payload is None:
        return {}
    if not isinstance(payload, Mapping):
        raise ContentError("the payload is no JSON object")
    return payload
