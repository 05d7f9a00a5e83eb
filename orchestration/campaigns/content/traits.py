"""Which traits a profile has: those of the golden record and those of profile_traits."""

from functools import lru_cache
from pathlib import Path

import yaml

_GOLDEN = "models/intermediate/traits/int_golden_records.yml"
_TRAITS = "models/marts/profiles/profile_traits.yml"


@lru_cache
def traits_of(project: Path) -> frozenset[str]:
    """Names of columns, by the YAML beside both models."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: set[str] = set()
    for name in (_GOLDEN, _TRAITS):
        raw = yaml.load((project / name).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
        found |= {column["name"] for column in raw["models"][0]["columns"]}
    return frozenset(found)
