"""Pairs of identifiers against what the simulator knows: precision, recall, and what is missed.

A pair is true if some person has both, so a shared device is a true pair with all its people. Only
identifiers that some landed record carries make pairs: what nobody wrote down cannot be found.

    python -m tests.identity_truth [WAREHOUSE TRUTH]

prints it, by default of `MUSTER_HOME` and the sample's truth.
"""

import csv
import os
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from orchestration.identity.normalization import normal_phone
from orchestration.resources.settings import PROJECT_ROOT

UNCONNECTED = "no chain of the person's own records"
BLOCKED = "blocked"
SEVERAL = "several rules"
Edges = list[tuple[str, str, str, str]]  # a person, two identifiers of theirs, and a rule or ''


@dataclass(frozen=True)
class Pairs:
    """How many pairs were found, are true, and are both; `missed` true ones by reason.

    The reason is the one rule without which the person's own records would connect the pair:
    `shared_device`, `limit`, `size`, ...; `SEVERAL` if no single rule is; `BLOCKED` if one of
    the two identifies nobody; or `UNCONNECTED`: under no rules could the records tell.
    """

    found: int
    true: int
    right: int
    missed: dict[str, int]

    @property
    def precision(self) -> float:
        """Of the pairs that were found, how many are true."""
        return self.right / self.found

    @property
    def recall(self) -> float:
        """Of all true pairs, how many were found."""
        return self.right / self.true

    @property
    def recall_of_connected(self) -> float:
        """Of the true pairs that a chain of the person's own records connects."""
        return self.right / (self.true - self.missed.get(UNCONNECTED, 0))

    def told(self) -> str:
        """All of it, a line each."""
        lines = [("true pairs", self.true), ("found", self.right)]
        lines += [(f"missed: {why}", count) for why, count in self.missed.items()]
        told = [f"{name:45}{count:>10,}{count / self.true:>8.1%}" for name, count in lines]
        told += [
            f"{'found and not true':45}{self.found - self.right:>10,}",
            f"{'precision':45}{self.precision:>10.3f}",
            f"{'recall, of all true pairs':45}{self.recall:>10.3f}",
            f"{'recall, of those that records connect':45}{self.recall_of_connected:>10.3f}",
        ]
        return "\n".join(told)


def measured(warehouse: Path, truth: Path) -> Pairs:
    """Compare the identity map of a warehouse with the truth of the simulation it came from."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as built (read_only)")
        people(connection, truth)
        connection.execute(
            """create table known as
            with carried as (
                select identifier from built.intermediate.int_identifiers
                union
                select identifier_type || ':' || identifier_value
                from built.intermediate.int_identifiers_blocked
            )
            select identifier, person_id, map.profile_id
            from people inner join carried using (identifier)
            left join built.intermediate.int_identity_map as map using (identifier)"""
        )
        ((found,),) = connection.execute(
            """select sum(n * (n - 1) / 2) from (
                select count(distinct identifier) as n from known
                where profile_id is not null group by profile_id
            )"""
        ).fetchall()
        # Of a pair that several people have, one of them may explain it.
        pairs = connection.execute(
            """select a.identifier, b.identifier, list(a.person_id order by a.person_id),
                any_value(a.profile_id = b.profile_id),
                any_value(a.profile_id is null or b.profile_id is null)
            from known as a inner join known as b
                on a.person_id = b.person_id and a.identifier < b.identifier
            group by all"""
        ).fetchall()
        why = _Reasons(_own_edges(connection))
    missed = Counter(
        BLOCKED if is_blocked else why(one, other, people)
        for one, other, people, is_found, is_blocked in pairs
        if not is_found
    )
    return Pairs(int(found), len(pairs), sum(bool(row[3]) for row in pairs), _sorted(missed))


def _sorted(missed: "Counter[str]") -> dict[str, int]:
    return dict(sorted(missed.items(), key=lambda item: (-item[1], item[0])))


def _own_edges(connection: duckdb.DuckDBPyConnection) -> Edges:
    """Edges both ends of which one person has, with the rule that rejects them now."""
    return connection.execute(
        """with judged as (
            select identifier_a, identifier_b, arg_max_null(rule, changed_at) as rule
            from built.intermediate.int_identity_changes
            where kind in ('rejected', 'accepted') group by all
        )
        select distinct a.person_id, edges.identifier_a, edges.identifier_b,
            coalesce(judged.rule, '')
        from built.intermediate.int_identity_edges as edges
        inner join known as a on edges.identifier_a = a.identifier
        inner join known as b
            on edges.identifier_b = b.identifier and a.person_id = b.person_id
        left join judged on least(edges.identifier_a, edges.identifier_b)
                = least(judged.identifier_a, judged.identifier_b)
            and greatest(edges.identifier_a, edges.identifier_b)
                = greatest(judged.identifier_a, judged.identifier_b)"""
    ).fetchall()


class _Reasons:
    """Why a pair of identifiers of some people was not found."""

    def __init__(self, edges: Edges) -> None:
        rules = sorted({rule for *_, rule in edges} - {""})
        self.groups = {rule: _groups(edges, {"", rule}) for rule in rules}
        self.groups[SEVERAL] = _groups(edges, {"", *rules})

    def __call__(self, one: str, other: str, people: list[str]) -> str:
        for rule, group_of in self.groups.items():
            for person in people:
                group = group_of.get((person, one))
                if group is not None and group == group_of.get((person, other)):
                    return rule
        return UNCONNECTED


def _groups(edges: Edges, rules: set[str]) -> dict[tuple[str, str], int]:
    """For each person and identifier the group that the person's edges of these rules connect."""
    chosen = [edge for edge in edges if edge[3] in rules]
    number: dict[tuple[str, str], int] = {}
    for person, one, other, _ in chosen:
        number.setdefault((person, one), len(number))
        number.setdefault((person, other), len(number))
    left = [number[person, one] for person, one, _, _ in chosen]
    right = [number[person, other] for person, _, other, _ in chosen]
    graph = coo_array((np.ones(len(chosen), dtype=np.int32), (left, right)), (len(number),) * 2)
    _, labels = connected_components(graph, directed=False)
    return dict(zip(number, labels.tolist(), strict=True))


@cache
def _providers() -> dict[str, dict[str, str]]:
    path = PROJECT_ROOT / "seeds" / "mappings" / "email_providers.csv"
    with path.open(newline="") as file:
        return {row["domain"]: row for row in csv.DictReader(file)}


def _mailbox(address: str) -> str:
    """One way of writing an address, the obvious way."""
    local, _, domain = address.strip().lower().partition("@")
    provider = _providers().get(domain)
    if provider is None:
        return f"{local}@{domain}"
    if provider["tag_separator"]:
        local = local.split(provider["tag_separator"])[0]
    for character in provider["ignored_characters"]:
        local = local.replace(character, "")
    return f"{local}@{provider['canonical_domain']}"


def people(connection: duckdb.DuckDBPyConnection, truth: Path) -> None:
    """The truth's identifiers as the models write them, without test accounts."""
    raw = connection.execute(
        f"""select distinct type, value from '{truth}/identifiers.parquet'
        where type in ('phone', 'email') and value is not null"""
    ).fetchall()
    as_written = pa.table(  # noqa: F841  # DuckDB finds it by its name
        {
            "type": [kind for kind, _ in raw],
            "value": [value for _, value in raw],
            "normal": [
                normal_phone(value, None) if kind == "phone" else _mailbox(value)
                for kind, value in raw
            ],
        }
    )
    connection.execute(
        f"""create table people as
        with written as (
            select person_id, type, case when type in ('phone', 'email') then normal else value end
                as value
            from '{truth}/identifiers.parquet' left join as_written using (type, value)
            where person_id not in (
                select person_id from '{truth}/persons.parquet' where is_test
            )
        )
        select distinct type || ':' || value as identifier, person_id
        from written where value is not null"""
    )


def main() -> None:
    """Print the figures of a warehouse."""
    home = Path(os.environ.get("MUSTER_HOME") or PROJECT_ROOT / "var")
    given = [Path(argument) for argument in sys.argv[1:]]
    files = given or [home / "warehouse.duckdb", PROJECT_ROOT / "seeds" / "sample_truth"]
    print(measured(files[0], files[1]).told())  # this is its purpose


if __name__ == "__main__":
    main()
