"""Made-up values for inputs, to try templates with and to show them where nothing real is there."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from orchestration.campaigns.content.declared import Input

_NUMBERS = ("count", "value", "score", "days", "milestone", "hour", "depth", "share", "seconds")
_WORDS = {"first_name": "Alex", "last_name": "Morgan", "top_category": "garden",
          "category": "garden", "top_brand": "Ostra", "city": "Berlin"}  # fmt: skip
PRODUCTS: dict[str, dict[str, Any]] = {
    f"sample-{number}": {"name": name, "category": "garden", "brand": "Ostra", "price": price,
                         "currency": "EUR"}
    for number, (name, price) in enumerate(
        [("Oak Planter", 14.95), ("Linen Hose", 245.95), ("Bird House", 60.95), ("Rake", 8.95)], 1
    )
}  # fmt: skip


def sample_of(key: str) -> Any:
    """A plausible value of a trait or a field."""
    if key.endswith(("_at", "_date")):
        return datetime(2026, 10, 30, 18, 0)  # noqa: DTZ001 (UTC, as all stored times)
    if any(word in key for word in _NUMBERS):
        return 10
    return _WORDS.get(key, key.replace("_", "-"))


def sample_payload(inputs: Iterable[Input]) -> dict[str, Any]:
    """A payload with all that these inputs take from one."""
    payload: dict[str, Any] = {"product_ids": list(PRODUCTS)}
    for one in inputs:
        kind, *keys = one.source.split(".")
        if kind != "payload" or keys == ["product_ids"]:
            continue
        inner = payload
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = sample_of(keys[-1])
    return payload


def sample_profile(inputs: Iterable[Input]) -> dict[str, Any]:
    """A profile with all that these inputs take from one."""
    keys = [one.source.removeprefix("profile.") for one in inputs if one.source.startswith("p")]
    found = {key: sample_of(key) for key in keys if "." not in key and key != "products"}
    return {"profile_id": "p_00000000000000000000", **found}
