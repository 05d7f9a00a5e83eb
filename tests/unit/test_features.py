"""Features say what was known at a moment: nothing later changes them, whatever it is."""

from datetime import date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.predictions.features import Features
from tests import prediction_world as world
from tests.rendered import build

CUTOFF = date(2026, 4, 1)
_PROFILES = ("p1", "p2", "p3")
_DAY = st.integers(0, 150).map(lambda days: world.FIRST_DAY + timedelta(days=days))
_COUNT = st.integers(0, 5)
_MONEY = st.integers(0, 9_999).map(lambda cents: cents / 100)

_EVENTS = st.lists(
    st.tuples(st.sampled_from(_PROFILES), _DAY, _COUNT, _COUNT, _MONEY),
    max_size=20,
    unique_by=lambda row: row[:2],
)
_ORDERS = st.lists(
    st.tuples(st.sampled_from(_PROFILES), _DAY, _MONEY, _MONEY, _DAY).map(
        lambda row: (*row[:4], max(row[1], row[4]))  # nothing is given back before it was ordered
    ),
    max_size=12,
)
_MAILS = st.lists(
    st.tuples(st.sampled_from(_PROFILES), _DAY, _COUNT, _COUNT), max_size=12,
    unique_by=lambda row: row[:2],
)  # fmt: skip
_INTERESTS = st.lists(
    st.tuples(st.sampled_from(_PROFILES), _DAY, st.sampled_from(["toys", "books"]), _COUNT),
    max_size=12,
)


def _tables(events: list, orders: list, mails: list, interests: list) -> duckdb.DuckDBPyConnection:  # type: ignore[type-arg]
    """What stands before the features, and what is made of it."""
    made = world.empty()
    made.execute("drop table intermediate.int_profile_activity_days")
    made.execute(
        """create table int_profile_days (profile_id varchar, day date, event_count int,
            session_count int, cart_add_value decimal(18, 4), mobile_session_count int,
            desktop_session_count int, product_view_count int, category_view_count int,
            content_read_count int, search_count int, cart_add_count int,
            dwell_seconds decimal(18, 4))"""
    )
    for profile_id, day, first, second, money in events:
        made.execute(
            "insert into int_profile_days values (?, ?, ?, ?, ?, ?, 0, ?, 1, ?, 0, ?, 7)",
            [profile_id, day, first + 1, first, money, second, first, second, second],
        )
    made.execute(
        """create table int_orders_valued (order_id varchar, profile_id varchar,
            ordered_at timestamp, gross_value decimal(18, 4), discount_value decimal(18, 4))"""
    )
    made.execute(
        """create table stg_shop__refunds
        (order_id varchar, refunded_at timestamp, amount decimal(18, 4))"""
    )
    for number, (profile_id, day, money, refund, refund_day) in enumerate(orders):
        made.execute(
            "insert into int_orders_valued values (?, ?, ?, ?, 1)",
            [f"o{number}", profile_id, datetime.combine(day, datetime.min.time()), money],
        )
        made.execute(
            "insert into stg_shop__refunds values (?, ?, ?)",
            [f"o{number}", datetime.combine(refund_day, datetime.max.time()), refund],
        )
    made.execute(
        """create table int_profile_message_days (profile_id varchar, day date,
            email_sent_count int, email_open_count int, email_click_count int, ticket_count int)"""
    )
    for profile_id, day, first, second in mails:
        made.execute(
            "insert into int_profile_message_days values (?, ?, ?, ?, ?, 1)",
            [profile_id, day, first, second, second],
        )
    for row in interests:
        made.execute(
            "insert into intermediate.int_profile_interests values (?, ?, ?, null, ?)", list(row)
        )
    as_of = datetime.combine(world.AS_OF, datetime.min.time())
    build(made, ["int_profile_purchase_days", "int_profile_activity_days"], as_of)
    made.execute(
        """create table intermediate.int_profile_activity_days as
        from main.int_profile_activity_days"""
    )
    return made


def _features(connection: duckdb.DuckDBPyConnection, cutoff: date) -> list[tuple[object, ...]]:
    if not connection.sql("from intermediate.int_profile_activity_days limit 1").fetchall():
        return []
    return connection.execute(
        f"select * from ({Features(connection, world.PROJECT).at(cutoff)}) order by profile_id"
    ).fetchall()


@given(_EVENTS, _ORDERS, _MAILS, _INTERESTS)
@settings(max_examples=25, deadline=None)
def test_poison_after_the_cutoff_changes_no_feature(
    events: list,
    orders: list,
    mails: list,
    interests: list,  # type: ignore[type-arg]
) -> None:
    """All that happens at the cutoff's midnight or later is multiplied, moved, and invented."""
    everything = _features(_tables(events, orders, mails, interests), CUTOFF)
    known = [
        [row for row in events if row[1] < CUTOFF],
        [row for row in orders if row[1] < CUTOFF],
        [row for row in mails if row[1] < CUTOFF],
        [row for row in interests if row[1] < CUTOFF],
    ]
    late = CUTOFF + timedelta(days=1)
    poisoned = [
        [*known[0], *[(one, CUTOFF, 5, 5, 99.0) for one in _PROFILES]],
        [
            *[(*row[:4], row[4] if row[4] < CUTOFF else late) for row in known[1]],
            *[(one, CUTOFF, 999.0, 1.0, late) for one in _PROFILES],
        ],
        [*known[2], *[(one, CUTOFF, 5, 5) for one in _PROFILES]],
        [*known[3], *[(one, CUTOFF, "poison", 5) for one in _PROFILES]],
    ]
    assert _features(_tables(*poisoned), CUTOFF) == everything


def _slowly(days: list[tuple[date, dict[str, float]]], cutoff: date) -> dict[str, float]:
    """A few features of one profile in plain Python."""

    def last(name: str, window: int) -> float:
        start = cutoff - timedelta(days=window)
        return sum(values.get(name, 0) for day, values in days if start <= day < cutoff)

    def since(name: str) -> int:
        found = [day for day, values in days if day < cutoff and values.get(name, 0) > 0]
        return min((cutoff - max(found)).days, 365) if found else 365

    both, late = last("active_day_count", 56), last("active_day_count", 28)
    return {
        "active_day_count_7d": last("active_day_count", 7),
        "order_value_90d": last("order_value", 90),
        "session_count_28d": last("session_count", 28),
        "days_since_last_activity": since("active_day_count"),
        "days_since_last_order": since("order_count"),
        "active_day_trend_28d": round((2 * late - both) / both, 4) if both else 0,
        "unbought_cart_value_28d": max(last("cart_add_value", 28) - last("order_value", 28), 0),
    }


@given(
    st.lists(st.tuples(_DAY, _COUNT, _COUNT, _MONEY), max_size=15, unique_by=lambda row: row[0]),
    _DAY,
)
@settings(max_examples=40, deadline=None)
def test_features_are_sums_of_days(rows: list[tuple[date, int, int, float]], cutoff: date) -> None:
    connection = world.empty()
    days = []
    for day, sessions, orders, money in rows:
        values = {
            "active_day_count": int(sessions + orders > 0), "session_count": sessions,
            "order_count": orders, "order_value": money if orders else 0, "cart_add_value": money,
        }  # fmt: skip
        days.append((day, values))
        world.add_day(connection, "p1", day, **values)
    if not rows:
        return
    features = Features(connection, world.PROJECT)
    found = connection.execute(f"from ({features.at(cutoff)})").fetchall()
    if not any(day < cutoff and values["active_day_count"] for day, values in days):
        assert not found
        return
    names = [column[0] for column in connection.description or []]
    told = dict(zip(names, found[0], strict=True))
    for name, value in _slowly(days, cutoff).items():
        assert float(told[name]) == pytest.approx(value), name
