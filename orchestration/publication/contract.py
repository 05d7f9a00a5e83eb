"""What the YAML beside the published models promises: tables, versions, columns, types and keys.

Read as plain YAML, so that docs, snapshots and tests need no dbt. What changed between versions is
in `dbt_project/published_changelog.yml`, which `changelog.py` reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

Columns = dict[str, str]  # types by name, as the YAML writes them


@dataclass(frozen=True)
class Contract:
    """One published table.

    Attributes:
        name: of the table: the model's, and `_v1` of a version that is on its way out.
        key: columns that tell its rows apart; empty if only all of them do.
        grain: what a row is, in words.
        is_private: whether it holds contact data.
        deprecation_date: until when a version that is not the newest stays; None for the newest.
    """

    name: str
    model: str
    version: int = 1
    key: tuple[str, ...] = ()
    is_private: bool = False
    description: str = ""
    grain: str = ""
    columns: tuple[Mapping[str, Any], ...] = ()
    deprecation_date: date | None = None

    @property
    def types(self) -> Columns:
        """Types of the columns, by name."""
        return {column["name"]: str(column["data_type"]) for column in self.columns}


def read_contracts(folder: Path) -> dict[str, Contract]:
    """Every published table by its name, sorted; `folder` holds the models' SQL and YAML."""
    found = [
        contract
        for file in folder.glob("*.yml")
        for model in yaml.safe_load(file.read_text())["models"]
        for contract in _versions(model, folder)
    ]
    return {contract.name: contract for contract in sorted(found, key=lambda one: one.name)}


def _versions(model: Mapping[str, Any], folder: Path) -> Iterable[Contract]:
    newest = model.get("latest_version", 1)
    for version in model.get("versions") or [{"v": 1}]:
        is_newest = version["v"] == newest
        name = model["name"] if is_newest else f"{model['name']}_v{version['v']}"
        yield Contract(
            name=name,
            model=model["name"],
            version=version["v"],
            key=_key(model),
            is_private=bool(model.get("config", {}).get("meta", {}).get("is_private")),
            description=" ".join(model["description"].split()).removeprefix("Published: "),
            grain=_grain(folder / f"{name}.sql"),
            columns=tuple(_columns(model["columns"], version)),
            deprecation_date=version.get("deprecation_date"),
        )


def _columns(
    columns: list[Mapping[str, Any]], version: Mapping[str, Any]
) -> Iterable[Mapping[str, Any]]:
    """Those of a version: its own, and of the model's as many as it includes."""
    for column in version.get("columns") or [{"include": "all"}]:
        if "include" in column:
            left_out = column.get("exclude") or []
            yield from (one for one in columns if one["name"] not in left_out)
        else:
            yield column


def _key(model: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of which a test says that they are unique."""
    for test in model.get("data_tests") or []:
        if isinstance(test, dict) and "unique_combination" in test:
            return tuple(test["unique_combination"]["arguments"]["columns"])
    single = [one["name"] for one in model["columns"] if "unique" in (one.get("data_tests") or [])]
    return tuple(single[:1])


def _grain(file: Path) -> str:
    """The comment at the head of a model, as one line."""
    lines = []
    for line in file.read_text().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    words = " ".join(lines).removeprefix("Grain: ")
    return words[:1].upper() + words[1:]
