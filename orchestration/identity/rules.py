"""`identity_rules.yml`: which identifiers there are, what may link them, and how far.

Read by the resolver and by the macros of `dbt_project/macros/identity.sql`; the file is the one
place where identity is decided without code.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestration.identity.probabilistic.rules import ProbabilisticRules
from orchestration.identity.survivorship import Survivorship
from orchestration.yaml_files import load_validated

VARIABLE = "MUSTER_IDENTITY_RULES"
RULES_FILE = Path(__file__).resolve().parents[2] / "dbt_project" / "identity_rules.yml"
# What the identity models take identifiers from; a type needs a column there, a source a model.
KNOWN_TYPES = ("user_id", "customer_id", "contact_id", "email", "phone", "anonymous_id")
KNOWN_SOURCES = (
    "web_events",
    "crm_contacts",
    "crm_consents",
    "crm_interactions",
    "crm_tickets",
    "shop_orders",
)


class RulesError(ValueError):
    """The rules cannot be used; the message names file, line and cure."""


class IdentifierRule(BaseModel):
    """One type of identifier; `limit` is how many of it one profile may have, None for any."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[int, Field(ge=1, strict=True)] | None = None


class SharedDevices(BaseModel):
    """When a device is shared: seen with more than `more_than` people within `within_days`.

    People are profiles as they are without devices, so two addresses of one person count once.
    """

    model_config = ConfigDict(extra="forbid")
    type: str = "anonymous_id"
    more_than: Annotated[int, Field(ge=1, strict=True)] = 1
    within_days: Annotated[int, Field(ge=1, strict=True)] = 365


class IdentityRules(BaseModel):
    """All rules. `identifiers` are in the order of their weight, the strongest first."""

    model_config = ConfigDict(extra="forbid", ignored_types=(cached_property,))
    identifiers: dict[str, IdentifierRule]
    default_country: str = ""
    identifiers_per_profile: Annotated[int, Field(ge=2, strict=True)] = 1000
    shared_devices: SharedDevices = SharedDevices()
    sources: dict[str, bool] = {}
    probabilistic: ProbabilisticRules = ProbabilisticRules()
    survivorship: Survivorship = Survivorship()

    @model_validator(mode="after")
    def _names_exist(self) -> "IdentityRules":
        _only_known("identifier type", self.identifiers, KNOWN_TYPES)
        _only_known("source", self.sources, KNOWN_SOURCES)
        if self.shared_devices.type != (self.types or [""])[-1]:
            raise ValueError(
                f"the type of shared_devices, '{self.shared_devices.type}', must be the weakest, "
                "so the last under identifiers: devices are weighed when the rest is known"
            )
        return self

    @field_validator("default_country")
    @classmethod
    def _is_country(cls, name: str) -> str:
        from orchestration.identity.normalization import country_code

        if name.strip() and not country_code(name):
            raise ValueError(
                f"no country is called '{name}'; write its ISO 3166-1 code, such as DE"
            )
        return name

    @property
    def types(self) -> list[str]:
        """The identifier types, the strongest first."""
        return list(self.identifiers)

    @property
    def device_kind(self) -> int:
        """The position of the type whose identifiers are devices."""
        return self.types.index(self.shared_devices.type)

    @property
    def limits(self) -> list[int | None]:
        """How many of each type one profile may have, in the order of `types`."""
        return [rule.limit for rule in self.identifiers.values()]

    @property
    def silent_sources(self) -> list[str]:
        """Sources whose records link nobody."""
        return [name for name, may_link in self.sources.items() if not may_link]

    @property
    def weighed(self) -> str:
        """What the resolver depends on, as JSON; a change of it asks for a rebuild of identity."""
        return self.model_dump_json(exclude={"probabilistic", "survivorship"})


def _only_known(what: str, names: Any, known: Any) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"no {what} is called {name!r}; there are {', '.join(known)}")


def rules_file() -> Path:
    """`MUSTER_IDENTITY_RULES`, or the project's own file."""
    return Path(os.environ.get(VARIABLE) or RULES_FILE)


def load_rules(path: Path | None = None) -> IdentityRules:
    """The rules of a file, by default the one that builds use.

    Raises:
        RulesError: it cannot be read or says what does not exist; file, line and cure are named.
    """
    return load_validated(path or rules_file(), IdentityRules, RulesError)
