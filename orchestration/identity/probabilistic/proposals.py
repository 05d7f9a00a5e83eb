"""Proposals to link contacts that share no identifier: contacts and rules in, weighed pairs out.

Optional: it needs Splink, and runs only where `probabilistic.enabled` is true. What a pair's
weight is made of is in `picture.py`.
"""

import logging

import pyarrow as pa

from orchestration.identity.probabilistic.model import (
    NotEnoughContactsError,
    Trained,
    train,
)
from orchestration.identity.probabilistic.rules import ProbabilisticRules

logger = logging.getLogger(__name__)


def propose(contacts: pa.Table, rules: ProbabilisticRules) -> pa.Table:
    """Pairs of contacts that are likely one person and not linked yet.

    Args:
        contacts: `identifier` (the strongest of the contact, `type:value`), `component` (the same
            label for contacts that are linked already), `first_landed_at`, and every column that
            the rules name; other columns are ignored.
        rules: the block `probabilistic:`; if it is not enabled, nothing is proposed.

    Returns:
        `identifier_a` < `identifier_b`, `match_weight` (base-2 logarithm of the odds),
        `match_probability`, `first_landed_at` (the later of both), `accepted`; one row per pair,
        in the order of the identifiers. The order of `contacts` never matters.

    Raises:
        ProbabilisticRulesError: Splink is missing, or a rule cannot be used on these contacts.
    """
    landed = contacts.schema.field("first_landed_at").type
    if not rules.enabled:
        return _nothing(landed)
    try:
        trained = train(contacts, rules)
    except NotEnoughContactsError as error:
        logger.warning("No probabilistic links are proposed: %s", error)
        return _nothing(landed)
    return _proposals(trained, rules, landed)


def _proposals(trained: Trained, rules: ProbabilisticRules, landed: pa.DataType) -> pa.Table:
    # Weights are rounded so that the last bits of a sum never decide. Two contacts may have one
    # strongest identifier: their pair takes the best weight.
    scored = trained.linker.inference.predict(threshold_match_weight=rules.propose_weight - 1)
    pairs = scored.as_duckdbpyrelation()
    found = pairs.query(
        "pairs",
        f"""
        with oriented as (
            select
                least(identifier_l, identifier_r) as identifier_a,
                greatest(identifier_l, identifier_r) as identifier_b,
                round(match_weight, 6) as match_weight,
                round(match_probability, 9) as match_probability,
                greatest(first_landed_at_l, first_landed_at_r) as first_landed_at,
            from pairs
            where identifier_l <> identifier_r
        )

        select
            identifier_a,
            identifier_b,
            max(match_weight) as match_weight,
            max(match_probability) as match_probability,
            min(first_landed_at) as first_landed_at,
            max(match_weight) >= {rules.accept_weight} as accepted,
        from oriented
        where match_weight >= {rules.propose_weight}
        group by all
        order by all
        """,
    ).to_arrow_table()
    return found.cast(_nothing(landed).schema)


def _nothing(landed: pa.DataType) -> pa.Table:
    return pa.schema(
        {
            "identifier_a": pa.string(),
            "identifier_b": pa.string(),
            "match_weight": pa.float64(),
            "match_probability": pa.float64(),
            "first_landed_at": landed,
            "accepted": pa.bool_(),
        }
    ).empty_table()
