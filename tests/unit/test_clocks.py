"""Local times in SQL against a walk along the minutes, around every kind of change of clocks."""

import random
from datetime import datetime, timedelta

import duckdb

from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT
from tests import campaign_world as world

# Moments (UTC) around which clocks are put forward or back, by an hour or half of one, and others.
AROUND = {
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00", "2028-02-29 05:00"),
    "Europe/Berlin": ("2026-03-29 01:00", "2026-10-25 01:00", "2026-12-31 23:00"),
    "Australia/Lord_Howe": ("2026-10-03 15:30", "2026-04-04 15:00"),
    "Asia/Kathmandu": ("2026-03-08 18:15", "2028-02-28 18:15"),
    "America/Havana": ("2026-03-08 05:00", "2026-11-01 05:00"),  # at midnight
    "Africa/Casablanca": ("2026-02-15 02:00", "2026-03-22 02:00"),  # back for Ramadan
}
CLOCKS = ("00:00", "00:30", "01:30", "02:00", "02:10", "02:15", "02:30", "02:59", "03:00", "08:00",
          "23:59")  # fmt: skip
Case = tuple[datetime, str, str]


def _cases(chance: random.Random, many: int) -> list[Case]:
    found = []
    for _ in range(many):
        zone = chance.choice(sorted(AROUND))
        middle = datetime.fromisoformat(chance.choice(AROUND[zone]))
        moment = middle + timedelta(minutes=chance.choice((1, 15, 60)) * chance.randint(-24, 24))
        found.append((moment, zone, chance.choice(CLOCKS)))
    return found


def _by_sql(cases: list[Case], expression: str) -> list[object]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table cases (number int, moment timestamp, zone varchar, clock varchar)"
        )
        connection.executemany(
            "insert into cases values (?, ?, ?, ?)", [(n, *one) for n, one in enumerate(cases)]
        )
        rows = connection.execute(f"select {expression} from cases order by number").fetchall()
    return [row[0] for row in rows]


def test_the_next_local_time_is_the_first_minute_that_shows_it() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    cases = _cases(random.Random(seed), 400)
    macro = Renderer(Project(DBT_PROJECT)).call("next_local_time", "moment", "zone", "clock")
    for case, found in zip(cases, _by_sql(cases, str(macro)), strict=True):
        assert found == world.next_at(*case), case


def test_quiet_hours_end_at_the_first_minute_outside_of_them() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    begin = "22:45"  # no clock shows it twice: quiet hours that begin in such an hour are left open
    cases = _cases(random.Random(seed), 400)
    renderer = Renderer(Project(DBT_PROJECT))
    local = renderer.call("local_time", "moment", "zone")
    is_quiet = renderer.call("is_between_clocks", local, f"'{begin}'", "clock")
    until = renderer.call("next_local_time", "moment", "zone", "clock")
    found = _by_sql(cases, f"case when {is_quiet} then {until} else moment end")
    for (moment, zone, end), told in zip(cases, found, strict=True):
        assert told == world.first_loud(moment, zone, begin, end), (moment, zone, end)
