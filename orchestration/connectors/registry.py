"""All sources that are pulled, as `sources.yml` describes them.

The list of kinds below is the registry: a new kind of source is a module and a line here.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from orchestration.connectors.definitions import SOURCES_FILE, DefinitionError
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


def sources_file() -> Path:
    """`MUSTER_SOURCES`, or the project's own file."""
    return Path(os.environ.get("MUSTER_SOURCES") or SOURCES_FILE)


def _source(entry: dict[str, Any], where: str) -> Source:
    kind = entry.get("type")
    known = kinds()
    if kind not in known:
        raise DefinitionError(f"{where}: type {kind!r} is none of {', '.join(sorted(known))}")
    try:
        return known[kind](**entry)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(step) for step in fault['loc']) or 'all'}: "
            f"{_words(fault['type'], fault['msg'])}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise DefinitionError(f"{where}: {faults}") from None


def _words(kind: str, message: str) -> str:
    """What pydantic says, in the words of a YAML file."""
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "is needed"
    return message.removeprefix("Value error, ")


@cache
def _load(path: Path) -> dict[str, Source]:
    try:
        raw = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise DefinitionError(f"{path}: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DefinitionError(f"{path}, line {line}: no YAML: {error.problem}") from None
    found: dict[str, Source] = {}
    for number, entry in enumerate(raw.get("sources") or [], start=1):
        where = f"{path.name}, source {number}"
        if not isinstance(entry, dict):
            raise DefinitionError(f"{where}: not a block of settings")
        source = _source(entry, f"{where} ({entry.get('name', 'without a name')})")
        if source.name in found:
            raise DefinitionError(f"{where}: a second source is called {source.name}")
        found[source.name] = source
    return found


def load_sources() -> dict[str, Source]:
    """Every pulled source by name, in the order of the file.

    Raises:
        DefinitionError: the file is not valid; the message names the entry and the cure.
    """
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
