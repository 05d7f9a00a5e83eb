"""Splink's model of a pair of contacts: comparisons, and their weights learnt from the contacts.

The only module that knows Splink, whose model is that of Fellegi and Sunter (1969). It is imported
when used, since it is an optional package, and kept quiet.
"""

import logging
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

import duckdb

from orchestration.identity.probabilistic.contacts import KEYS, prepared
from orchestration.identity.probabilistic.rules import (
    Comparison,
    ProbabilisticRules,
    ProbabilisticRulesError,
    Training,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from splink import DuckDBAPI, Linker, SettingsCreator
    from splink.internals.comparison_creator import ComparisonCreator

# What was hardly seen among true pairs is evidence against, but no proof: anybody mistypes.
LEAST_AMONG_PAIRS = 1e-3
# With fewer sure pairs the weights would be learnt from chance.
LEAST_SURE_PAIRS = 5


class NotEnoughContactsError(Exception):
    """The contacts hold too few likely pairs to learn weights from."""


class Level(TypedDict, total=False):
    """One level of a comparison: m is its share among true pairs, u among strangers."""

    label_for_charts: str
    is_null_level: bool
    m_probability: float
    u_probability: float


class SavedComparison(TypedDict):
    """A comparison, its levels from null and best to worst."""

    output_column_name: str
    comparison_levels: list[Level]


class Model(TypedDict):
    """The parts of Splink's saved model that are read here."""

    probability_two_random_records_match: float
    comparisons: list[SavedComparison]


@dataclass(frozen=True)
class Trained:
    """A model and the contacts it was learnt from: the table `contacts` of the database."""

    model: Model
    connection: duckdb.DuckDBPyConnection
    api: "DuckDBAPI"
    linker: "Linker"


def train(contacts: "pa.Table", rules: ProbabilisticRules) -> Trained:
    """Learn the weights of the rules' comparisons, the same ones for any order of rows.

    Raises:
        ProbabilisticRulesError: Splink is missing, or a rule cannot be used on these contacts.
        NotEnoughContactsError: there is nothing to learn from.
    """
    training = rules.training
    if training is None:
        raise ProbabilisticRulesError("probabilistic.training is missing; see the default rules")
    _find_splink()
    if contacts.num_rows < 2:
        raise NotEnoughContactsError(f"there are {contacts.num_rows} contacts")
    from splink import SettingsCreator

    connection = prepared(contacts, rules)
    # Sums of fractions depend on how they are shared out, so one thread learns.
    connection.execute("set threads = 1")
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="contact",
        comparisons=[_comparison(comparison) for comparison in rules.comparisons],
        blocking_rules_to_generate_predictions=[
            {"blocking_rule": apart(rule)} for rule in rules.blocking
        ],
        additional_columns_to_retain=list(KEYS),
        retain_intermediate_calculation_columns=True,
        # A tenth of a percent is exact enough, and without a stop the share of a level that no
        # true pair has falls by powers until Splink refuses it.
        em_convergence=0.001,
        max_iterations=10,
    )
    linker = _trained(settings, connection).linker
    _check_pairs(linker, rules, contacts.num_rows)
    strangers = _learn_of_strangers(linker, training, contacts.num_rows)
    pairs = _learn_of_pairs(
        _trained(strangers, connection).linker, rules, training, contacts.num_rows
    )
    connection.execute("reset threads")
    return _trained(pairs, connection)


def _find_splink() -> None:
    """Import Splink, and keep its log to errors: it tells its progress line by line."""
    try:
        import splink  # noqa: F401
    except ImportError:
        raise ProbabilisticRulesError(
            "probabilistic.enabled is true, but Splink is not installed: "
            "pip install -e '.[probabilistic]', or set it to false"
        ) from None
    logging.getLogger("splink").setLevel(logging.ERROR)


def apart(rule: str) -> str:
    """A blocking rule, for pairs only that are not linked already."""
    return f"({rule}) and l.component <> r.component"


def _trained(model: "Model | SettingsCreator", connection: duckdb.DuckDBPyConnection) -> Trained:
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection)
    settings = cast("SettingsCreator | dict[str, Any]", model)
    linker = Linker(api.register("contacts"), settings, log_level=None)
    return Trained(_model(linker), connection, api, linker)


def _model(linker: "Linker") -> Model:
    return cast(Model, linker.misc.save_model_to_json())


def _comparison(rule: Comparison) -> "ComparisonCreator":
    """The comparison of Splink's library that a rule names."""
    import splink.comparison_library as library

    made: ComparisonCreator
    match rule.kind:
        case "jaro_winkler":
            made = library.JaroWinklerAtThresholds(rule.column, rule.levels)
        case "levenshtein":
            made = library.LevenshteinAtThresholds(rule.column, [int(x) for x in rule.levels])
        case "name":
            made = library.NameComparison(rule.column, jaro_winkler_thresholds=rule.levels)
        case "forename_surname":
            first, last = rule.columns
            made = library.ForenameSurnameComparison(
                first, last, jaro_winkler_thresholds=rule.levels
            )
        case "date":
            made = library.DateOfBirthComparison(
                rule.column,
                input_is_string=True,
                datetime_thresholds=[1],
                datetime_metrics=["year"],
            )
        case "postcode":
            made = library.PostcodeComparison(rule.column)
        case "email":
            made = library.EmailComparison(rule.column)
        case "exact":
            made = library.ExactMatch(rule.column)
    return made.configure(term_frequency_adjustments=True) if rule.term_frequency else made


def _check_pairs(linker: "Linker", rules: ProbabilisticRules, contacts: int) -> None:
    """Refuse a condition that makes too many pairs; training passes take a sample of theirs."""
    for place, condition in rules.conditions.items():
        if place.startswith("training.passes"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a sample is small
            (found,) = linker.blocking_analysis.count_comparisons_from_blocking_rules(
                [condition], record_sample_proportion=_sample(rules, contacts)
            )
        count = found["marginal_comparison_count"]
        if count > rules.max_pairs:
            raise ProbabilisticRulesError(
                f"probabilistic.{place}: {condition}: makes about {count:,} pairs, more than "
                f"max_pairs ({rules.max_pairs:,}); add to the condition, or raise max_pairs"
            )


def _learn_of_strangers(linker: "Linker", training: Training, contacts: int) -> Model:
    """How often strangers agree, from random pairs."""
    linker.training.estimate_u_using_random_sampling(training.random_pairs, seed=training.seed)
    model = _model(linker)
    # Splink takes 1e-6 for what no random pair showed: far too sure when there were few pairs.
    least = 1 / max(1.0, min(training.random_pairs, _all_pairs(contacts)))
    for level in _levels(model):
        level["u_probability"] = max(level.get("u_probability", 0.0), least)
    return model


def _learn_of_pairs(
    linker: "Linker", rules: ProbabilisticRules, training: Training, contacts: int
) -> Model:
    """How rare true pairs are, and how often they agree, by expectation maximisation."""
    from splink.internals.exceptions import EMTrainingException

    try:
        linker.training.estimate_probability_two_random_records_match(
            list(training.prior), recall=training.prior_recall
        )
        share = _model(linker)["probability_two_random_records_match"]
        sure = round(share * _all_pairs(contacts) * training.prior_recall)
        if sure < LEAST_SURE_PAIRS:
            raise NotEnoughContactsError(
                f"training.prior finds {sure} pairs of {contacts:,} contacts, and weights are "
                f"learnt from {LEAST_SURE_PAIRS} or more"
            )
        for condition in training.passes:
            # With the share of true pairs fixed, a pass cannot drift to another group of pairs
            # that are alike, such as people of one town.
            linker.training.estimate_parameters_using_expectation_maximisation(
                condition,
                fix_probability_two_random_records_match=True,
                max_pairs=rules.max_pairs,
                record_sample_proportion=_sample(rules, contacts),
            )
    except EMTrainingException:
        raise NotEnoughContactsError(f"training.passes: no pairs with {condition}") from None
    except ValueError as error:
        raise ProbabilisticRulesError(
            f"probabilistic.training: nothing can be learnt: {str(error).splitlines()[0]} Mend the "
            "rules: prior may hold for too many pairs, or two comparisons say the same thing"
        ) from None
    model = _model(linker)
    for level in _levels(model):
        least = min(LEAST_AMONG_PAIRS, level["u_probability"])
        level["m_probability"] = max(level.get("m_probability", 0.0), least)
    _check_weights(model)
    return model


def _check_weights(model: Model) -> None:
    """Refuse a model in which the best agreement speaks against a pair: it learnt another thing."""
    for comparison in model["comparisons"]:
        best = next(x for x in comparison["comparison_levels"] if not x.get("is_null_level"))
        if best["m_probability"] < best["u_probability"] / 2:
            raise ProbabilisticRulesError(
                f"probabilistic.training: equal {comparison['output_column_name']} came out as a "
                "sign of two persons; mend training.passes, or drop a comparison that says the "
                "same as another (city and country)"
            )


def _levels(model: Model) -> list[Level]:
    return [
        level
        for comparison in model["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    ]


def _all_pairs(contacts: int) -> float:
    return contacts * (contacts - 1) / 2


def _sample(rules: ProbabilisticRules, contacts: int) -> float:
    """The share of contacts to count pairs on: so few that all their pairs are `max_pairs`."""
    return min(1.0, math.sqrt(rules.max_pairs / max(_all_pairs(contacts), 1)))
