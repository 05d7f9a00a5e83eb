"""`tracking_plan.yml`: its shape, validated with messages that name the event and the cure."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from orchestration.connectors.contract import entities
from orchestration.resources.settings import DBT_PROJECT

PLAN_FILE = DBT_PROJECT / "tracking_plan.yml"
ENTITY = "web_events"
JSON_COLUMN = "properties"

RawPlan = dict[str, Any]  # the file as it was parsed, which is what the macros read
# Columns that staging keeps as numbers or times; the plan can be stricter, not looser.
_NUMBERS = ("quantity", "value", "dwell_seconds", "scroll_depth")
_TIMES = ("occurred_at", "received_at")
# `; ` parts the reasons of an event, and reasons are published, where no address may stand.
_Value = Annotated[StrictStr, Field(min_length=1, pattern=r"^[^;@]+$")]
_PropertyName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
_EventName = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]


class PlanError(ValueError):
    """The plan cannot be used; the message names the file, the event and the cure, in one line."""


class Property(BaseModel):
    """What one property must be; what is left out is as for every event, else text and optional."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["text", "number", "integer", "boolean", "time", "url"] = "text"
    one_of: list[_Value] = Field(default=[], description="The values it may have, letter by letter")
    required: bool = Field(default=False, description="Without it the event is rejected")
    pii: bool = Field(default=False, description="Whether it holds personal data")
    description: str = ""


Properties = dict[_PropertyName, Property | None]


class Event(BaseModel):
    """One event name: what it means, who answers for it, what it carries."""

    model_config = ConfigDict(extra="forbid")
    description: str
    owner: Annotated[str, Field(min_length=1)]
    is_content: bool = Field(default=False, description="Whether it is a view of content")
    is_conversion: bool = False
    properties: Properties = {}


class Plan(BaseModel):
    """The whole file; its `properties` hold for every event, each event's own are added."""

    model_config = ConfigDict(extra="forbid")
    properties: Properties = {}
    events: Annotated[dict[_EventName, Event], Field(min_length=1)]

    def properties_of(self, name: str) -> dict[str, Property]:
        """The properties of an event, those of every event among them."""
        found = {
            key: given.model_dump(exclude_unset=True) if given else {}
            for key, given in self.properties.items()
        }
        for key, given in self.events[name].properties.items():
            own = given.model_dump(exclude_unset=True) if given else {}
            found[key] = {**found.get(key, {}), **own}
        return {key: Property(**rules) for key, rules in found.items()}

    def personal(self) -> set[str]:
        """Properties that are marked as personal data, of any event."""
        return {
            key
            for name in self.events
            for key, given in self.properties_of(name).items()
            if given.pii
        }


def plan_file() -> Path:
    """`MUSTER_TRACKING_PLAN`, or the project's own file.

    Raises:
        PlanError: the variable holds no full path; dbt works in another folder.
    """
    given = os.environ.get("MUSTER_TRACKING_PLAN")
    if given and not Path(given).is_absolute():
        raise PlanError(f"MUSTER_TRACKING_PLAN is {given}: write the full path of the file")
    return Path(given) if given else PLAN_FILE


def _one_line(error: ValidationError) -> str:
    return "; ".join(
        f"{' > '.join(str(step) for step in fault['loc'] if step != '[key]') or 'all'}: "
        f"{fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )


def _check_properties(properties: Mapping[str, Property | None], where: str) -> None:
    """Compare with the contract.

    Raises:
        PlanError: a property that is no column, or a type that staging could not keep.
    """
    columns = entities()[ENTITY].columns
    for name, rules in properties.items():
        given = rules or Property()
        column, _, key = name.partition(".")
        if column == JSON_COLUMN:
            if not key:
                raise PlanError(f"{where} > {name}: write {JSON_COLUMN}.key for a key of that JSON")
        elif name not in columns:
            raise PlanError(
                f"{where} > {name}: web.events has no such column; write {JSON_COLUMN}.{name} "
                f"if it is a key of the JSON column {JSON_COLUMN}, else one of {', '.join(columns)}"
            )
        kind = "one_of" if given.one_of else given.type
        if given.one_of and "type" in given.model_fields_set and given.type != "text":
            raise PlanError(f"{where} > {name}: one_of is for texts; leave out type or one_of")
        if given.model_fields_set & {"type", "one_of"}:
            if name in _NUMBERS and kind not in ("number", "integer"):
                raise PlanError(f"{where} > {name}: staging keeps a number; write type: number")
            if name in _TIMES and kind != "time":
                raise PlanError(f"{where} > {name}: staging keeps a time; write type: time")


def read_plan(path: Path) -> tuple[Plan, RawPlan]:
    """The plan, validated, and as parsed.

    Raises:
        PlanError: it cannot be read or is not valid.
    """
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}; MUSTER_TRACKING_PLAN names the file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise PlanError(f"{path}: write `events:` and the event names below it")
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        raise PlanError(f"{path}: {_one_line(error)}") from None
    _check_properties(plan.properties, f"{path}: properties")
    for name, event in plan.events.items():
        if name != name.lower():
            raise PlanError(f"{path}: {name}: names are compared in lower case; write it so")
        _check_properties(event.properties, f"{path}: {name}")
    return plan, raw


def load_plan() -> tuple[Plan, RawPlan]:
    """The plan in force.

    Raises:
        PlanError: it cannot be read or is not valid.
    """
    return read_plan(plan_file())


def json_schema() -> dict[str, Any]:
    """The JSON Schema that editors check and complete `tracking_plan.yml` by."""
    return {"title": "Muster tracking plan", **Plan.model_json_schema()}
