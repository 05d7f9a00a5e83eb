"""Pairs of identifiers against what the simulator knows: precision, recall, and what is missed.

A pair is true if some person has both, so a shared device is a true pair with all its people.
"""

import csv
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


@dataclass(frozen=True)
class Pairs:
    """How many pairs were found, are true, and are both.

    `unknowable` of the true ones are of two identifiers that no chain of the person's own records
    connects; `missed` counts the others that were not found, by reason.
    """

    found: int
    true: int
    right: int
    unknowable: int
    missed: dict[str, int]

    @property
    def precision(self) -> float:
        """Of the pairs that were found, how many are true."""
        return self.right / self.found

    @property
    def recall(self) -> float:
        """Of the true pairs that the records tell, how many were found."""
        return self.right / (self.true - self.unknowable)


def measured(warehouse: Path, truth: Path) -> Pairs:
    """Compare the identity map of a warehouse with the truth of the simulation it came from."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as built (read_only)")
        _people(connection, truth)
        connection.execute(
            """create table known as
            select map.identifier, map.profile_id, people.person_id, people.is_shared
            from built.intermediate.int_identity_map as map
            inner join people on map.identifier = people.identifier"""
        )
        _tell_groups(connection)
        connection.execute(
            """create table true_pairs as
            select a.identifier as one, b.identifier as other,
                bool_or(a.profile_id = b.profile_id) as is_found,
                bool_or(a.place = b.place) as is_knowable,
                bool_or(a.is_shared or b.is_shared) as is_of_shared_device
            from told as a inner join told as b
                on a.person_id = b.person_id and a.identifier < b.identifier
            group by all"""
        )
        counts = connection.execute(
            """select count(*), count(*) filter (is_found), count(*) filter (not is_knowable)
            from true_pairs"""
        ).fetchall()[0]
        ((found,),) = connection.execute(
            """select sum(n * (n - 1) / 2) from (
                select count(distinct identifier) as n from known group by profile_id
            )"""
        ).fetchall()
        missed = connection.execute(
            """select case when is_of_shared_device then 'shared device'
                else split_part(one, ':', 1) || ' and ' || split_part(other, ':', 1) end as why,
                count(*)
            from true_pairs where is_knowable and not is_found group by all order by all"""
        ).fetchall()
    return Pairs(int(found), *counts, dict(missed))


def _tell_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """For each person and identifier the group (`place`) that the person's own records connect."""
    rows = connection.execute("select person_id, identifier from known").fetchall()
    number = {row: place for place, row in enumerate(rows)}
    edges = connection.execute(
        """select a.person_id, edges.identifier_a, edges.identifier_b
        from built.intermediate.int_identity_edges as edges
        inner join known as a on edges.identifier_a = a.identifier
        inner join known as b
            on edges.identifier_b = b.identifier and a.person_id = b.person_id"""
    ).fetchall()
    left = [number[(person, one)] for person, one, _ in edges]
    right = [number[(person, other)] for person, _, other in edges]
    graph = coo_array((np.ones(len(edges), dtype=np.int32), (left, right)), (len(rows),) * 2)
    _, labels = connected_components(graph, directed=False)
    groups = pa.table(  # noqa: F841  # DuckDB finds it by its name
        {
            "person_id": [person for person, _ in rows],
            "identifier": [identifier for _, identifier in rows],
            "place": labels,
        }
    )
    connection.execute(
        "create table told as select * from known inner join groups using (person_id, identifier)"
    )


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


def _people(connection: duckdb.DuckDBPyConnection, truth: Path) -> None:
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
        select distinct type || ':' || value as identifier, person_id,
            count(distinct person_id) over (partition by type, value) > 1 as is_shared
        from written where value is not null"""
    )
