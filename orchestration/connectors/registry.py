"""All sources that are pulled, as `sources.yml` describes them.

The list of kinds below is the registry: a new kind of source is a module and a line here.
"""

from functools import cache
from pathlib import Path

from orchestration.connectors.definitions import (
    DefinitionError,
    load_definitions,
    of_kind,
    section,
    sources_file,
)
from orchestration.connectors.sources.base import Source


def kinds() -> dict[str, type[Source]]:
    """Source classes by the `type` that a definition names."""
    from orchestration.connectors.sources.kafka import KafkaSource
    from orchestration.connectors.sources.rest import HubspotSource, RestSource, ShopifySource
    from orchestration.connectors.sources.sql import SqlSource

    return {
        "hubspot": HubspotSource,
        "kafka": KafkaSource,
        "rest": RestSource,
        "shopify": ShopifySource,
        "sql": SqlSource,
    }


@cache
def _load(path: Path) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for where, entry in section(path, "sources"):
        name = entry.get("name", "without a name")
        source = of_kind(entry, kinds(), f"{where} ({name})")
        if source.name in found:
            raise DefinitionError(f"{where}: a second source is called {source.name}")
        found[source.name] = source
    return found


def load_sources() -> dict[str, Source]:
    """Every pulled source by name, in the order of the file.

    Raises:
        DefinitionError: the file is not valid; the message names the entry and the cure.
    """
    load_definitions()  # a fault in the other half of the file is told as early
    return _load(sources_file())


def source_named(name: str) -> Source:
    """One source.

    Raises:
        DefinitionError: there is none of that name.
    """
    sources = load_sources()
    if name not in sources:
        known = ", ".join(sources) or "none yet"
        raise DefinitionError(
            f"no source is called {name!r} in {sources_file()}; there are {known}"
        )
    return sources[name]
