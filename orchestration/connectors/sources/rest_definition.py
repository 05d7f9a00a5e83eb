"""What a definition of a REST source can say: endpoints, their paging, and the parts they yield.

Presets (`presets/<type>.yml`) are definitions of well-known APIs; the user's entry is laid over
them. How requests are made stands in `rest_http.py`.
"""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from orchestration.connectors.definitions import Mapping

PRESETS = Path(__file__).parents[1] / "presets"


class PartDefinition(BaseModel):
    """Rows that an endpoint yields.

    Mappings and `where` (a SQL condition; other records are left out) see one text column
    `record`, the record as JSON. With `each`, the dotted path of a list inside the record, every
    element of the list is a row, and the column `parent` holds the fields of the record that the
    dotted paths `parent` name, as a JSON object keyed by those paths.
    """

    model_config = ConfigDict(extra="forbid")
    entity: str
    mapping: Mapping
    where: str = ""
    each: str = ""
    parent: tuple[str, ...] = ()


class Endpoint(BaseModel):
    """One endpoint: what is asked, where the records stand in an answer, how to turn the page.

    `paging` is a paginator of dlt's rest_api (`header_link`, `{type: cursor, ...}`, `offset`,
    `page_number`, `json_link`, `single_page`), or `{type: keyset, field: id}`: the next page begins
    after the last record's field, which replaces `{after}` in `body`.

    `changed` is the dotted path of a record's moment of change; `{since}` in `params` or `body` is
    replaced by the moment from which changes are asked, less `overlap_minutes`. Without `{since}`
    all records are downloaded and the unchanged ones dropped here.
    """

    model_config = ConfigDict(extra="forbid")
    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = {}
    body: dict[str, Any] = {}
    records: str = "$"
    paging: str | dict[str, Any] = "single_page"
    changed: str = ""
    since_format: Literal["iso", "milliseconds", "seconds"] = "iso"
    overlap_minutes: float = Field(default=10.0, ge=0)
    parts: dict[str, PartDefinition]


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`under` with the entries of `over` laid on it, block by block; a null takes an entry away."""
    result = dict(under)
    for name, value in over.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def preset(kind: str) -> dict[str, Any]:
    """The definition that comes with Muster for a type of API."""
    found: dict[str, Any] = yaml.safe_load((PRESETS / f"{kind}.yml").read_text())
    return found


def at(record: Any, path: str) -> Any:
    """The value at a dotted path of a JSON value; None where there is none."""
    for step in path.split("."):
        record = record.get(step) if isinstance(record, dict) else None
    return record


def rendered(template: Any, values: dict[str, str]) -> Any:
    """A JSON value with `{name}` replaced in its strings."""
    if isinstance(template, dict):
        return {name: rendered(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [rendered(value, values) for value in template]
    if isinstance(template, str):
        for name, value in values.items():
            template = template.replace(f"{{{name}}}", value)
    return template
