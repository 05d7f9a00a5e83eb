"""Local times in SQL against a walk along the minutes, around every kind of change of clocks."""

import random
from datetime import datetime, timedelta
from zoneinfo import available_timezones

import duckdb
import pytest
import yaml

from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT
from tests import campaign_world as world
from tests.campaign_cases import plain

# Moments (UTC) around which clocks are put forward or back, by an hour or half of one, and others.
AROUND = {
    "America/New_York": (
        "2026-03-08 07:00", "2026-11-01 06:00", "2028-02-29 05:00", "2028-03-01 05:00",
    ),
    "Europe/Berlin": (
        "2026-03-29 01:00", "2026-10-25 01:00", "2026-12-31 23:00", "2028-02-29 23:00",
    ),
    "Australia/Lord_Howe": ("2026-10-03 15:30", "2026-04-04 15:00"),
    "Asia/Kathmandu": ("2026-03-08 18:15", "2028-02-28 18:15", "2028-02-29 18:15"),
    "America/Havana": ("2026-03-08 05:00", "2026-11-01 05:00"),  # at midnight
    "Africa/Casablanca": ("2026-02-15 02:00", "2026-03-22 02:00"),  # back for Ramadan
}  # fmt: skip
CLOCKS = ("00:00", "00:30", "01:30", "02:00", "02:10", "02:15", "02:30", "02:59", "03:00", "08:00",
          "23:59")  # fmt: skip
Case = tuple[datetime, str, str]
# Quiet hours, what the clocks show, and how long it is quiet from then on, in minutes.
EDGES = (
    ("21:00", "08:00", "20:59", 0),
    ("21:00", "08:00", "21:00", 11 * 60),
    ("21:00", "08:00", "23:59", 8 * 60 + 1),
    ("21:00", "08:00", "00:00", 8 * 60),
    ("21:00", "08:00", "07:59", 1),
    ("21:00", "08:00", "08:00", 0),
    ("00:00", "06:00", "23:59", 0),
    ("00:00", "06:00", "00:00", 6 * 60),
    ("22:00", "00:00", "23:59", 1),
    ("22:00", "00:00", "00:00", 0),
    ("23:59", "00:00", "23:58", 0),
    ("23:59", "00:00", "23:59", 1),
    ("23:59", "00:00", "00:00", 0),
)
# On none of them are clocks put forward or back.
DAYS = ("2026-06-30", "2026-12-31", "2027-02-28", "2028-02-28", "2028-02-29", "2028-03-01")


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


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kathmandu"])
def test_quiet_hours_at_the_edges_of_a_day(zone: str) -> None:
    renderer = Renderer(Project(DBT_PROJECT))
    local = renderer.call("local_time", "moment", "zone")
    for begin, end, shown, quiet in EDGES:
        moments = [world.moment_of(f"{day} {shown}", zone) for day in DAYS]
        is_quiet = renderer.call("is_between_clocks", local, f"'{begin}'", "clock")
        until = renderer.call("next_local_time", "moment", "zone", "clock")
        # The last second of the minute is as quiet as its first, and ends when that does.
        for late in (timedelta(0), timedelta(seconds=59)):
            found = _by_sql(
                [(moment + late, zone, end) for moment in moments],
                f"case when {is_quiet} then {until} end",
            )
            wanted = [moment + timedelta(minutes=quiet) if quiet else None for moment in moments]
            assert found == wanted, (begin, end, shown, late)


def test_local_days_weeks_and_months_begin_at_the_local_midnight() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    cases = [
        (moment, zone, chance.choice(("day", "week", "month")))
        for moment, zone, _ in _cases(chance, 400)
    ]
    macro = Renderer(Project(DBT_PROJECT)).call("local_period", "clock", "moment", "zone")
    for case, found in zip(cases, _by_sql(cases, str(macro)), strict=True):
        moment, zone, period = case
        assert found == world.period_start(moment, zone, period), case


@pytest.mark.parametrize(
    ("shown", "day", "week", "month"),
    [
        ("2028-02-28 23:59:59", "2028-02-28", "2028-02-28", "2028-02-01"),
        ("2028-02-29 00:00:00", "2028-02-29", "2028-02-28", "2028-02-01"),
        ("2028-02-29 23:59:59", "2028-02-29", "2028-02-28", "2028-02-01"),
        ("2028-03-01 00:00:00", "2028-03-01", "2028-02-28", "2028-03-01"),
        ("2027-02-28 23:59:59", "2027-02-28", "2027-02-22", "2027-02-01"),
        ("2027-03-01 00:00:00", "2027-03-01", "2027-03-01", "2027-03-01"),
    ],
)
def test_a_leap_day_is_one_of_february(shown: str, day: str, week: str, month: str) -> None:
    macro = Renderer(Project(DBT_PROJECT)).call("local_period", "clock", "moment", "zone")
    for zone in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"):
        moment = world.moment_of(shown, zone)
        found = _by_sql([(moment, zone, one) for one in ("day", "week", "month")], str(macro))
        assert found == [datetime.fromisoformat(one) for one in (day, week, month)], zone


def test_every_zone_that_may_be_named_has_a_clock() -> None:
    """One that SQL does not know would stop a build, and with it all campaigns."""
    renderer = Renderer(Project(DBT_PROJECT))
    zones = sorted(zone for zone in available_timezones() if _may_be_named(zone))
    assert len(zones) > 400
    seeds = PROJECT_ROOT / "seeds/mappings/country_timezones.csv"
    zones += [line.split(",")[1] for line in seeds.read_text().splitlines()[1:]]
    parameters = yaml.safe_load((DBT_PROJECT / "parameters.yml").read_text())
    zones.append(parameters["company_timezone"]["value"])
    local = renderer.call("local_time", "moment", "zone")
    found = _by_sql([(datetime(2028, 2, 29), zone, "") for zone in zones], str(local))  # noqa: DTZ001
    assert None not in found
    with duckdb.connect() as connection:
        known = {row[0] for row in connection.execute(renderer.call("known_zones")).fetchall()}
    assert set(zones) <= known


def _may_be_named(zone: str) -> bool:
    try:
        return plain(timezone=zone).timezone == zone
    except ValueError:
        return False
