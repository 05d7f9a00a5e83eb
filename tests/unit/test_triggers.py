"""Triggers against a slow, obvious twin, and looking back against looking on, on random histories.

Hypothesis chooses the seed of each history and prints the one that fails.
"""

import json
import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.resources.settings import DBT_PROJECT
from tests import behaviour_oracle, trigger_oracle
from tests.behaviour_oracle import Row
from tests.rendered import build, rendered
from tests.trigger_oracle import DAY, PARAMETERS, SECOND, Candidate

BASIS = [
    "int_events_resolved",
    "int_profile_fingerprints",
    "int_events_sessionized",
    "int_sessions",
    "int_profile_days",
    "int_carts",
    "int_recent_events",
    "int_cart_steps",
    "int_cart_pauses",
    "int_product_dwells",
    "int_recent_purchases",
]
READABLE = {*BASIS, "country_regions", "int_identity_aliases", "int_orders_valued"} | {
    "int_profiles_found",
    "stg_shop__order_items",
}


def of_known_tables(path: Path) -> bool:
    """A trigger that somebody adds may read more than there is here; its unit tests must do."""
    return set(re.findall(r"ref\('(\w+)'\)", path.read_text())) <= READABLE


FILES = sorted((DBT_PROJECT / "models/marts/triggers").glob("trg_*.sql"))
TRIGGERS = [path.stem for path in FILES if of_known_tables(path)]
EVER = {"trigger_lookback_days": 4000}
seeds = given(seed=st.integers(0, 2**32))
LINES = pa.schema(
    [
        *((name, pa.string()) for name in ("order_id", "profile_id", "cart_id", "product_id")),
        ("ordered_at", pa.timestamp("us")),
        ("is_order", pa.bool_()),
    ]
)
SCORES = pa.schema(
    [
        ("prediction", pa.string()),
        ("profile_id", pa.string()),
        ("score", pa.float64()),
        ("scored_at", pa.timestamp("us")),
    ]
)


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    for sql in (
        "create table country_regions as select 'DE' as country, 'europe' as region",
        "create table int_identity_aliases as select 'p3' as alias_profile_id, 'p1' as profile_id",
        "create table int_profiles_found as select unnest(['p1', 'p2']) as profile_id",
    ):
        connection.execute(sql)
    return connection


CONNECTION = connect()


def candidates(
    events: list[Row], lines: list[Row], scores: list[Row], as_of: datetime, **parameters: Any
) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """What the triggers list at a moment: trigger, profile and key, and all the rest."""
    behaviour_oracle.stage(CONNECTION, events, trigger_oracle.PROFILE_OF)
    landed = pa.Table.from_pylist([one for one in lines if one["ordered_at"] <= as_of], LINES)
    scored = pa.Table.from_pylist(scores, SCORES)
    assert landed.num_columns and scored.num_columns
    CONNECTION.execute(
        "create or replace table int_orders_valued as "
        "select * exclude (product_id), cast(1 as decimal(18, 4)) as gross_value from landed"
    )
    CONNECTION.execute(
        "create or replace table stg_shop__order_items as "
        "select order_id, product_id, 1 as quantity from landed"
    )
    CONNECTION.execute("create or replace table models_scores as from scored")
    build(CONNECTION, [*BASIS, *TRIGGERS], as_of, parameters={**PARAMETERS, **parameters})
    found = {}
    for name in TRIGGERS:
        for row in CONNECTION.execute(f"from {name}").fetchall():
            key = (name.removeprefix("trg_"), row[0], row[1])
            assert key not in found
            found[key] = (*row[2:6], tuple(row[6]))
    return found


def random_scores(chance: random.Random) -> list[Row]:
    """Scorings of two months; p3 is what p1 was called before, and nobody is called p4."""
    return [
        {
            "prediction": chance.choice(["churn_probability_7d"] * 4 + ["churn_probability_30d"]),
            "profile_id": chance.choice(["p1", "p1", "p2", "p3", "p4", None]),
            "score": chance.choice([0.7, 0.71, 0.9]),
            "scored_at": trigger_oracle.START + chance.randrange(8) * DAY,
        }
        for _ in range(chance.randrange(12))
    ]


def as_candidates(found: dict[tuple[str, str, str], tuple[Any, ...]]) -> set[Candidate]:
    return {
        (*key, row[0], row[1], row[4])  # type: ignore[misc]
        for key, row in found.items()
        if key[0] in trigger_oracle.TWINS
    }


@settings(max_examples=100, deadline=None)
@seeds
def test_candidates_are_those_of_an_obvious_search(seed: int) -> None:
    chance = random.Random(seed)
    events, lines = trigger_oracle.random_history(chance)
    as_of = chance.choice(events)["occurred_at"] + chance.choice(trigger_oracle.PAUSES)
    found = candidates(events, lines, [], as_of, **EVER)
    assert as_candidates(found) == trigger_oracle.candidates(events, lines, as_of)


@settings(max_examples=40, deadline=None)
@seeds
def test_what_is_found_later_is_what_was_found_then(seed: int) -> None:
    """No later event takes a candidate away, changes it, or makes one in the past."""
    chance = random.Random(seed)
    events, lines = trigger_oracle.random_history(chance)
    scores = random_scores(chance)
    end = max(event["occurred_at"] for event in events) + 40 * DAY
    ever = candidates(events, lines, scores, end, **EVER)
    moments = [row[1] for row in ever.values()] + [event["occurred_at"] for event in events]
    then = chance.choice(sorted(moments)) + chance.choice([-SECOND, timedelta(0), SECOND, DAY])
    days = chance.choice([1, 2, 4000])
    found = candidates(events, lines, scores, then, trigger_lookback_days=days)
    assert found == {key: row for key, row in ever.items() if then - days * DAY < row[1] <= then}
    for _, available_at, expires_at, payload, _ in ever.values():
        assert available_at < expires_at
        assert isinstance(json.loads(payload), dict)


def test_random_histories_fire_every_trigger() -> None:
    """Else the tests above would compare nothing with nothing."""
    fired = set()
    for seed in range(60):
        chance = random.Random(seed)
        events, lines = trigger_oracle.random_history(chance)
        end = max(event["occurred_at"] for event in events) + 5 * DAY
        fired |= {one[0] for one in trigger_oracle.candidates(events, lines, end)}
    assert fired == set(trigger_oracle.TWINS)
    assert {f"trg_{name}" for name in [*fired, "winback"]} <= set(TRIGGERS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("is_on_device('device', ['mobile', 'tablet'])", [True, False, False]),
        ("is_from_region('country', 'europe')", [True, False, False]),
        # Berlin is an hour ahead of UTC in winter, Kolkata five and a half.
        ("is_at_local_hour('moment', 'zone', 21, 22)", [True, False, False]),
        ("is_at_local_hour('moment', 'zone', 22, 21)", [False, True, False]),
        ("is_at_local_hour('moment', 'zone', 20, 21)", [False, False, False]),
        ("has_scrolled('depth', 75)", [True, False, False]),
    ],
)
def test_conditions_hold_where_they_should_and_not_where_nothing_is_known(
    condition: str, expected: list[bool]
) -> None:
    rows = (
        "values (1, 'mobile', 'DE', timestamp '2026-01-31 20:00:00', 'Europe/Berlin', 75), "
        "(2, 'desktop', 'US', timestamp '2026-01-31 20:00:00', 'Asia/Kolkata', 74.9), "
        "(3, null, null, null, null, null)"
    )
    sql = rendered(
        f"select {{{{ {condition} }}}} from ({rows}) as t"
        "(number, device, country, moment, zone, depth) order by number"
    )
    assert [row[0] for row in CONNECTION.execute(sql).fetchall()] == expected
