"""Decisions of random campaigns over random runs, against a simulator in plain Python.

Real models, real ledger; the warehouse is thrown away after each run, so that all that is known of
the past is the ledger. Late candidates, merges, pauses, held messages, runs that are repeated.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.campaigns.as_rows import rows
from orchestration.campaigns.definitions import Campaigns, Defined
from orchestration.campaigns.fields import Campaign, Policy
from orchestration.publication.decisions import record_decisions
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT
from tests import campaign_world as world

START = datetime(2026, 10, 23)  # noqa: DTZ001  # stored times are UTC without a zone
PEOPLE = ("p0", "p1", "p2", "p3")
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
)  # fmt: skip
# In the order in which they can be made.
MODELS = (
    "campaign_members", "campaign_candidates", "campaign_last_decisions", "campaign_sends",
    "campaign_pauses_now", "campaign_due", "campaign_contexts", "profile_assignments",
    "campaign_pressure", "campaign_timing", "campaign_held", "gate_paused", "gate_duplicate",
    "gate_expired", "gate_converted", "gate_no_contact_point", "gate_no_consent",
    "gate_unsubscribed_or_bounced", "gate_excluded", "gate_cooldown", "gate_holdout",
    "gate_outranked", "campaign_gates", "campaign_queue", "campaign_verdicts",
    "campaign_new_decisions", "campaign_decided", "campaign_versions_known",
)  # fmt: skip
Decided = dict[tuple[str, str, str, str], tuple[object, ...]]


def minutes(least: int, most: int) -> st.SearchStrategy[datetime]:
    """Moments, often at full hours, where the rules bend."""
    some = st.integers(least, most)
    return st.one_of(some, some.map(lambda m: m // 60 * 60)).map(
        lambda m: START + timedelta(minutes=m)
    )


WEEK = 7 * 24 * 60
_windows = st.sampled_from(("day", "week", "month", "1h", "24h", "7d"))
_limits = st.integers(0, 3)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    counts = st.sampled_from(("all", "channel:email", "tag:promotional"))
    cap = st.builds(
        lambda c, n, w: {"counts": c, "limit": n, "within": w}, counts, _limits, _windows
    )
    quiet = draw(st.sampled_from((None, {"from": "21:00", "to": "08:00"},
                                  {"from": "01:00", "to": "02:15"})))  # fmt: skip
    return Policy.model_validate({"caps": draw(st.lists(cap, max_size=2)), "quiet_hours": quiet})


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Campaign]:
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


@st.composite
def runs(draw: st.DrawFn) -> list[world.Run]:
    moments = sorted(draw(st.lists(minutes(0, WEEK + 24 * 60), min_size=2, max_size=6)))
    merged_from = draw(st.integers(1, 6))
    return [
        world.Run(
            moment,
            {"p3": "p2"} if number >= merged_from else {},
            frozenset(draw(st.sampled_from(([], [], [], ["alpha"])))),
        )
        for number, moment in enumerate(moments)
    ]


def _insert(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str, told: list[Any]
) -> None:
    connection.execute(f"create table {name} ({columns})")
    if told:
        marks = ", ".join("?" * len(told[0]))
        connection.executemany(f"insert into {name} values ({marks})", told)


def _facts(
    connection: duckdb.DuckDBPyConnection, told: world.Facts, number: int, run: world.Run
) -> None:
    living = [p for p in PEOPLE if p not in run.aliases]
    simulator = world.Simulator({}, Policy(), told)
    _insert(connection, "intermediate.int_profiles_found", "profile_id varchar",
            [(p,) for p in living])  # fmt: skip
    _insert(connection, "intermediate.int_identity_aliases",
            "alias_profile_id varchar, profile_id varchar", list(run.aliases.items()))  # fmt: skip
    _insert(connection, "intermediate.int_profile_recipients",
            "profile_id varchar, recipient_id varchar",
            [(p, simulator._recipient(p, run)) for p in living])  # fmt: skip
    reach = [(p, "email", told.mailboxes[p]) for p in living if told.mailboxes[p]]
    _insert(connection, "intermediate.int_profile_channels",
            "profile_id varchar, channel varchar, contact_point varchar",
            [*reach, *((p, "onsite", p) for p in living)])  # fmt: skip
    _insert(connection, "intermediate.int_consent_changes",
            "profile_id varchar, channel varchar, changed_at timestamp, status varchar",
            list(told.consents))  # fmt: skip
    _insert(connection, "intermediate.int_contact_stops",
            "profile_id varchar, channel varchar, kind varchar, stopped_at timestamp, "
            "ended_at timestamp",
            [(p, c, "bounced", begin, end) for p, c, begin, end in told.stops])  # fmt: skip
    _insert(connection, "campaigns.campaign_conversions",
            "profile_id varchar, conversion varchar, happened_at timestamp, evidence varchar",
            [(*one, "o1") for one in told.conversions])  # fmt: skip
    _insert(connection, "marts.profile_traits",
            "profile_id varchar, local_timezone varchar, preferred_hour bigint",
            [(p, told.zones[p], told.preferred_hours[p]) for p in living])  # fmt: skip
    _insert(connection, "membership.segment_stays",
            "segment varchar, profile_id varchar, entered_at timestamp, exited_at timestamp",
            [(s.segment, s.profile, s.entered_at, s.exited_at) for s in told.stays])  # fmt: skip
    _insert(connection, "membership.segment_excluded_profiles", "profile_id varchar, why varchar",
            [])  # fmt: skip
    _insert(connection, "campaigns.campaign_triggers",
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


def _definitions(
    connection: duckdb.DuckDBPyConnection, project: Project, files: Mapping[str, Campaign],
    policy: Policy,
) -> None:  # fmt: skip
    told = Campaigns(
        {name: Defined(name, Path(f"{name}.yml"), one, "0" * 12) for name, one in files.items()},
        policy, (),
    )  # fmt: skip
    sql = Renderer(project, connection).render("campaign_definitions").sql
    begin, end = sql.index("campaign_files("), sql.index("),", sql.index("campaign_files("))
    literal = json.dumps(rows(told, Path())).replace("'", "''")
    connection.execute(
        f"create table campaigns.campaign_definitions as {sql[:begin]}'{literal}'{sql[end + 1 :]}"
    )


def _ledger(connection: duckdb.DuckDBPyConnection, project: Project, ledger: Path) -> None:
    for source in ("campaign_decisions", "campaign_versions"):
        kinds = project.sources["ledger", source].columns
        files = [str(file) for file in sorted((ledger / source).glob("*.parquet"))]
        columns = ", ".join(f"null::{kind} as {name}" for name, kind in kinds.items())
        more = f"union all by name from read_parquet({files})" if files else ""
        connection.execute(f"create view ledger.{source} as select {columns} where false {more}")


def _build(
    folder: Path, project: Project, number: int, run: world.Run, told: world.Facts,
    files: Mapping[str, Campaign], policy: Policy,
) -> Decided:  # fmt: skip
    warehouse, ledger = folder / "warehouse.duckdb", folder / "ledger"
    warehouse.unlink(missing_ok=True)
    moment = f"{run.moment:%Y-%m-%dT%H:%M:%SZ}"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        for schema in ("intermediate", "marts", "membership", "campaigns", "experiments", "ledger"):
            connection.execute(f"create schema {schema}")
        _facts(connection, told, number, run)
        _definitions(connection, project, files, policy)
        _ledger(connection, project, ledger)
        _insert(connection, "ledger.campaign_pauses",
                "number bigint, changed_at timestamp, campaign varchar, action varchar, "
                "reason varchar",
                [(1, START, one, "pause", "") for one in run.paused])  # fmt: skip
        renderer = Renderer(project, connection, {"as_of": moment})
        for name in MODELS:
            sql = renderer.render(name).sql
            connection.execute(f"create table {renderer.relation(name)} as {sql}")
        found = connection.execute(
            """select campaign, step, profile_id, occurrence_key, decision, reason, send_at,
                decided_at from campaigns.campaign_decided"""
        ).fetchall()
    record_decisions(warehouse, ledger, moment)
    decided = {row[:4]: row[4:] for row in found}
    assert len(decided) == len(found)
    return decided


def _people(*occurrences: world.Occurrence, stays: tuple[world.Stay, ...] = ()) -> world.Facts:
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


def _at(hours: int, who: str = "p0", trigger: str = "cart") -> world.Occurrence:
    at = START + timedelta(hours=hours)
    return world.Occurrence(trigger, who, f"at {hours}", at, at, at + timedelta(hours=60))


def _plain(**more: object) -> Campaign:
    raw = {"description": "Some.", "owner": "growth", "template": "some", "channel": "email",
           "audience": {"trigger": "cart"}, **more}  # fmt: skip
    return Campaign.model_validate(raw)


def _run(hours: int, **aliases: str) -> world.Run:
    return world.Run(START + timedelta(hours=hours), aliases)


_ONCE = {"segment": "members", "every": "once"}


# What random worlds seldom show. A pause between two runs; one way of two campaigns in one run; of
# two profiles that a merge made one, the sent message counts, though the other was decided first.
@example(
    told=_people(_at(30), _at(40), _at(110)),
    files={"alpha": _plain(cooldown="3d")},
    policy=Policy(),
    world_runs=[_run(31), _run(41), _run(111)],
)
@example(
    told=_people(_at(30)),
    files={"alpha": _plain(), "beta": _plain(), "gamma": _plain(channel="onsite")},
    policy=Policy(),
    world_runs=[_run(31), _run(32)],
)
@example(
    told=_people(
        stays=(
            world.Stay("members", "p3", START, None),
            world.Stay("members", "p2", START + timedelta(hours=30), None),
        )
    ),
    files={"alpha": _plain(audience=_ONCE)},
    policy=Policy(),
    world_runs=[_run(2), _run(31), _run(40, p3="p2")],
)
@settings(max_examples=15, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(told=facts(), files=campaigns(), policy=policies(), world_runs=runs())
def test_decisions_are_those_of_the_simulator(
    told: world.Facts, files: dict[str, Campaign], policy: Policy, world_runs: list[world.Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    folder, project = tmp_path_factory.mktemp("arbitration"), Project(DBT_PROJECT)
    simulator = world.Simulator(files, policy, told)
    for number, run in enumerate(world_runs):
        expected = {key: said.told for key, said in simulator.run(number, run).items()}
        found = _build(folder, project, number, run, told, files, policy)
        again = _build(folder, project, number, run, told, files, policy)
        assert found == expected, run
        assert again == found, "the same run twice"
