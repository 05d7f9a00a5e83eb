"""How the published tables came to be what they are, and whether the models still keep to it.

`dbt_project/published_changelog.yml` holds, for each model and version, the columns it began with
and those that were added since, with date and words. A reader's query must not break without a
warning, so a column of a version is never taken away, renamed or given another type: that is a new
version, beside which the old one stays until its deprecation date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from orchestration.publication.contract import Columns, Contract


@dataclass(frozen=True)
class Entry:
    """One change of one version: the columns that it brought."""

    model: str
    version: int
    changed_on: date
    words: str
    columns: Columns


def read_changelog(file: Path) -> list[Entry]:
    """Its entries as they stand: by model, the oldest first."""
    raw: Mapping[str, list[Mapping[str, Any]]] = yaml.safe_load(file.read_text())
    return [
        Entry(model, one["version"], one["date"], one["change"], dict(one["columns"] or {}))
        for model, entries in raw.items()
        for one in entries
    ]


def promised(entries: list[Entry]) -> dict[tuple[str, int], Columns]:
    """All columns of each model and version, what was added later too."""
    found: dict[tuple[str, int], Columns] = {}
    for entry in entries:
        found.setdefault((entry.model, entry.version), {}).update(entry.columns)
    return found


def broken_promises(
    contracts: Mapping[str, Contract], entries: list[Entry], today: date
) -> list[str]:
    """What the models do that the changelog does not say, in words; empty if nothing.

    Args:
        contracts: the published tables as their YAML describes them.
        entries: the changelog.
        today: until when a deprecated version must have stayed.
    """
    found = []
    offered = {(one.model, one.version): one for one in contracts.values()}
    known = promised(entries)
    for (model, version), columns in known.items():
        contract = offered.get((model, version))
        if contract is None:
            found += _gone(model, version, entries, today)
            continue
        for name, type_name in columns.items():
            now = contract.types.get(name)
            if now != type_name:
                became = "is gone or renamed" if now is None else f"was {type_name} and is {now}"
                found.append(
                    f"{contract.name}: {name} {became}; readers rely on version {version}, so "
                    f"make version {version + 1} of {model} and keep this one (docs/published.md)"
                )
        for name in contract.types.keys() - columns.keys():
            found.append(f"{contract.name}: {name} is new; note it in published_changelog.yml")
    for model, version in offered.keys() - known.keys():
        found.append(f"{model}: version {version} is not in published_changelog.yml")
    for contract in contracts.values():
        newest = max(one.version for one in offered.values() if one.model == contract.model)
        if contract.version < newest and contract.deprecation_date is None:
            found.append(f"{contract.name}: says no deprecation_date")
    return sorted(found)


def _gone(model: str, version: int, entries: list[Entry], today: date) -> list[str]:
    """Of a version that is no more: only an entry that said until when it stays allows that."""
    ends = [
        entry.changed_on
        for entry in entries
        if (entry.model, entry.version) == (model, version) and not entry.columns
    ]
    if ends and max(ends) <= today:
        return []
    return [
        f"{model}: version {version} is gone; only an entry without columns, with the day on which "
        "its deprecation ended, allows that"
    ]
