"""A small warehouse with the tables of identity: resolved from a world, in the models' own SQL."""

import random
import re
from datetime import UTC, datetime, timedelta

import duckdb

from orchestration.identity.resolver import resolve
from orchestration.identity.rules import IdentityRules
from orchestration.resources.settings import DBT_PROJECT
from tests.identity_oracle import World
from tests.unit.test_identity import SECRET, evidence_of

MODELS = DBT_PROJECT / "models" / "intermediate" / "identity"
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def build(connection: duckdb.DuckDBPyConnection, world: World, rules: IdentityRules) -> None:
    """Fill schema `intermediate` of a connection. Overrides are said by `ann`, for `reasons`."""
    names = {*world.nodes, *(name for said in world.said for name in (said.a, said.b) if name)}
    connection.execute(
        "create temp table names as select name, md5_number_lower(name) as key "
        "from (select unnest(?::varchar[]) as name)",
        [sorted(names)],
    )
    keys = dict(connection.execute("from names").fetchall())
    evidence = evidence_of(world, keys, random.Random(0))
    connection.execute("set timezone = 'UTC'")
    connection.execute("create schema if not exists intermediate; use intermediate")
    for name, table in (
        ("identifiers", evidence.identifiers),
        ("edges", evidence.edges),
        ("sightings", evidence.sightings),
        ("overrides", evidence.overrides),
        ("log", resolve(evidence, rules, SECRET)),
    ):
        connection.register(name, table)
    weighed = rules.probabilistic.model_dump_json()
    seen = "first_occurred_at, first_occurred_at as last_occurred_at, 1::bigint as record_count"
    connection.execute(
        f"""create table int_identifiers as
            select identifier_key, identifier, identifier_type,
                identifier[length(identifier_type) + 2:] as identifier_value, first_landed_at,
                first_occurred_at as first_landed_occurred_at, {seen}
            from identifiers;
        create table int_identity_edges as
            select a.name as identifier_a, b.name as identifier_b, source, key_a, key_b,
                first_landed_at, {seen}
            from edges inner join names as a on a.key = key_a
            inner join names as b on b.key = key_b
            where source <> 'probabilistic';
        create table int_identity_proposals as
            select a.name as identifier_a, b.name as identifier_b, 12.5 as match_weight,
                first_landed_at, true as accepted
            from edges inner join names as a on a.key = key_a
            inner join names as b on b.key = key_b
            where source = 'probabilistic';
        create table int_identity_overrides as
            select override_id, action, a.name as identifier_a, b.name as identifier_b,
                key_a, key_b, 'ann' as told_by, 'reasons' as why, first_landed_at as landed_at
            from overrides left join names as a on a.key = key_a
            left join names as b on b.key = key_b;
        create table int_identity_links as
            select key_a, key_b, source, first_landed_at,
                first_occurred_at as first_landed_occurred_at
            from edges;
        create table int_probabilistic_rules as select $json${weighed}$json$ as rules;
        create table int_device_sightings as from sightings;
        create table int_identity_log as from log"""
    )
    for model in ("int_identity_assignments", "int_identity_map", "int_identity_aliases"):
        sql = re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", (MODELS / f"{model}.sql").read_text())
        connection.execute(f"create table {model} as {sql}")
