"""Behaviour against slow, obvious Python on random visits, and increments against rebuilds.

Hypothesis chooses the seed of each world and prints the one that fails.
"""

import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import behaviour_oracle as oracle
from tests.behaviour_oracle import START, Row
from tests.rendered import WINDOWS, build

EVENTS = ["int_events_resolved", "int_profile_fingerprints"]
BY_PROFILE = [
    "int_events_sessionized",
    "int_sessions",
    "int_profile_days",
    "int_profile_interest_days",
]
PROFILES = ("p1", "p2", "p3")
seeds = given(seed=st.integers(0, 2**32))


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    return connection


CONNECTION = connect()
ANOTHER = connect()


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return sorted(connection.execute(query).fetchall(), key=str)


def random_world(chance: random.Random) -> tuple[list[Row], dict[str, str], datetime]:
    events = [oracle.random_event(chance, number) for number in range(chance.randint(1, 60))]
    profile_of = {f"d{number}": chance.choice(PROFILES) for number in range(4)}  # d4: nobody
    return events, profile_of, START + timedelta(minutes=15 * chance.randrange(500))


def random_orders(chance: random.Random, events: list[Row], as_of: datetime) -> list[Row]:
    moments = [event["occurred_at"] for event in events if event["occurred_at"] <= as_of] or [as_of]
    return [
        {
            "order_id": f"o{number}",
            "profile_id": chance.choice(PROFILES),
            "cart_id": chance.choice([None, "c1", "c2"]),
            "channel": chance.choice(["web", "store"]),
            "is_order": True,
            "ordered_at": chance.choice(moments) + timedelta(days=chance.choice([0, 0, 2])),
        }
        for number in range(chance.randint(1, 4))
    ]


def load(connection: duckdb.DuckDBPyConnection, name: str, content: list[Row]) -> None:
    loaded = pa.Table.from_pylist(content)
    assert loaded.num_rows
    connection.execute(f"create or replace table {name} as select * from loaded")


@settings(max_examples=60, deadline=None)
@seeds
def test_sessions_and_windows_are_those_of_an_obvious_count(seed: int) -> None:
    events, profile_of, as_of = random_world(random.Random(seed))
    oracle.stage(CONNECTION, events, profile_of)
    CONNECTION.execute("""
        create or replace table int_profile_details as
        select 'p' || number as profile_id, 'Europe/Berlin' as local_timezone
        from range(1, 4) as numbers (number)""")
    build(CONNECTION, [*EVENTS, *BY_PROFILE, "int_profile_behaviour"], as_of)
    counted = oracle.counted(events, profile_of, as_of)
    found = oracle.sessions(counted, timedelta(minutes=30))
    expected = sorted((oracle.session_row(session) for session in found), key=str)
    assert rows(CONNECTION, f"select {oracle.SESSION_COLUMNS} from int_sessions") == [
        tuple(row) for row in expected
    ]
    for days in WINDOWS:
        columns = f"session_count_{days}d, product_view_count_{days}d, active_day_count_{days}d"
        answer = CONNECTION.execute(
            f"select profile_id, {columns}, dwell_seconds_{days}d from int_profile_behaviour"
        ).fetchall()
        assert {row[0]: row[1:] for row in answer} == oracle.windows(found, as_of, days)


@settings(max_examples=40, deadline=None)
@seeds
def test_carts_and_attribution_are_those_of_an_obvious_search(seed: int) -> None:
    chance = random.Random(seed)
    events, profile_of, as_of = random_world(chance)
    if chance.random() < 0.5:  # exactly when a cart is abandoned or expires
        age = timedelta(days=chance.choice([1, 30]), seconds=chance.choice([0, -1]))
        at = chance.choice(events)["occurred_at"]
        events.append({**oracle.random_event(chance, 99), "occurred_at": at, "received_at": at})
        events[-1] |= {"name": "add_to_cart", "cart_id": "c4", "anonymous_id": "d1"}
        as_of = at + age
    orders = random_orders(chance, events, as_of)
    oracle.stage(CONNECTION, events, profile_of)
    load(CONNECTION, "int_orders_valued", orders)
    load(
        CONNECTION,
        "channels",
        [{"utm_source": None, "utm_medium": "email", "channel": "email"}],
    )
    CONNECTION.execute("alter table channels alter utm_source type varchar")
    models = [*EVENTS, *BY_PROFILE[:2], "int_carts", "int_channels", "int_orders_attributed"]
    build(CONNECTION, models, as_of, parameters={"attribution_days": 2})
    counted = oracle.counted(events, profile_of, as_of)
    found = CONNECTION.execute(
        "select cart_id, profile_id, state, purchased_at, value from int_carts"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == oracle.carts(counted, orders, as_of)
    found = CONNECTION.execute(
        "select order_id, session_id, channel from int_orders_attributed"
    ).fetchall()
    visits = oracle.sessions(counted, timedelta(minutes=30))
    assert {row[0]: row[1:] for row in found} == oracle.attributed(visits, orders, 2)


@settings(max_examples=40, deadline=None)
@seeds
def test_scores_count_those_who_are_worse(seed: int) -> None:
    chance = random.Random(seed)
    customers = {
        f"p{number}": (chance.randrange(4), chance.randint(1, 3), chance.randrange(-2, 3))
        for number in range(chance.randint(1, 12))
    }
    content: list[Row] = [
        {
            "profile_id": profile,
            "order_count": orders,
            "lifetime_value": value,
            "last_order_at": START - timedelta(days=recency, hours=chance.randrange(24)),
        }
        for profile, (recency, orders, value) in customers.items()
    ]
    chance.shuffle(content)
    load(CONNECTION, "int_profile_orders", content)
    build(CONNECTION, ["int_profile_rfm"], START)
    found = CONNECTION.execute(
        "select profile_id, recency_score, frequency_score, monetary_score from int_profile_rfm"
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == oracle.rfm(customers)


class World:
    """What is known at one moment; each change is one that a build may meet."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.waiting = [oracle.random_event(chance, number) for number in range(60)]
        self.events: list[Row] = []
        self.profile_of = {f"d{number}": f"p{number}" for number in range(4)}
        self.as_of = START + timedelta(days=2)
        self.parameters: dict[str, Any] = {}

    def land(self) -> None:
        """Events of any time come in, in any order."""
        number = self.chance.randint(1, 20)
        self.events, self.waiting = self.events + self.waiting[:number], self.waiting[number:]
        self.chance.shuffle(self.events)

    def forget(self) -> None:
        """A source deletes a record, or quarantine takes it, or a person is erased."""
        gone = self.chance.choice([event["event_id"] for event in self.events] + ["none"])
        self.events = [event for event in self.events if event["event_id"] != gone]

    def change(self) -> None:
        """A record is replaced by one that says something else."""
        if self.events:
            event = self.chance.choice(self.events)
            self.events.remove(event)
            other = {"dwell_seconds": 9, "category": "books", "name": "product_view"}
            self.events.append({**event, **other})

    def merge_or_split(self) -> None:
        """A device belongs to somebody else, or to nobody."""
        device = f"d{self.chance.randrange(4)}"
        profile = self.chance.choice([*PROFILES, None])
        self.profile_of.pop(device, None)
        if profile:
            self.profile_of[device] = profile

    def move(self) -> None:
        """Time goes on, or a past moment is evaluated."""
        self.as_of = START + timedelta(minutes=15 * self.chance.randrange(500))

    def tune(self) -> None:
        """A threshold changes."""
        self.parameters["session_timeout_minutes"] = self.chance.choice([15, 30])

    def step(self) -> None:
        changes = [self.land, self.land, self.forget, self.change, self.merge_or_split, self.move]
        for change in self.chance.sample([*changes, self.tune], self.chance.randint(0, 3)):
            change()


@settings(max_examples=25, deadline=None)
@seeds
def test_an_increment_gives_the_rows_of_a_rebuild(seed: int) -> None:
    chance = random.Random(seed)
    world = World(chance)
    for name in BY_PROFILE:
        CONNECTION.execute(f"drop table if exists {name}")
    for _ in range(6):
        world.step()
        oracle.stage(CONNECTION, world.events, world.profile_of)
        # A build may have been killed between two models: the next one makes it good.
        built = BY_PROFILE[: chance.choice([1, 2, 4, 4, 4])]
        for models in (built, BY_PROFILE):
            build(
                CONNECTION,
                [*EVENTS, *models],
                world.as_of,
                parameters=world.parameters,
                incremental=True,
            )
        oracle.stage(ANOTHER, world.events, world.profile_of)
        build(ANOTHER, [*EVENTS, *BY_PROFILE], world.as_of, parameters=world.parameters)
        for name in BY_PROFILE:
            assert rows(CONNECTION, f"from {name}") == rows(ANOTHER, f"from {name}"), name


def test_an_increment_computes_only_the_profiles_that_changed() -> None:
    """Rows of others are left alone: one is spoilt here, and stays so."""
    events = [
        {**oracle.random_event(random.Random(number), number), "received_at": None}
        for number in range(30)
    ]
    profile_of = {"d0": "p1", "d1": "p2"}
    as_of = START + timedelta(days=30)
    oracle.stage(CONNECTION, events, profile_of)
    build(CONNECTION, [*EVENTS, *BY_PROFILE], as_of)
    CONNECTION.execute("update int_profile_days set event_count = 99 where profile_id = 'p1'")
    changed = next(event for event in events if event["anonymous_id"] == "d1")
    changed["dwell_seconds"] = 5000
    oracle.stage(CONNECTION, events, profile_of)
    build(CONNECTION, [*EVENTS, *BY_PROFILE], as_of, incremental=True)
    spoilt = "select distinct event_count from int_profile_days where profile_id = 'p1'"
    assert CONNECTION.execute(spoilt).fetchall() == [(99,)]
    mended = "select max(dwell_seconds) from int_profile_days where profile_id = 'p2'"
    (dwell,) = CONNECTION.execute(mended).fetchone() or (0,)
    assert dwell >= 5000
