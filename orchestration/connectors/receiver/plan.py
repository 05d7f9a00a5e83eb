"""What is wrong with an event by the tracking plan: told to the sender, decided in staging.

A violation is no reason to refuse an event, unless the receiver is strict: staging quarantines it
with its reason, so that it can be repaired.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from orchestration.connectors.contract import entities
from orchestration.connectors.receiver.events import SEGMENT, Event, Shape

PlanCheck = Callable[[Mapping[str, object]], list[str]]
"""From an event in the columns of `web.events` to the reasons why it breaks the plan."""

Plan = Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]]
"""{event name: {"properties": {name: {"type": ..., "required": ...}}}}."""

# Names of Segment's e-commerce specification (Segment documentation, "V2 Ecommerce Events").
_SEGMENT_NAMES = {
    "product_viewed": "product_view",
    "product_list_viewed": "category_view",
    "products_searched": "search",
    "product_added": "add_to_cart",
    "product_removed": "remove_from_cart",
    "product_added_to_wishlist": "wishlist_add",
    "checkout_started": "checkout_start",
    "order_completed": "purchase",
}


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def _is_integer(value: object) -> bool:
    # Not by `% 1`, which fails on 1e999.
    return _is_number(value) and (exact := Decimal(str(value))) == exact.to_integral_value()


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "text": ("a text", lambda value: isinstance(value, str | int | float)),
    "number": ("a number", _is_number),
    "integer": ("an integer", _is_integer),
    "boolean": ("a boolean", lambda value: str(value).lower() in ("true", "false")),
    "time": ("a time", _is_time),
    "url": ("an address", lambda value: bool(re.match(r"https?://\S+$", str(value)))),
}


@dataclass(frozen=True)
class PlanChecker:
    """A `PlanCheck` over a plan that was read before."""

    plan: Plan

    def __call__(self, event: Mapping[str, object]) -> list[str]:
        """The reasons, in the order of the plan."""
        reasons = []
        if not _is_time(event.get("occurred_at")):
            reasons.append("occurred_at is missing or no time")
        name = event.get("name")
        known = self.plan.get(name.strip().lower()) if isinstance(name, str) else None
        if known is None:
            return [*reasons, "name is not in the tracking plan"]
        for item, rule in known.get("properties", {}).items():
            value = _value(event, item)
            if value in (None, ""):
                if rule.get("required"):
                    reasons.append(f"required property {item} is missing")
                continue
            what, holds = _TYPES[str(rule.get("type", "text"))]
            if not holds(value):
                reasons.append(f"{item} is not {what}")
        return reasons


def _value(event: Mapping[str, object], name: str) -> object:
    """A column of the contract, or what stands under `properties`."""
    if name in entities()["web_events"].columns:
        return event.get(name)
    properties = event.get("properties")
    return properties.get(name) if isinstance(properties, dict) else None


def _plain(message: Event) -> dict[str, object] | None:
    """A Segment message in the columns of `web.events`, as far as the plan asks; None: no event."""
    given = message.get("properties")
    properties: dict[str, object] = given if isinstance(given, dict) else {}
    columns = {
        **properties,
        "properties": properties,
        "search_query": properties.get("query"),
        "page_url": properties.get("url"),
        "occurred_at": message.get("timestamp"),
    }
    kind = message.get("type")
    if kind in ("page", "screen"):
        return {**columns, "name": "page_view"}
    if kind != "track":
        return None
    name = re.sub(r"[\s-]+", "_", str(message.get("event") or "").strip().lower())
    return {**columns, "name": _SEGMENT_NAMES.get(name, name)}


def violations(events: list[Event], shape: Shape, check: PlanCheck) -> list[dict[str, object]]:
    """One entry for each reason: the event's index in the request, its name and the reason."""
    found: list[dict[str, object]] = []
    for index, event in enumerate(events):
        columns = _plain(event) if shape is SEGMENT else event
        if columns is None:
            continue
        name = event.get("event") or event.get("type") if shape is SEGMENT else event.get("name")
        told = str(name)[:100] if name is not None else None
        found += [{"index": index, "name": told, "reason": reason} for reason in check(columns)]
    return found
