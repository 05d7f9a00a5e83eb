"""Why a profile's traits are what they are, read from a built warehouse for `muster explain`."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import duckdb


@dataclass(frozen=True)
class Told:
    """A value, and the record that told it: `record_id` is its key at `source`."""

    value: str
    source: str
    record_id: str
    observed_at: datetime | None  # UTC; None if the record does not say
    landed_at: datetime


@dataclass(frozen=True)
class TraitProvenance:
    """The value that survived, the rule that decided, and the best record of each other value."""

    trait: str
    survivor: Told
    decided_by: str  # source, recency, completeness, tie or unopposed
    losers: tuple[Told, ...]  # the strongest first


def trait_provenance(
    connection: duckdb.DuckDBPyConnection, profile_id: str
) -> list[TraitProvenance]:
    """The traits of a profile, by name; empty if there is no such profile.

    Raises:
        duckdb.CatalogException: the warehouse was never built.
    """
    rows = connection.execute(
        """
        select
            candidates.trait, reasons.decided_by, candidates.value, candidates.source,
            candidates.record_id, candidates.observed_at, candidates.landed_at
        from intermediate.int_trait_candidates as candidates
        inner join intermediate.int_trait_values as reasons
            on candidates.profile_id = reasons.profile_id and candidates.trait = reasons.trait
        where candidates.profile_id = ?
        order by
            candidates.trait, candidates.first_score desc, candidates.second_score desc,
            candidates.third_score desc, candidates.record_id desc
        """,
        [profile_id],
    ).fetchall()
    found = []
    for (trait, decided_by), offers in groupby(rows, key=lambda row: (row[0], row[1])):
        survivor, *losers = [Told(*offer[2:]) for offer in offers]
        found.append(TraitProvenance(trait, survivor, decided_by, tuple(losers)))
    return found
