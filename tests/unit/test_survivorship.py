"""The golden record against a slow, obvious choice on random records, its rules and its reasons."""

import random
import re
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from pydantic import ValidationError

from orchestration.identity.provenance import trait_provenance
from orchestration.identity.rules import RulesError, load_rules
from orchestration.identity.survivorship import CARRIED, RULES, TRAITS, Survivorship
from orchestration.resources.settings import DBT_PROJECT
from tests.rendered import build

AS_OF = datetime.fromisoformat("2026-01-31 00:00:00")  # without a zone, as the warehouse has it
RULES_FILE = DBT_PROJECT / "identity_rules.yml"
MODELS = [
    "int_survivorship_rules",
    "int_trait_records",
    "int_trait_candidates",
    "int_trait_values",
    "int_golden_records",
]
# The identifiers of each source in the order of `record_key`, with its key and its moments.
IDENTIFIERS = ("anonymous_id", "user_id", "email", "phone", "customer_id", "contact_id")
STAGED = {
    "crm_contacts": ("contact_id", ("email", "phone", "customer_id", "contact_id")),
    "shop_orders": ("order_id", ("email", "phone", "customer_id")),
    "web_events": ("event_id", ("anonymous_id", "user_id", "email")),
}
Record = dict[str, Any]


COUNTRIES = {"Germany": "DE", "germany": "DE", "de": "DE", "DE": "DE", "Mars": "Mars"}


def _value(trait: str, number: int) -> str:
    if trait == "birth_date":
        return f"{1900 + number % 100}-05-01"
    if trait == "country":
        return [*COUNTRIES][number % len(COUNTRIES)]
    # The first address is a test account of the block list.
    return f"test@{number}.org" if (trait, number) == ("email", 0) else f"{trait}{number}"


def _record(source: str, profile: int, key: str, at: datetime | None, told: Record) -> Record:
    """A record that belongs to a profile by its device or customer number."""
    name, identifiers = STAGED[source]
    mark = "anonymous_id" if source == "web_events" else "customer_id"
    record = {**told, name: key, mark: f"{profile}", "source": source, "at": at}
    record["profile"] = f"p{profile}"
    record["carried"] = [record.get(i) if i in identifiers else None for i in IDENTIFIERS]
    return record


def random_records(chance: random.Random, profiles: int) -> list[Record]:
    """About ten for each profile; values and moments are few, so that there are ties."""
    found = []
    for number in range(10 * profiles):
        source = chance.choice(list(STAGED))
        told = {
            trait: _value(trait, chance.randrange(5 if trait == "country" else 3))
            for trait in CARRIED[source]
            if chance.random() < 0.75
        }
        days = chance.choice([-1, 0, 1, 2] + [None] * (source == "crm_contacts"))  # -1: too late
        at = None if days is None else AS_OF - timedelta(days=days)
        key = f"r{chance.randrange(10)}-{number}"
        found.append(_record(source, chance.randrange(profiles), key, at, told))
    return found


def random_rules(chance: random.Random) -> Record:
    traits = {}
    for trait in TRAITS:
        able = [source for source, told in CARRIED.items() if trait in told]
        sources = chance.sample(able, chance.randint(0, len(able)))
        if sources:
            traits[trait] = {"sources": sources}
            if chance.random() < 0.5:
                traits[trait]["order"] = chance.sample(RULES, 3)
    block = {"order": chance.sample(RULES, 3), "traits": traits}
    Survivorship.model_validate(block)
    return {"survivorship": block}


def obvious(found: list[Record], rules: Record) -> dict[tuple[str, str], tuple[object, ...]]:
    """For each profile and trait: value, source, record, rule and number of other values."""
    block = rules["survivorship"]
    chosen: dict[tuple[str, str], tuple[object, ...]] = {}
    for profile in {record["profile"] for record in found}:
        for trait, rule in block["traits"].items():
            offers = [
                record
                for record in found
                if record["profile"] == profile
                and record["source"] in rule["sources"]
                and record.get(trait) is not None
                and (record["at"] is None or record["at"] <= AS_OF)
                and not record[trait].startswith("test@")
            ]
            if offers:
                chosen[profile, trait] = _chosen(
                    offers, trait, rule["sources"], rule.get("order", block["order"])
                )
    return chosen


def _weight(record: Record, rule: str, sources: list[str]) -> float:
    if rule == "source":
        return -sources.index(record["source"])
    if rule == "recency":
        return record["at"].timestamp() if record["at"] else float("-inf")
    return sum(record.get(trait) is not None for trait in CARRIED[record["source"]])


def _beats(one: Record, other: Record, sources: list[str], order: list[str]) -> str | None:
    """The rule by which one is better than the other; None if it is worse."""
    for rule in order:
        mine, yours = _weight(one, rule, sources), _weight(other, rule, sources)
        if mine != yours:
            return rule if mine > yours else None
    return "tie" if _key(one) > _key(other) else None


def _key(record: Record) -> str:
    return str(record[STAGED[record["source"]][0]])


def _best(offers: list[Record], sources: list[str], order: list[str]) -> Record:
    (best,) = (
        one
        for one in offers
        if all(one is other or _beats(one, other, sources, order) for other in offers)
    )
    return best


def _chosen(
    offers: list[Record], trait: str, sources: list[str], order: list[str]
) -> tuple[object, ...]:
    winner = _best(offers, sources, order)
    value = _spelled(winner[trait], trait)
    others = [offer for offer in offers if _spelled(offer[trait], trait) != value]
    rule: str | None = "unopposed"
    if others:
        rule = _beats(winner, _best(others, sources, order), sources, order)
    number = len({_spelled(offer[trait], trait) for offer in others})
    return value, winner["source"], _key(winner), rule, number


def _spelled(value: str, trait: str) -> str:
    return COUNTRIES[value] if trait == "country" else value


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    connection.execute(
        "create table int_identifiers_blocked as "
        "select 'email' as identifier_type, 'test@0.org' as identifier_value"
    )
    connection.execute("create table country_names as select 'germany' as name, 'DE' as country")
    traits = ", ".join(f"{trait} varchar" for trait in TRAITS if trait != "birth_date")
    landed = "_landed_at timestamptz default '2026-02-01 00:00:00+00'"
    connection.execute(f"""
        create table stg_crm__contacts (contact_id varchar, customer_id varchar, birth_date date,
            {traits}, created_at timestamp, updated_at timestamp, {landed});
        create table stg_shop__orders (order_id varchar, customer_id varchar, email varchar,
            phone varchar, country varchar, ordered_at timestamp, {landed});
        create table stg_web__events (event_id varchar, anonymous_id varchar, user_id varchar,
            email varchar, country varchar, timezone varchar, occurred_at timestamp, {landed});
    """)
    return connection


def staged(found: list[Record]) -> duckdb.DuckDBPyConnection:
    """The records as staging and identity would have them, in this order."""
    connection = _connection()
    moments = {"crm_contacts": "updated_at", "shop_orders": "ordered_at"}
    for source, (key, identifiers) in STAGED.items():
        columns = dict.fromkeys((key, *identifiers, *CARRIED[source]))
        rows = pa.Table.from_pylist(
            [
                {column: record.get(column) for column in columns}
                | {moments.get(source, "occurred_at"): record["at"]}
                for record in found
                if record["source"] == source
            ]
        )
        table = f"stg_{source.replace('_', '__', 1)}"
        connection.execute(f"delete from {table}")
        if rows.num_rows:
            connection.execute(f"insert into {table} by name select * from rows")
    keys = {
        "|".join([record["source"], *(value or "~" for value in record["carried"])]): record
        for record in found
    }
    known = pa.table(
        {"text": list(keys), "profile_id": [record["profile"] for record in keys.values()]}
    )
    connection.execute(
        "create or replace table int_record_profiles as "
        "select md5(text) as record_key, profile_id from known"
    )
    assert known.num_rows
    return connection


def values_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], tuple[object, ...]]:
    rows = connection.execute(
        "select profile_id, trait, value, source, record_id, decided_by, rejected_value_count "
        "from int_trait_values"
    ).fetchall()
    chosen = {row[:2]: row[2:] for row in rows}
    assert len(chosen) == len(rows), "one row for each profile and trait"
    return chosen


def test_what_survives_is_what_the_rules_say_in_any_order_of_arrival() -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(8):
        found, rules = random_records(chance, 40), random_rules(chance)
        expected = obvious(found, rules)
        connection = staged(found)
        build(connection, MODELS, AS_OF, rules)
        assert values_of(connection) == expected
        golden = connection.execute("select * from int_golden_records").fetchall()
        names = [column[0] for column in connection.description or []]
        wide = {
            (row[0], trait): str(value)
            for row in golden
            for trait, value in zip(names[1:], row[1:], strict=True)
            if value is not None
        }
        assert wide == {key: chosen[0] for key, chosen in expected.items()}
        assert len({row[0] for row in golden}) == len(golden)
        chance.shuffle(found)
        build(staged(found), MODELS, AS_OF, rules)
        assert values_of(connection) == expected


def test_a_person_of_many_contacts_and_orders_is_one_row_of_profiles() -> None:
    """900 contacts, orders and events of one person that all say something else."""
    found = []
    for number in range(900):
        source = list(STAGED)[number % 3]
        told = {trait: _value(trait, number + 1) for trait in CARRIED[source]}
        at = AS_OF - timedelta(hours=number % 7)
        found.append(_record(source, 1, f"r{number}", at, told))
    connection = staged(found)
    build(connection, MODELS, AS_OF, yaml.safe_load(RULES_FILE.read_text()))
    connection.execute("""
        create or replace table int_profiles_found as
            select 'p' || number as profile_id, timestamp '2026-01-01' as first_seen_at,
                timestamp '2026-01-02' as last_seen_at, 3 as identifier_count
            from range(1, 4) as numbers (number);
        create or replace table country_names as select 'name' as name, 'country' as country;
        create or replace table country_timezones as select 'XX' as country, 'UTC' as timezone;
    """)
    build(connection, ["int_profile_details"], AS_OF)
    profiles = connection.execute(
        "select profile_id, country, local_timezone from int_profile_details order by profile_id"
    ).fetchall()
    newest = max(
        (record for record in found if record["source"] == "crm_contacts"),
        key=lambda record: (record["at"], record["contact_id"]),
    )
    assert profiles == [
        ("p1", newest["country"], "Europe/Berlin"),
        ("p2", None, "Europe/Berlin"),
        ("p3", None, "Europe/Berlin"),
    ]


def test_a_profile_tells_where_its_traits_come_from() -> None:
    yesterday, ann = AS_OF - timedelta(days=1), {"email": "ann@firm.org"}
    found = [
        _record("crm_contacts", 1, "k1", AS_OF, {"city": "Bonn", **ann}),
        _record("crm_contacts", 1, "k2", yesterday, {"city": "Kiel"}),
        _record("crm_contacts", 1, "k3", None, {"city": "Rome"}),
        _record("crm_contacts", 1, "k4", None, {"city": "Kiel"}),
        _record("shop_orders", 1, "o1", AS_OF, ann),
    ]
    connection = staged(found)
    build(connection, MODELS, AS_OF, yaml.safe_load(RULES_FILE.read_text()))
    connection.execute("create schema if not exists intermediate")
    for name in ("int_trait_candidates", "int_trait_values"):
        connection.execute(f"create or replace view intermediate.{name} as from main.{name}")
    city, email = trait_provenance(connection, "p1")
    assert (city.trait, city.survivor.value, city.survivor.record_id) == ("city", "Bonn", "k1")
    assert (city.decided_by, city.survivor.observed_at) == ("recency", AS_OF)
    losers = [(loser.value, loser.record_id, loser.observed_at) for loser in city.losers]
    assert losers == [("Kiel", "k2", yesterday), ("Rome", "k3", None)]
    assert (email.survivor.source, email.decided_by, email.losers) == (
        "crm_contacts",
        "unopposed",
        (),
    )
    assert trait_provenance(connection, "nobody") == []


def test_the_rules_of_the_project_are_valid_and_keep_every_trait() -> None:
    block = yaml.safe_load(RULES_FILE.read_text())["survivorship"]
    assert set(Survivorship.model_validate(block).traits) == set(TRAITS)


def test_the_traits_of_python_sql_and_yaml_are_the_same() -> None:
    macro = (DBT_PROJECT / "macros" / "survivorship.sql").read_text()
    listed = re.search(r"macro traits\(\) -%}(.*?){%-", macro, re.DOTALL)
    assert listed and set(re.findall(r"\w+", listed[1])) == set(TRAITS)
    for source, told in CARRIED.items():
        name = source.replace("_", "__", 1)
        (file,) = (DBT_PROJECT / "models").rglob(f"stg_{name}.yml")
        (model,) = yaml.safe_load(file.read_text())["models"]
        assert set(told) == {c["name"] for c in model["columns"]} & set(TRAITS), source


@pytest.mark.parametrize(
    ("block", "place", "message"),
    [
        ({"order": ["source", "recency"]}, ("order",), "write each of source, recency, comple"),
        ({"order": ["age"] * 3}, ("order",), "write each of source, recency, completeness once"),
        ({"traits": {"contry": {"sources": ["web_events"]}}}, (), "no trait is called 'contry'"),
        (
            {"traits": {"city": {"sources": ["web_events"]}}},
            (),
            "'city' is not told by web_events; it is by crm_contacts",
        ),
        (
            {"traits": {"city": {"sources": ["crm"]}}},
            ("traits", "city", "sources"),
            "no source is called 'crm'; there are crm_contacts, shop_orders, web_events",
        ),
        (
            {"traits": {"city": {"sources": ["crm_contacts"] * 2}}},
            ("traits", "city", "sources"),
            "a source stands here twice",
        ),
        ({"traits": {"city": {"sources": []}}}, ("traits", "city", "sources"), "at least 1"),
        ({"traits": {"city": {}}}, ("traits", "city", "sources"), "required"),
        (
            {"traits": {"city": {"sources": ["crm_contacts"], "by": 1}}},
            ("traits", "city", "by"),
            "",
        ),
    ],
)
def test_a_wrong_rule_is_told_with_its_place_and_cure(
    block: Record, place: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as told:
        Survivorship.model_validate(block)
    (fault,) = told.value.errors()
    assert fault["loc"] == place
    assert message in fault["msg"]


def test_the_file_of_rules_names_the_line_of_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    text = RULES_FILE.read_text()
    path.write_text(
        text.replace("birth_date: {sources: [crm_contacts]}", "birth_date: {sources: []}")
    )
    line = text[: text.index("birth_date: {")].count("\n") + 1
    with pytest.raises(RulesError, match=f"line {line}: survivorship.traits.birth_date.sources: "):
        load_rules(path)
    path.write_text(text.replace("    city: {", "    town: {"))
    with pytest.raises(RulesError, match="no trait is called 'town'; there are first_name"):
        load_rules(path)
