"""What a campaign would say to somebody: every step and variant, from the newest build.

Belongs here: who, which payload, which products. How it is shown is show_preview.py and
preview_page.py.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.campaigns.content.declared import Input
from orchestration.campaigns.content.renderer import Renderer, load_renderer
from orchestration.campaigns.content.rendering import ContentError, Given, Message
from orchestration.campaigns.content.samples import sample_payload
from orchestration.campaigns.definitions import FOLDER, CampaignError, Defined
from orchestration.campaigns.people import (
    TRAITS,
    newest_moment,
    person_of,
    products_of,
    traits_of,
)
from orchestration.resources.settings import Settings
from orchestration.resources.warehouse import open_to_read

if TYPE_CHECKING:
    import duckdb

_NEEDED = "published.trigger_candidates"  # which a build makes last
_MADE_UP = 3  # products of a payload that is made up


@dataclass(frozen=True)
class Shown:
    """One message, or why there is none."""

    title: str  # the step and variant
    template: str
    message: Message | None
    problem: str = ""


@dataclass(frozen=True)
class Preview:
    """A campaign to one person; `about` says who it is and where the payload is from."""

    campaign: Defined
    profile_id: str
    as_of: datetime
    about: tuple[str, ...]
    shown: tuple[Shown, ...]


@dataclass(frozen=True)
class _Person:
    profile_id: str
    about: str
    payload: Mapping[str, Any] | None  # of a real candidate


def preview(
    settings: Settings, name: str, profile: str = "", locale: str = "", folder: Path = FOLDER
) -> Preview:
    """A campaign's messages to somebody.

    Args:
        settings: where the warehouse is.
        name: of the campaign.
        profile: an id or any identifier; empty picks somebody who has a candidate.
        locale: such as de; empty, that of the person's country.
        folder: of the campaigns.

    Raises:
        CampaignError: no such campaign, or it is at fault.
        NotExplainedError: no such profile.
        WarehouseError: nothing is built yet, or a build writes it.
    """
    renderer = load_renderer(folder)
    defined = renderer.campaigns.of(name)
    locales = {one for template in _templates(renderer, defined) for one in template}
    if locale and locale not in locales:
        raise CampaignError(f"{name} has no words in '{locale}'; there are {_in_words(locales)}")
    with open_to_read(settings.warehouse, _NEEDED) as connection:
        person = _named(connection, defined, profile) if profile else _picked(connection, defined)
        traits = traits_of(connection, [person.profile_id])[person.profile_id]
        payload = person.payload
        about = [person.about]
        if payload is None:
            payload = _made_up(connection, renderer, defined, traits)
            if defined.campaign.audience.trigger:
                about.append("The payload is made up, as there is no candidate to take one from.")
        products = products_of(connection, payload.get("product_ids") or [])
        as_of = newest_moment(connection)
    shown = tuple(_shown(renderer, defined, Given(traits, payload, products), locale))
    return Preview(defined, person.profile_id, as_of, tuple(about), shown)


def combinations(defined: Defined) -> Iterator[tuple[str | None, str | None]]:
    """Each step with each variant; None where a campaign has none."""
    campaign = defined.campaign
    steps: list[str | None] = [one.name for one in campaign.steps or []]
    variants: list[str | None] = list(campaign.variants or {})
    for step in steps or [None]:
        for variant in variants or [None]:
            yield step, variant


def _templates(renderer: Renderer, defined: Defined) -> Iterator[set[str]]:
    for step, variant in combinations(defined):
        yield set(renderer.template(defined.name, step, variant).words)


def _in_words(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _inputs(renderer: Renderer, defined: Defined) -> Iterator[Input]:
    for step, variant in combinations(defined):
        yield from renderer.template(defined.name, step, variant).file.inputs.values()


def _shown(renderer: Renderer, defined: Defined, given: Given, locale: str) -> Iterator[Shown]:
    afters = {one.name: one.after for one in defined.campaign.steps or []}
    weights = {name: one.weight for name, one in (defined.campaign.variants or {}).items()}
    for step, variant in combinations(defined):
        parts = [f"step {step}, after {afters[step]}"] if step else []
        parts += [f"variant {variant}, {weights[variant]:g}%"] if variant else []
        title = "; ".join(parts) or "the message"
        template = renderer.template(defined.name, step, variant).name
        try:
            message = renderer.render(
                defined.name,
                step,
                variant,
                given.profile,
                given.payload,
                given.products,
                locale or None,
            )
        except ContentError as error:
            yield Shown(title, template, None, str(error))
        else:
            yield Shown(title, template, message)


def _named(connection: "duckdb.DuckDBPyConnection", defined: Defined, value: str) -> _Person:
    profile_id, _ = person_of(connection, value)
    trigger = defined.campaign.audience.trigger
    candidate = _candidate(connection, trigger, profile_id) if trigger else None
    return candidate or _Person(profile_id, f"To {profile_id}.", None)


def _picked(connection: "duckdb.DuckDBPyConnection", defined: Defined) -> _Person:
    """Somebody whom the campaign is about, else anybody."""
    audience = defined.campaign.audience
    if audience.trigger:
        candidate = _candidate(connection, audience.trigger, None)
        if candidate:
            return candidate
    row = connection.execute(
        "select min(profile_id) from published.segment_memberships where segment = ?",
        [audience.segment],
    ).fetchone()
    if row and row[0]:
        return _Person(row[0], f"To {row[0]}, picked here: one of {audience.segment}.", None)
    row = connection.execute(f"select min(profile_id) from {TRAITS}").fetchone()
    if not row or not row[0]:
        raise CampaignError("there are no profiles in the newest build; load some data first")
    what = f"no candidate of {audience.trigger}"
    if audience.segment:
        what = f"nobody in {audience.segment}"
    return _Person(row[0], f"To {row[0]}, picked here, as there is {what} now.", None)


def _candidate(
    connection: "duckdb.DuckDBPyConnection", trigger: str, profile_id: str | None
) -> _Person | None:
    """The newest candidate, of a profile or of anybody."""
    row = connection.execute(
        """select profile_id, payload, occurred_at from published.trigger_candidates
        where trigger_name = ? and (? is null or profile_id = ?)
        order by available_at desc, occurrence_key, profile_id limit 1""",
        [trigger, profile_id, profile_id],
    ).fetchone()
    if row is None:
        return None
    picked = "" if profile_id else ", picked here"
    about = f"To {row[0]}{picked}: the candidate of {trigger} of {row[2]:%Y-%m-%d %H:%M} UTC."
    return _Person(row[0], about, json.loads(row[1] or "{}"))


def _made_up(
    connection: "duckdb.DuckDBPyConnection",
    renderer: Renderer,
    defined: Defined,
    traits: Mapping[str, Any],
) -> dict[str, Any]:
    """A plausible payload, with true products: of the person's favourite category, if there is one.

    A member of a segment has none.
    """
    if defined.campaign.audience.segment:
        return {}
    payload = sample_payload(_inputs(renderer, defined))
    rows = connection.execute(
        """select product_id, category from staging.stg_shop__products where name is not null
        order by category is not distinct from ? desc, product_id limit ?""",
        [traits.get("top_category"), _MADE_UP],
    ).fetchall()
    payload["product_ids"] = [row[0] for row in rows]
    if "category" in payload and rows:
        payload["category"] = rows[0][1]
    return payload
