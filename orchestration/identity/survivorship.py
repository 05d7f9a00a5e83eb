"""The block `survivorship:` of `identity_rules.yml`: which of several values of a trait survives.

Its shape and its errors only; the choice itself is SQL, `dbt_project/macros/survivorship.sql` and
the models of `intermediate/traits/`, which read the same file.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

RULES = ("source", "recency", "completeness")
_EVERYWHERE = ("email", "country")
# What `int_trait_records` takes from each source, and so what a rule may name.
CARRIED = {
    "crm_contacts": (
        *("first_name", "last_name", "birth_date", "gender", *_EVERYWHERE, "phone"),
        *("timezone", "city", "postal_code", "loyalty_tier"),
    ),
    "shop_orders": (*_EVERYWHERE, "phone"),
    "web_events": (*_EVERYWHERE, "timezone"),
}
TRAITS = CARRIED["crm_contacts"]  # a contact can tell them all


def _whole_order(order: list[str]) -> list[str]:
    if sorted(order) != sorted(RULES):
        raise ValueError(f"write each of {', '.join(RULES)} once, what decides first in front")
    return order


def _known_sources(sources: list[str]) -> list[str]:
    for source in sources:
        if source not in CARRIED:
            raise ValueError(f"no source is called {source!r}; there are {', '.join(CARRIED)}")
    if len(set(sources)) < len(sources):
        raise ValueError("a source stands here twice; its first place is its rank")
    return sources


Order = Annotated[list[str], AfterValidator(_whole_order)]


class TraitRule(BaseModel):
    """One trait: who may give it, the most trusted first; `order` only where it is an own one."""

    model_config = ConfigDict(extra="forbid")
    sources: Annotated[list[str], Field(min_length=1), AfterValidator(_known_sources)]
    order: Order | None = None


class Survivorship(BaseModel):
    """All traits that are kept. What is equal by all of `order` goes by record id."""

    model_config = ConfigDict(extra="forbid")
    order: Order = list(RULES)
    traits: dict[str, TraitRule] = {}

    @model_validator(mode="after")
    def _carried(self) -> "Survivorship":
        for trait, rule in self.traits.items():
            if trait not in TRAITS:
                raise ValueError(f"no trait is called {trait!r}; there are {', '.join(TRAITS)}")
            for source in rule.sources:
                if trait not in CARRIED[source]:
                    able = ", ".join(name for name, told in CARRIED.items() if trait in told)
                    raise ValueError(f"{trait!r} is not told by {source}; it is by {able}")
        return self
