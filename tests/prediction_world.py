"""A small world of profiles in plain DuckDB, as models that predict see it."""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.predictions.features import Features
from orchestration.rendering.project import Project

FIRST_DAY = date(2026, 1, 1)
AS_OF = date(2026, 6, 1)
PROJECT = Project()
COUNTS = (
    "event_count", "session_count", "mobile_session_count", "desktop_session_count",
    "product_view_count", "category_view_count", "content_read_count", "search_count",
    "cart_add_count", "order_count", "email_sent_count", "email_open_count", "email_click_count",
    "ticket_count", "active_day_count",
)  # fmt: skip
AMOUNTS = ("cart_add_value", "dwell_seconds", "order_value", "discount_value", "refunded_value")


def empty() -> duckdb.DuckDBPyConnection:
    """The tables without rows, as of AS_OF."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("create schema intermediate")
    columns = ", ".join(
        [*(f"{name} bigint" for name in COUNTS), *(f"{name} decimal(18, 4)" for name in AMOUNTS)]
    )
    connection.execute(
        f"create table intermediate.int_profile_activity_days "
        f"(profile_id varchar, day date, {columns})"
    )
    connection.execute(
        """create table intermediate.int_profile_interests
        (profile_id varchar, day date, category varchar, brand varchar, points bigint)"""
    )
    connection.execute("create table main.dbt_builds (number bigint, as_of timestamp)")
    connection.execute(f"insert into main.dbt_builds values (1, '{AS_OF} 00:00:00')")
    return connection


def add_day(
    connection: duckdb.DuckDBPyConnection, profile_id: str, day: date, **values: float
) -> None:
    """A day of a profile; what is not said is 0."""
    row = {**dict.fromkeys((*COUNTS, *AMOUNTS), 0), **values}
    connection.execute(
        f"""insert into intermediate.int_profile_activity_days
        (profile_id, day, {", ".join(row)}) values (?, ?, {", ".join("?" * len(row))})""",
        [profile_id, day, *row.values()],
    )


def populated(
    people: int = 400, seed: int = 1, is_noise: bool = False, first_day: date = FIRST_DAY
) -> Features:
    """People who come at rates of their own, some of whom leave for good; or all alike.

    Who comes often also buys, half of the readers read, and whoever buys prefers a category.
    """
    rng = np.random.default_rng(seed)
    connection = empty()
    rates = np.full(people, 0.1) if is_noise else np.clip(rng.lognormal(-2.5, 1.2, people), 0, 0.9)
    days = (AS_OF - first_day).days
    visits = rng.random((people, days)) < rates[:, None]
    if not is_noise:
        left = rng.integers(30, 400, people)
        visits &= np.arange(days)[None, :] < left[:, None]
    person, day = np.nonzero(visits)
    buys = rng.random(len(person)) < 0.15
    reads = (person % 2 == 0) & (rng.random(len(person)) < 0.5)
    visited = pa.table(
        {
            "who": person,
            "day_number": day,
            "buys": buys.astype(np.int64),
            "reads": reads.astype(np.int64),
        }
    )
    connection.register("visits", visited)
    connection.execute(
        f"""insert into intermediate.int_profile_activity_days by name
        select 'p' || lpad(cast(who as varchar), 5, '0') as profile_id,
            date '{first_day}' + cast(day_number as int) as day, 1 as event_count,
                1 as session_count,
            0 as mobile_session_count, 1 as desktop_session_count, 2 as product_view_count,
            1 as category_view_count, reads as content_read_count, 0 as search_count,
            buys as cart_add_count, buys as order_count, 0 as email_sent_count,
            0 as email_open_count, 0 as email_click_count, 0 as ticket_count,
            1 as active_day_count, buys * 30 as cart_add_value, 60 as dwell_seconds,
            buys * (20 + who % 7) as order_value, 0 as discount_value, 0 as refunded_value
        from visits"""
    )
    connection.execute(
        """insert into intermediate.int_profile_interests
        select profile_id, day, 'category_' || (hash(profile_id) % 3), null, 4
        from intermediate.int_profile_activity_days where order_count > 0"""
    )
    return Features(connection, PROJECT)
