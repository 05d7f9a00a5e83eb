"""Contacts made comparable: a table of the columns that the rules name, in an order of its own."""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.identity.graph import components, make_edges, make_nodes
from orchestration.identity.probabilistic.rules import (
    ProbabilisticRules,
    ProbabilisticRulesError,
    columns_of,
)
from orchestration.identity.rules import IdentityRules

KEYS = ("identifier", "component", "first_landed_at")


def with_components(
    contacts: pa.Table, identifiers: pa.Table, edges: pa.Table, rules: IdentityRules
) -> pa.Table:
    """The contacts with `component`: one label for all whom any edge of records connects.

    Args:
        contacts: with `identifier`.
        identifiers: see `resolver.Evidence`; with `first_landed_occurred_at`.
        edges: likewise.
        rules: which sources may link.
    """
    names = {"first_landed_occurred_at": "first_occurred_at"}
    nodes = make_nodes(_renamed(identifiers, names), rules)
    links = make_edges(_renamed(edges, names), nodes, rules)
    labels = components(links, len(nodes))
    place = pc.index_in(contacts["identifier"], value_set=identifiers["identifier"])
    number = np.empty(len(nodes), dtype=np.int64)
    number[nodes.given] = np.arange(len(nodes))
    return contacts.append_column("component", pa.array(labels[number[place.to_numpy()]]))


def _renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    kept = [name for name in table.column_names if name not in names.values()]
    return table.select(kept).rename_columns([names.get(name, name) for name in kept])


def prepared(contacts: pa.Table, rules: ProbabilisticRules) -> duckdb.DuckDBPyConnection:
    """A database with the table `contacts`: comparable values, in an order of their own."""
    named = {name for comparison in rules.comparisons for name in comparison.names}
    named = named.union(
        rules.missing, *(columns_of(condition) for condition in rules.conditions.values())
    )
    absent = sorted((named | set(KEYS)) - set(contacts.column_names))
    if absent:
        raise ProbabilisticRulesError(
            f"probabilistic: contacts have no column {', '.join(absent)}; "
            f"they have {', '.join(sorted(set(contacts.column_names) - set(KEYS)))}"
        )
    columns = sorted(named - set(KEYS))
    values = ", ".join(_value(name, rules.missing.get(name, ())) for name in columns)
    order = ", ".join(f'"{name}"' for name in (*KEYS, *columns))
    connection = duckdb.connect()
    connection.register("given", contacts)
    connection.execute(f"""
        create table contacts as
        with cleaned as (select distinct {", ".join(KEYS)}, {values} from given)
        select row_number() over (order by {order}) as contact, * from cleaned order by contact
    """)
    connection.unregister("given")
    _check(connection, rules)
    return connection


def _check(connection: duckdb.DuckDBPyConnection, rules: ProbabilisticRules) -> None:
    """Let DuckDB judge each condition alone, so that an error has a place."""
    for place, condition in rules.conditions.items():
        try:
            connection.execute(f"explain select 1 from contacts l join contacts r on ({condition})")
        except duckdb.Error as error:
            reason = " ".join(str(error).partition("LINE 1")[0].split())
            raise ProbabilisticRulesError(f"probabilistic.{place}: {condition}: {reason}") from None


def _value(name: str, missing: Sequence[str]) -> str:
    """The comparable form of a column: text without case, accents and outer blanks, or null."""
    text = f'trim(lower(strip_accents(cast("{name}" as varchar))))'
    nothing = ", ".join("'" + value.lower().replace("'", "''") + "'" for value in ("", *missing))
    return f'case when {text} not in ({nothing}) then {text} end as "{name}"'
