"""The input contract, read from `contract.yml`: which entities exist and which columns they have.

Types and meaning of the columns belong to dbt's staging models; mappings of a foreign layout onto
these entities belong to `sources.yml`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CONTRACT_FILE = Path(__file__).with_name("contract.yml")


@dataclass(frozen=True)
class Entity:
    """One entity of the contract, such as `web_events`.

    `key` is what makes a record unique; `columns` are in the order in which they land.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


@cache
def entities() -> dict[str, Entity]:
    """All entities by name, in the order of the file."""
    raw: dict[str, dict[str, list[str]]] = yaml.safe_load(CONTRACT_FILE.read_text())
    return {
        name: Entity(name, tuple(spec["key"]), tuple(spec["columns"])) for name, spec in raw.items()
    }
