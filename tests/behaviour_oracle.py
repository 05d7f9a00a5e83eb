"""Random visits, and what becomes of them: a slow and obvious Python twin of the behaviour models.

It knows nothing of days, windows or profiles' fingerprints: each answer is counted from all events.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

Row = dict[str, Any]
START = datetime.fromisoformat("2028-02-27 12:00:00")  # two days later is 29 February
NAMES = (
    "page_view",
    "product_view",
    "category_view",
    "search",
    "article_read",
    "add_to_cart",
    "remove_from_cart",
    "checkout_start",
    "purchase",
)
CONTENT, CONVERSIONS = {"article_read"}, {"purchase"}
STEPS = ("conversion", "checkout", "cart", "product", "category", "visit")
STEP_OF = {
    "purchase": "conversion",
    "checkout_start": "checkout",
    "add_to_cart": "cart",
    "product_view": "product",
    "category_view": "category",
}
EVENTS = pa.schema(
    [
        *((name, pa.string()) for name in ("event_id", "anonymous_id", "user_id", "email", "name")),
        ("occurred_at", pa.timestamp("us")),
        ("received_at", pa.timestamp("us")),
        *((name, pa.string()) for name in ("page_type", "product_id", "category", "cart_id")),
        ("order_id", pa.string()),
        ("quantity", pa.decimal128(18, 4)),
        ("value", pa.decimal128(18, 4)),
        ("dwell_seconds", pa.decimal128(18, 4)),
        ("scroll_depth", pa.decimal128(18, 4)),
        *((name, pa.string()) for name in ("search_query", "device_type", "country", "timezone")),
        *((name, pa.string()) for name in ("utm_source", "utm_medium", "properties")),
    ]
)


def random_event(chance: random.Random, number: int) -> Row:
    """Moments are few and half a session's timeout apart, so there are ties and exact pauses."""
    at = START + timedelta(minutes=15 * chance.randrange(400), seconds=chance.choice([0, 0, 1]))
    delay = chance.choice([timedelta(0), timedelta(days=3), timedelta(days=3, microseconds=1)])
    return {
        "event_id": f"e{chance.randrange(10)}{number}",
        "anonymous_id": f"d{chance.randrange(5)}",
        "name": chance.choice(NAMES),
        "occurred_at": at,
        "received_at": chance.choice([None, at + delay]),
        "product_id": chance.choice([None, "a", "b"]),
        "category": chance.choice([None, "toys"]),
        "cart_id": chance.choice([None, "c1", "c2", "c3"]),
        "value": chance.choice([None, 5, 10]),
        "dwell_seconds": chance.choice([None, 2, 7]),
        "device_type": chance.choice([None, "mobile", "desktop"]),
        "utm_source": chance.choice([None, None, "news"]),
        "utm_medium": chance.choice([None, None, "email"]),
    }


def stage(
    connection: duckdb.DuckDBPyConnection, events: list[Row], profile_of: dict[str, str]
) -> None:
    """The events as staging has them, and the profile of each device as identity has it."""
    landed = pa.Table.from_pylist(events, EVENTS)
    known = pa.table(
        {
            "text": pa.array([f"web_events|{device}|~|~|~|~|~" for device in profile_of], "string"),
            "profile_id": pa.array(list(profile_of.values()), "string"),
        }
    )
    plan = pa.table(
        {
            "event_name": NAMES,
            "is_content": [name in CONTENT for name in NAMES],
            "is_conversion": [name in CONVERSIONS for name in NAMES],
        }
    )
    assert landed.num_rows + known.num_rows + plan.num_rows
    connection.execute("create or replace table stg_web__events as select * from landed")
    connection.execute("create or replace table int_tracking_plan as select * from plan")
    connection.execute(
        "create or replace table int_record_profiles as "
        "select md5(text) as record_key, profile_id from known"
    )


def counted(events: Iterable[Row], profile_of: dict[str, str], as_of: datetime) -> list[Row]:
    """The events that count, in order of time and id, with their profile."""
    return sorted(
        (
            {**event, "profile_id": profile_of[event["anonymous_id"]]}
            for event in events
            if event["anonymous_id"] in profile_of
            and event["occurred_at"] <= as_of
            and (
                event["received_at"] is None
                or event["received_at"] - event["occurred_at"] <= timedelta(days=3)
            )
        ),
        key=lambda event: (event["occurred_at"], event["event_id"]),
    )


def sessions(events: list[Row], timeout: timedelta) -> list[list[Row]]:
    """The events of each session, in order."""
    found: list[list[Row]] = []
    last: dict[tuple[str, str], list[Row]] = {}
    for event in events:
        who = (event["profile_id"], event["anonymous_id"])
        session = last.get(who)
        if session is None or event["occurred_at"] - session[-1]["occurred_at"] > timeout:
            session = last[who] = []
            found.append(session)
        session.append(event)
    return found


def session_row(session: list[Row]) -> tuple[object, ...]:
    """What int_sessions says of it."""
    campaign = next((e for e in session if e["utm_source"] or e["utm_medium"]), None)
    steps = {STEP_OF.get(event["name"], "visit") for event in session}
    return (
        session[0]["event_id"],
        session[0]["profile_id"],
        session[0]["anonymous_id"],
        session[0]["occurred_at"],
        session[-1]["occurred_at"],
        session[0]["device_type"],
        campaign and (campaign["utm_source"] or ""),
        campaign and (campaign["utm_medium"] or ""),
        len(session),
        sum(event["name"] in CONTENT for event in session),
        sum(event["name"] == "product_view" for event in session),
        sum(event["dwell_seconds"] or 0 for event in session),
        any(event["name"] in CONVERSIONS for event in session),
        next(step for step in STEPS if step in steps),
    )


SESSION_COLUMNS = (
    "session_id, profile_id, device_id, started_at, ended_at, device_type, utm_source, utm_medium, "
    "event_count, content_page_count, product_view_count, dwell_seconds, has_conversion, "
    "funnel_step"
)


def windows(
    found: list[list[Row]], as_of: datetime, days: int
) -> dict[str, tuple[int, int, int, int]]:
    """For each profile: sessions, product views, active days and dwell seconds of the window."""
    first = as_of.date() - timedelta(days=days - 1)
    numbers: dict[str, list[Any]] = defaultdict(lambda: [0, 0, set(), 0])
    for session in found:
        of_profile = numbers[session[0]["profile_id"]]
        of_profile[0] += session[0]["occurred_at"].date() >= first
        for event in session:
            if event["occurred_at"].date() >= first:
                of_profile[1] += event["name"] == "product_view"
                of_profile[2].add(event["occurred_at"].date())
                of_profile[3] += event["dwell_seconds"] or 0
    return {
        profile: (visits, views, len(active), dwell)
        for profile, (visits, views, active, dwell) in numbers.items()
    }


def carts(
    events: list[Row], orders: list[Row], as_of: datetime
) -> dict[str, tuple[str, str, datetime | None, int]]:
    """For each cart: profile, state, when it was bought, and its value."""
    found = {}
    for cart in {event["cart_id"] for event in events if event["cart_id"]}:
        mine = [event for event in events if event["cart_id"] == cart]
        added = [event["occurred_at"] for event in mine if event["name"] == "add_to_cart"]
        if not added:
            continue
        bought = [event["occurred_at"] for event in mine if event["name"] in CONVERSIONS]
        bought += [order["ordered_at"] for order in orders if order["cart_id"] == cart]
        age = as_of - max(added)
        state = "open"
        if any(event["name"] == "checkout_start" for event in mine):
            state = "checkout"
        if age >= timedelta(hours=24):
            state = "abandoned"
        if age >= timedelta(days=30):
            state = "expired"
        if bought:
            state = "purchased"
        signs = {"add_to_cart": 1, "remove_from_cart": -1}
        value = sum(signs.get(event["name"], 0) * (event["value"] or 0) for event in mine)
        found[cart] = (mine[0]["profile_id"], state, min(bought, default=None), max(value, 0))
    return found


def attributed(
    found: list[list[Row]], orders: list[Row], days: int
) -> dict[str, tuple[str | None, str]]:
    """For each order: the last session within the days before that names a campaign."""
    touches = {}
    for order in orders:
        rows = [
            session_row(session)
            for session in found
            if session[0]["profile_id"] == order["profile_id"]
            and timedelta(0) <= order["ordered_at"] - session[0]["occurred_at"]
            and order["ordered_at"] - session[0]["occurred_at"] < timedelta(days=days)
        ]
        named = [(row[3], str(row[0]), row[7]) for row in rows if row[6] is not None]
        last = max(named, default=None)  # type: ignore[type-var]
        channel = "direct" if last is None else "email" if last[2] == "email" else "other"
        touches[order["order_id"]] = (last and last[1], channel)
    return touches


def rfm(customers: dict[str, tuple[int, int, int]]) -> dict[str, tuple[int, ...]]:
    """Scores of (recency in days, orders, value): five times the share of those who are worse."""
    scores = {}
    for profile, (recency, orders, value) in customers.items():
        worse = (
            sum(other[0] > recency for other in customers.values()),
            sum(other[1] < orders for other in customers.values()),
            sum(other[2] < value for other in customers.values()),
        )
        scores[profile] = tuple(1 + 5 * number // len(customers) for number in worse)
    return scores
