"""`dbt_project/campaigns/templates/`: a folder for each template, shared blocks, and the brand.

A template that is wrong is a fault of the campaigns that use it, and of no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.campaigns.content import samples
from orchestration.campaigns.content.checks import check_words
from orchestration.campaigns.content.declared import Brand, TemplateFile
from orchestration.campaigns.content.rendering import (
    ContentError,
    Given,
    brand_of,
    fill,
    named_products,
    values_of,
)
from orchestration.campaigns.content.words import TemplateError, Words, blocks_of, read_words
from orchestration.campaigns.fields import Campaign
from orchestration.campaigns.names import CampaignError, templates_of
from orchestration.near import did_you_mean
from orchestration.resources.settings import DBT_PROJECT
from orchestration.yaml_files import line_of, load_validated

FALLBACK = "en"
_BLOCKS, _BRAND, _FILE = "_blocks", "brand.yml", "template.yml"


@dataclass(frozen=True)
class Template:
    """What a folder holds: declarations, and words by locale, `en` always among them."""

    name: str
    file: TemplateFile
    words: Mapping[str, Words]


@dataclass(frozen=True)
class Templates:
    """All folders as far as they can be used; `errors` says why others cannot."""

    found: Mapping[str, Template]
    errors: Mapping[str, str]
    brand: Brand | None = field(default=None)

    def check(self, path: Path, campaign: Campaign) -> None:
        """That a campaign's templates can be used, and for its channel.

        Raises:
            CampaignError: one cannot be; the message names file, line and cure.
        """
        inputs: set[str] = set()
        for name in templates_of(campaign):
            if name in self.errors:
                raise CampaignError(self.errors[name])
            file = self.found[name].file
            if file.channel != campaign.channel:
                raise CampaignError(
                    f"{path}, line {line_of(path, 'channel')}: the channel is {campaign.channel}, "
                    f"and template {name} is for {file.channel}; name another"
                )
            inputs |= {one for one, given in file.inputs.items() if not given.required}
        for name in campaign.fallbacks:
            if name not in inputs:
                line = line_of(path, "fallbacks", name)
                there = f"; there are {', '.join(sorted(inputs)) or 'none'}"
                raise CampaignError(
                    f"{path}, line {line}: no template of the campaign has an input '{name}' that "
                    f"may be missing{did_you_mean(name, inputs, there)}"
                )


def load_templates(folder: Path, traits: Path = DBT_PROJECT) -> Templates:
    """All templates of a folder, parsed, checked and tried with made-up values.

    Args:
        folder: `templates/`.
        traits: the dbt project whose traits profiles have.
    """
    from orchestration.campaigns.content.traits import traits_of

    if not folder.is_dir():
        return Templates({}, {})
    names = sorted(path.name for path in folder.glob("*/") if not path.name.startswith("_"))
    try:
        brand = load_validated(folder / _BRAND, Brand, TemplateError)
    except TemplateError as error:
        return Templates({}, dict.fromkeys(names, str(error)))
    found, errors = {}, {}
    known = traits_of(traits)
    for name in names:
        try:
            found[name] = _load(folder / name, folder / _BLOCKS, brand, known)
        except TemplateError as error:
            errors[name] = str(error)
    return Templates(found, errors, brand)


def _load(folder: Path, blocks: Path, brand: Brand, traits: frozenset[str]) -> Template:
    path = folder / _FILE
    file = load_validated(path, TemplateFile, TemplateError)
    for name, given in file.inputs.items():
        trait = given.source.removeprefix("profile.")
        if given.source.startswith("profile.") and trait not in traits:
            line = line_of(path, "inputs", name)
            near = did_you_mean(trait, traits, "; docs/traits.md lists them")
            raise TemplateError(f"{path}, line {line}: profiles have no trait '{trait}'{near}")
    texts = {one.stem: one for one in sorted(folder.glob("*.liquid"))}
    if FALLBACK not in texts:
        raise TemplateError(f"{folder}: there is no {FALLBACK}.liquid, for all other languages")
    words = {}
    for locale, text in texts.items():
        translations = brand.words.get(locale, {})
        words[locale] = read_words(text, file.channel, blocks_of(blocks, locale), translations)
        check_words(words[locale], file.inputs, f"{folder.name}/{_FILE}")
        _try(words[locale], file, brand)
    return Template(folder.name, file, words)


def _try(words: Words, file: TemplateFile, brand: Brand) -> None:
    """With all values, and with none that may be missing.

    Raises:
        TemplateError: what is made cannot be sent.
    """
    inputs = file.inputs
    needed = [one for one in inputs.values() if one.required]
    products = named_products(samples.PRODUCTS, samples.PRODUCTS, brand)
    for given in (list(inputs.values()), needed):
        profile: dict[str, Any] = samples.sample_profile(given)
        payload = samples.sample_payload(given)
        if not any(one.source == "products" for one in given):
            payload.pop("product_ids")
        try:
            values, _ = values_of(inputs, {}, words.path.stem, Given(profile, payload, products))
            values |= {"brand": brand_of(brand, profile["profile_id"]), "locale": words.path.stem}
            fill(words, file.channel, file.limit, values)
        except ContentError as error:
            raise TemplateError(str(error)) from None
