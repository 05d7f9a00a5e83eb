"""The block `probabilistic:` of `dbt_project/identity_rules.yml`, checked; an error says the cure.

What it does is in `proposals.py`.
"""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Kind = Literal[
    "exact", "jaro_winkler", "levenshtein", "date", "name", "forename_surname", "postcode", "email"
]
# The thresholds of the kinds that have them: similarities fall, distances grow.
THRESHOLDS: dict[Kind, tuple[float, ...]] = {
    "jaro_winkler": (0.92, 0.88),
    "levenshtein": (1, 2),
    "name": (0.92, 0.88, 0.7),
    "forename_surname": (0.92, 0.88),
}


def columns_of(condition: str) -> set[str]:
    """The columns of contacts that an SQL condition names, as `l.name` and `r.name`."""
    return set(re.findall(r'\b[lr]\."?(\w+)', condition))


class ProbabilisticRulesError(ValueError):
    """The block `probabilistic` cannot be used: which key, and what to write instead."""


class Comparison(BaseModel):
    """How one column, or two for `forename_surname`, is compared; the best level that holds counts.

    `term_frequency` weighs an agreement on a rare value more than one on a common value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    column: str = ""
    columns: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    term_frequency: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "forename_surname":
            if len(self.columns) != 2 or self.column:
                raise ValueError("forename_surname needs columns: [first, last], and no column")
        elif not self.column or self.columns:
            raise ValueError(f"{self.kind} needs one column: NAME, and no columns")
        if self.thresholds and self.kind not in THRESHOLDS:
            raise ValueError(f"{self.kind} has no thresholds; remove them")
        similar = self.kind != "levenshtein"
        if any(not 0 < value < 1 if similar else value < 1 for value in self.thresholds):
            span = "between 0 and 1" if similar else "1 or more"
            raise ValueError(f"thresholds of {self.kind} are {span}")
        if list(self.thresholds) != sorted(set(self.thresholds), reverse=similar):
            raise ValueError(f"thresholds of {self.kind} {'fall' if similar else 'grow'}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are compared."""
        return self.columns or (self.column,)

    def named_in(self, condition: str) -> bool:
        """Whether a condition names one of the columns, so that a pass learns nothing of them."""
        return bool(columns_of(condition) & set(self.names))

    @property
    def levels(self) -> list[float]:
        """The thresholds, or those of the kind."""
        return list(self.thresholds or THRESHOLDS.get(self.kind, ()))


class Training(BaseModel):
    """How the weights are learnt, from the contacts themselves.

    `prior` are SQL conditions of pairs that are surely one person, and `prior_recall` the share of
    all true pairs that they find. Each of `passes` is a condition that holds for many true pairs;
    a pass learns about the columns its condition does not name. `random_pairs` shows
    what pairs of strangers look like.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    prior: tuple[str, ...] = Field(min_length=1)
    prior_recall: float = Field(gt=0, le=1)
    passes: tuple[str, ...] = Field(min_length=1)
    random_pairs: int = Field(default=2_000_000, ge=1_000)
    seed: int = 1


class ProbabilisticRules(BaseModel):
    """Links between contacts that share no identifier.

    Weights are base-2 logarithms of odds: 10 means 1,024 to 1. Pairs from `propose_weight` on are
    listed, those from `accept_weight` on are links. `missing` lists values that stand for nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool = False
    accept_weight: float = 10.0
    propose_weight: float = 0.0
    max_pairs: int = Field(default=5_000_000, ge=1)
    missing: dict[str, tuple[str, ...]] = {}
    blocking: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    training: Training | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.propose_weight > self.accept_weight:
            raise ValueError("propose_weight is at most accept_weight: what counts is also listed")
        if self.enabled and not (self.blocking and self.comparisons and self.training):
            raise ValueError("enabled: true needs blocking, comparisons and training")
        passes = self.training.passes if self.training else ()
        for comparison in self.comparisons:
            if passes and all(comparison.named_in(condition) for condition in passes):
                raise ValueError(
                    f"each of training.passes names {' or '.join(comparison.names)}, so nothing is "
                    "learnt about it; add a pass that does not"
                )
        seen = [column for comparison in self.comparisons for column in comparison.names]
        twice = sorted({column for column in seen if seen.count(column) > 1})
        if twice:
            # Splink multiplies the evidence of comparisons, so one column must not speak twice.
            raise ValueError(f"{', '.join(twice)} stands in two comparisons; keep one")
        return self

    @property
    def conditions(self) -> dict[str, str]:
        """Every SQL condition by its place in the block."""
        training = self.training
        lists = {
            "blocking": self.blocking,
            "training.prior": training.prior if training else (),
            "training.passes": training.passes if training else (),
        }
        return {
            f"{key}[{number}]": condition
            for key, listed in lists.items()
            for number, condition in enumerate(listed)
        }


def probabilistic_rules(block: object, where: str = "identity_rules.yml") -> ProbabilisticRules:
    """The rules of a block as YAML reads it.

    Raises:
        ProbabilisticRulesError: one line for the first key that is wrong.
    """
    try:
        return ProbabilisticRules.model_validate(block or {})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("probabilistic", *first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = "unknown key; remove it or mend its name"
        raise ProbabilisticRulesError(f"{where}: {place}: {message}") from None
