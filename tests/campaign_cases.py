"""Random people and campaigns, and the tables that the models of campaigns read of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import strategies as st

from orchestration.campaigns.definitions import Campaigns, Defined
from orchestration.campaigns.fields import Campaign, Policy
from orchestration.rendering.project import Project
from tests import campaign_world as world

START = datetime(2026, 10, 23)  # noqa: DTZ001  # stored times are UTC without a zone
PEOPLE = ("p0", "p1", "p2", "p3")
WEEK = 7 * 24 * 60  # minutes
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
)  # fmt: skip
# Of those who are merged, p2 is in the first and p3 in the second, in every campaign.
VARIANTS = {"a": {"weight": 55}, "b": {"weight": 45}}


def minutes(least: int, most: int) -> st.SearchStrategy[datetime]:
    """Moments, often at full hours, where the rules bend."""
    some = st.integers(least, most)
    return st.one_of(some, some.map(lambda m: m // 60 * 60)).map(
        lambda m: START + timedelta(minutes=m)
    )


_windows = st.sampled_from(("day", "week", "month", "1h", "24h", "7d"))
_limits = st.integers(0, 3)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Caps of several scopes and windows, and quiet hours."""
    counts = st.sampled_from(("all", "channel:email", "tag:promotional"))
    cap = st.builds(
        lambda c, n, w: {"counts": c, "limit": n, "within": w}, counts, _limits, _windows
    )
    quiet = draw(st.sampled_from((None, {"from": "21:00", "to": "08:00"},
                                  {"from": "01:00", "to": "02:15"})))  # fmt: skip
    return Policy.model_validate({"caps": draw(st.lists(cap, max_size=2)), "quiet_hours": quiet})


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Campaign]:
    """Three of them, of all that a file may say."""
    found = {}
    for name in ("alpha", "beta", "gamma"):
        audience = {"trigger": draw(st.sampled_from(("cart", "browse")))}
        if name == "gamma" and draw(st.booleans()):
            audience = {"segment": "members", "every": "once"}
        steps = [{"name": "first", "after": "0m"}, {"name": "second", "after": "5h"}]
        raw: dict[str, Any] = {
            "description": "Some.", "owner": "growth", "template": "some", "audience": audience,
            "channel": draw(st.sampled_from(("email", "email", "onsite"))),
            "priority": draw(st.integers(1, 3)),
            "group": draw(st.sampled_from((None, "group"))),
            "tags": draw(st.sampled_from(([], ["promotional"]))),
            "steps": draw(st.sampled_from((None, steps))),
            "variants": draw(st.sampled_from((None, VARIANTS))),
            "holdout": draw(st.sampled_from((0, 0, 30))),
            "caps": draw(st.lists(
                st.builds(lambda n, w: {"counts": "campaign", "limit": n, "within": w},
                          _limits, _windows), max_size=1)),
            "quiet_hours": draw(st.sampled_from((None, "none", {"from": "22:30", "to": "23:45"}))),
            "cooldown": draw(st.sampled_from((None, "12h", "3d"))),
            "exclude": draw(st.sampled_from(([], ["staff"]))),
            "conversion": draw(st.sampled_from((None, {"event": "order", "within": "24h"}))),
            "schedule": draw(st.sampled_from(
                ("immediately", "immediately", "preferred_hour", {"at": "02:30"}))),
            "timezone": draw(st.sampled_from((None, None, "America/New_York"))),
        }  # fmt: skip
        found[name] = Campaign.model_validate(raw)
    return found


@st.composite
def facts(draw: st.DrawFn) -> world.Facts:
    """A week of four people, some of whom share a mailbox."""
    person = st.sampled_from(PEOPLE)
    occurred = minutes(0, WEEK)

    def occurrence(trigger: str, who: str, at: datetime, wait: int, late: int) -> world.Occurrence:
        return world.Occurrence(
            trigger, who, f"{at:%d%H%M}", at, at + timedelta(minutes=wait),
            at + timedelta(hours=60), late,
        )  # fmt: skip

    occurrences = st.builds(
        occurrence, st.sampled_from(("cart", "browse")), person, occurred,
        st.sampled_from((0, 15, 600)), st.sampled_from((0, 0, 0, 2)),
    )  # fmt: skip
    stay = st.builds(
        lambda s, p, begin, hours: world.Stay(
            s, p, begin, None if hours is None else begin + timedelta(hours=hours)
        ),
        st.sampled_from(("members", "staff")), person, occurred,
        st.sampled_from((None, 5, 30)),
    )  # fmt: skip
    unique = {(o.trigger, o.profile, o.key): o for o in draw(st.lists(occurrences, max_size=14))}
    stays = {(s.segment, s.profile): s for s in draw(st.lists(stay, max_size=4))}
    consents = [(p, "email", START, "granted") for p in PEOPLE if draw(st.integers(0, 4))]
    change = st.tuples(
        person, st.just("email"), occurred, st.sampled_from(("granted", "withdrawn"))
    )
    changes = {(c[0], c[2]): c for c in [*consents, *draw(st.lists(change, max_size=3))]}
    stop = st.tuples(person, st.just("email"), occurred, st.none())
    return world.Facts(
        zones={p: draw(st.sampled_from(ZONES)) for p in PEOPLE},
        preferred_hours={p: draw(st.sampled_from((None, 2, 18))) for p in PEOPLE},
        mailboxes={
            p: draw(st.sampled_from((f"{p}@x", f"{p}@x", f"{p}@x", "both@x", None))) for p in PEOPLE
        },
        consents=list(changes.values()),
        stops=list({s[0]: s for s in draw(st.lists(stop, max_size=1))}.values()),
        conversions=list(
            set(draw(st.lists(st.tuples(person, st.just("order"), occurred), max_size=3)))
        ),
        occurrences=list(unique.values()),
        stays=list(stays.values()),
    )


def insert(connection: duckdb.DuckDBPyConnection, name: str, columns: str, told: list[Any]) -> None:
    """Make a table."""
    connection.execute(f"create table {name} ({columns})")
    if told:
        marks = ", ".join("?" * len(told[0]))
        connection.executemany(f"insert into {name} values ({marks})", told)


def put_facts(
    connection: duckdb.DuckDBPyConnection, told: world.Facts, number: int, run: world.Run
) -> None:
    """Make what the models of campaigns read of the people, as known in a run."""
    for schema in ("intermediate", "marts", "membership", "campaigns", "experiments", "ledger"):
        connection.execute(f"create schema {schema}")
    living = [p for p in PEOPLE if p not in run.aliases]
    simulator = world.Simulator({}, Policy(), told)
    insert(connection, "intermediate.int_profiles_found", "profile_id varchar",
            [(p,) for p in living])  # fmt: skip
    insert(connection, "intermediate.int_identity_aliases",
            "alias_profile_id varchar, profile_id varchar", list(run.aliases.items()))  # fmt: skip
    insert(connection, "intermediate.int_profile_recipients",
            "profile_id varchar, recipient_id varchar",
            [(p, simulator._recipient(p, run)) for p in living])  # fmt: skip
    reach = [(p, "email", told.mailboxes[p]) for p in living if told.mailboxes[p]]
    insert(connection, "intermediate.int_profile_channels",
            "profile_id varchar, channel varchar, contact_point varchar",
            [*reach, *((p, "onsite", p) for p in living)])  # fmt: skip
    insert(connection, "intermediate.int_consent_changes",
            "profile_id varchar, channel varchar, changed_at timestamp, status varchar",
            list(told.consents))  # fmt: skip
    insert(connection, "intermediate.int_contact_stops",
            "profile_id varchar, channel varchar, kind varchar, stopped_at timestamp, "
            "ended_at timestamp",
            [(p, c, "bounced", begin, end) for p, c, begin, end in told.stops])  # fmt: skip
    insert(connection, "campaigns.campaign_conversions",
            "profile_id varchar, conversion varchar, happened_at timestamp, evidence varchar",
            [(*one, "o1") for one in told.conversions])  # fmt: skip
    insert(connection, "marts.profile_traits",
            "profile_id varchar, local_timezone varchar, preferred_hour bigint",
            [(p, told.zones[p], told.preferred_hours[p]) for p in living])  # fmt: skip
    insert(connection, "membership.segment_stays",
            "segment varchar, profile_id varchar, entered_at timestamp, exited_at timestamp",
            [(s.segment, s.profile, s.entered_at, s.exited_at) for s in told.stays])  # fmt: skip
    insert(connection, "membership.segment_excluded_profiles", "profile_id varchar, why varchar",
            [])  # fmt: skip
    insert(connection, "campaigns.campaign_triggers",
            "trigger_name varchar, profile_id varchar, occurrence_key varchar, "
            "occurred_at timestamp, available_at timestamp, expires_at timestamp, "
            "payload varchar, event_ids varchar[]",
            [(o.trigger, run.aliases.get(o.profile, o.profile), o.key, o.occurred_at,
              o.available_at, o.expires_at, "{}", [])
             for o in _known(told, number, run)])  # fmt: skip


def _known(told: world.Facts, number: int, run: world.Run) -> list[world.Occurrence]:
    """Candidates that the models list in a run; of two that a merge made one, the first."""
    listed = {}
    for one in told.occurrences:
        if one.known_from <= number and one.available_at <= run.moment:
            key = (one.trigger, run.aliases.get(one.profile, one.profile), one.key)
            listed.setdefault(key, one)
    return list(listed.values())


def loaded(files: Mapping[str, Campaign], policy: Policy) -> Campaigns:
    """Campaigns as if their files had been read."""
    return Campaigns(
        {name: Defined(name, Path(f"{name}.yml"), one, "0" * 12) for name, one in files.items()},
        policy, (),
    )  # fmt: skip


def put_ledger(connection: duckdb.DuckDBPyConnection, project: Project, ledger: Path) -> None:
    """What was decided before, as dbt reads it."""
    for source in ("campaign_decisions", "campaign_versions"):
        kinds = project.sources["ledger", source].columns
        files = [str(file) for file in sorted((ledger / source).glob("*.parquet"))]
        columns = ", ".join(f"null::{kind} as {name}" for name, kind in kinds.items())
        more = f"union all by name from read_parquet({files})" if files else ""
        connection.execute(f"create view ledger.{source} as select {columns} where false {more}")


def people(*occurrences: world.Occurrence, stays: tuple[world.Stay, ...] = ()) -> world.Facts:
    """All can be written to from the second day on."""
    return world.Facts(
        zones=dict.fromkeys(PEOPLE, "UTC"),
        preferred_hours=dict.fromkeys(PEOPLE),
        mailboxes={p: f"{p}@x" for p in PEOPLE},
        consents=[(p, "email", START + timedelta(days=1), "granted") for p in PEOPLE],
        stops=[],
        conversions=[],
        occurrences=occurrences,
        stays=stays,
    )


def cart_at(hours: int, who: str = "p0", trigger: str = "cart") -> world.Occurrence:
    """Something that happened so many hours after the start."""
    at = START + timedelta(hours=hours)
    return world.Occurrence(trigger, who, f"at {hours}", at, at, at + timedelta(hours=60))


def plain(**more: object) -> Campaign:
    """A campaign without any rule but these."""
    raw = {"description": "Some.", "owner": "growth", "template": "some", "channel": "email",
           "audience": {"trigger": "cart"}, **more}  # fmt: skip
    return Campaign.model_validate(raw)
