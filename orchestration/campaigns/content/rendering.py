"""A message of a campaign for one person: load once, render many.

Belongs here: values into words. Nothing is looked up: who calls brings traits, payload and
products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from liquid import Markup
from liquid.exceptions import LiquidError

from orchestration.campaigns.content.declared import NOT_SAID, PRODUCT_FIELDS, Brand, Input
from orchestration.campaigns.content.sizes import size_of, told
from orchestration.campaigns.content.words import Words
from orchestration.resources.settings import shown

Values = dict[str, Any]
Products = Mapping[str, Mapping[str, Any]]  # by product_id


class ContentError(ValueError):
    """A message cannot be made for this person; the message says why. Others can be."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. Texts of e-mail bodies are HTML, all others are plain.

    `fallbacks_used` has what stood in for what was missing, by input, and under `locale` the
    language that stood in. `size` is in parts of an sms, else in bytes.
    """

    subject: str | None
    preview: str | None
    body: str
    fallbacks_used: Mapping[str, str]
    size: int
    locale: str
    template: str


@dataclass(frozen=True, slots=True)
class Given:
    """What a message is made of: a person, a candidate's payload, products with a name."""

    profile: Mapping[str, Any]
    payload: Mapping[str, Any]
    products: Products


def values_of(
    inputs: Mapping[str, Input], fallbacks: Mapping[str, str], locale: str, given: Given
) -> tuple[Values, dict[str, str]]:
    """Each input's value, and the fallbacks among them.

    Raises:
        ContentError: one is missing that is required.
    """
    values: Values = {}
    used: dict[str, str] = {}
    for name, declared in inputs.items():
        value = _found(declared, given)
        if value is None and declared.required:
            raise ContentError(f"{name} is required, and {_lacking(declared)}")
        if value is None:
            used[name] = fallbacks.get(name, declared.fallback_of(locale))
            value = [] if declared.source == "products" else used[name]
        elif declared.most and isinstance(value, list):
            value = value[: declared.most]
        values[name] = value
    return values, used


def _lacking(declared: Input) -> str:
    if declared.source == "products":
        return "none of the payload's product_ids is a product with a name"
    return f"{declared.source} is empty"


def _found(declared: Input, given: Given) -> Any:
    """The value; None if there is none, or nothing but white space."""
    if declared.source == "products":
        ids = given.payload.get("product_ids") or []
        found = (given.products.get(one) for one in dict.fromkeys(ids))
        return [one for one in found if one] or None
    kind, *keys = declared.source.split(".")
    value: Any = given.profile if kind == "profile" else given.payload
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        value = " ".join(value.split())  # a name brings no line of its own into a header
    if isinstance(value, Mapping):
        raise ContentError(f"{declared.source} is an object; let the input name a field of it")
    return None if value in ("", []) else value


def named_products(ids: Any, products: Products, brand: Brand) -> dict[str, dict[str, Any]]:
    """Those of the ids that have a name; with all fields, None where one lacks, and a link."""
    found = {}
    for product_id in ids or []:
        given = products.get(product_id) or {}
        if not str(given.get("name") or "").strip():
            continue
        one = {name: given.get(name) for name in PRODUCT_FIELDS}
        one["product_id"] = product_id
        # What is no web address, such as a script, is not put into a link.
        if not str(one["url"] or "").startswith(("https://", "http://")):
            one["url"] = brand.product_url.replace("{product_id}", quote(product_id, safe=""))
        found[product_id] = one
    return found


def brand_of(brand: Brand, profile_id: str) -> dict[str, str]:
    """What words can say of the brand, links filled in for a person."""
    told_of = brand.model_dump(exclude=set(NOT_SAID))
    link = brand.unsubscribe_url.replace("{profile_id}", quote(profile_id, safe=""))
    return {**told_of, "unsubscribe_url": link}


def fill(words: Words, channel: str, limit: int, values: Values) -> tuple[dict[str, str], int]:
    """The parts with values in them, and their size.

    Args:
        words: of one locale.
        channel: of the template.
        limit: of the size.
        values: by name, `brand` and `locale` among them.

    Raises:
        ContentError: it is too large, or Liquid cannot do what the words say with these values.
    """
    made: dict[str, str] = {}
    for name, part in words.parts.items():
        given = values if name != "layout" else _within_layout(values, made)
        try:
            text = part.render(given)
        except LiquidError as error:
            index = error.token.start_index if error.token else 0
            place = words.place(str(error.template_name or name), index)
            raise ContentError(f"{place}: {error.message}") from None
        is_html = channel == "email" and name in ("body", "layout")
        made[name] = text if is_html else _plain(text, name)
    made["body"] = made.pop("layout", made["body"])
    # Of e-mail it is the HTML that is clipped; heads are no part of it.
    size = size_of(channel, *([made["body"]] if channel == "email" else made.values()))
    if size > limit:
        raise ContentError(
            f"{shown(words.path)}: the message has {told(channel, size)}, more than "
            f"{told(channel, limit)}; shorten it"
        )
    return made, size


def _within_layout(values: Values, made: Mapping[str, str]) -> Values:
    heads = {name: made[name] for name in ("subject", "preview")}
    always = {name: values[name] for name in ("brand", "locale")}
    return {**always, **heads, "content": Markup(made["body"])}


def _plain(text: str, name: str) -> str:
    """Heads are one line; bodies keep their lines, without white space around them."""
    if name != "body":
        return " ".join(text.split())
    return "\n".join(line.strip() for line in text.strip().splitlines())
