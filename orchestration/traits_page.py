"""Writes docs/traits.md from profile_traits.yml: `python -m orchestration.traits_page`.

The YAML is their one home; a test says so when the page is not written anew.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "traits.md"
DEFINITIONS = DBT_PROJECT / "models" / "marts" / "profiles" / "profile_traits.yml"
DEFINED = ("formula", "window", "unit", "source")
"""What each trait says of itself under `config: meta:`."""

_WINDOWED = re.compile(r"(.+)_(1|7|30|90|365)d")
_ABOUT = """# Traits

What is known of each profile: the columns of `marts.profile_traits` and of the published table
`profiles`. Written by `python -m orchestration.traits_page` from
[profile_traits.yml](../dbt_project/models/marts/profiles/profile_traits.yml); thresholds such as
`affinity_points` are in [parameters.yml](../dbt_project/parameters.yml).

- **A window of N days** is the UTC day of `as_of` as far as it has gone and the N - 1 days before
  it. Segments that speak of hours or exact times look at sessions and carts themselves.
- **Events received more than `late_event_days` after they happened** count nowhere; they are in
  `int_events_too_late`. What merely landed late counts as if it had been there before.
- **A refund** is taken off the day of its order, as soon as it is known.
- **Order of arrival changes nothing**, and a build that goes on from an older one gives the rows of
  a rebuild: profiles whose events, thresholds or SQL changed are computed anew as a whole.
"""


def columns() -> list[Mapping[str, Any]]:
    """The columns of profile_traits as its YAML describes them."""
    (model,) = yaml.safe_load(DEFINITIONS.read_text())["models"]
    return list(model["columns"])


def definition(column: Mapping[str, Any]) -> Mapping[str, str]:
    """Formula, window, unit and source of a trait; what is missing is not in it."""
    meta: Mapping[str, str] = column.get("config", {}).get("meta", {})
    return meta


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _row(column: Mapping[str, Any]) -> tuple[str, ...]:
    meta = definition(column)
    return (f"`{column['name']}`", column["description"], *(f"{meta[key]}" for key in DEFINED))


def page() -> str:
    """The page as it should be. Traits that differ only in their window share a row."""
    single: list[tuple[str, ...]] = []
    windowed: dict[str, tuple[str, ...]] = {}
    names = {column["name"] for column in columns()}
    for column in columns():
        found = _WINDOWED.fullmatch(column["name"])
        if found and f"{found[1]}_1d" in names:
            of_day = column["description"].replace(", on the day of as_of; 0 without any.", "")
            meta = definition(column)
            row = (f"`{found[1]}_Nd`", of_day, meta["formula"], meta["unit"], meta["source"])
            windowed.setdefault(found[1], row)
        else:
            single.append(_row(column))
    parts = [
        _ABOUT,
        "## By window\n\nEach for N = 1, 7, 30, 90 and 365 days; 0 without any.\n",
        _table(("trait", "meaning", "formula", "unit", "source"), list(windowed.values())),
        "\n## All others\n",
        _table(("trait", "meaning", *DEFINED), single),
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
