"""Decisions of random campaigns over random runs, against a simulator in plain Python.

Real models, real ledger; the warehouse is thrown away after each run, so that all that is known of
the past is the ledger. Late candidates, merges, pauses, held messages, runs that are repeated.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.campaigns.as_rows import rows
from orchestration.campaigns.fields import Campaign, Policy
from orchestration.publication.decisions import record_decisions
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT
from tests import campaign_world as world
from tests.campaign_cases import (
    PEOPLE,
    START,
    VARIANTS,
    WEEK,
    campaigns,
    cart_at,
    facts,
    insert,
    loaded,
    minutes,
    people,
    plain,
    policies,
    put_facts,
    put_ledger,
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
    "experiment_assignments",
)  # fmt: skip
Decided = dict[tuple[str, str, str, str], tuple[object, ...]]


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


def _build(
    folder: Path, project: Project, number: int, run: world.Run, told: world.Facts,
    files: Mapping[str, Campaign], policy: Policy,
) -> Decided:  # fmt: skip
    warehouse, ledger = folder / "warehouse.duckdb", folder / "ledger"
    warehouse.unlink(missing_ok=True)
    moment = f"{run.moment:%Y-%m-%dT%H:%M:%SZ}"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set timezone = 'UTC'; set threads = 1")
        put_facts(connection, told, number, run)
        connection.execute("create schema published")
        put_ledger(connection, project, ledger)
        insert(connection, "ledger.campaign_pauses",
                "number bigint, changed_at timestamp, campaign varchar, action varchar, "
                "reason varchar",
                [(1, START, one, "pause", "") for one in run.paused])  # fmt: skip
        renderer = Renderer(project, connection, {"as_of": moment})
        campaigns_told = json.dumps(rows(loaded(files, policy), Path())).replace("'", "''")
        connection.execute(
            "create table campaigns.campaign_definitions as "
            + renderer.call("campaign_rows", f"'{campaigns_told}'")
        )
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


def _assigned(folder: Path) -> dict[tuple[str, str], tuple[str, bool, bool]]:
    """What the last build tells of each campaign and profile."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(
            """select campaign, profile_id, variant, is_holdout, changed_by_merge
            from published.experiment_assignments"""
        ).fetchall()
    told = {row[:2]: row[2:] for row in found}
    assert len(told) == len(found)
    return told


def _expected_assignments(
    decided: set[tuple[str, str]], files: Mapping[str, Campaign], aliases: Mapping[str, str]
) -> dict[tuple[str, str], tuple[str, bool, bool]]:
    """By all that was ever decided, as campaign and profile of then."""

    def one_of(campaign: str, profile: str) -> tuple[str, bool]:
        is_a = world.unit(f"{campaign}:variant:{profile}") < 0.55
        is_holdout = world.unit(f"{campaign}:holdout:{profile}") < files[campaign].holdout / 100
        variant = ("a" if is_a else "b") if files[campaign].variants else "default"
        return variant, is_holdout

    names: dict[tuple[str, str], list[str]] = {}
    for campaign, profile in decided:
        names.setdefault((campaign, aliases.get(profile, profile)), []).append(profile)
    expected = {}
    for (campaign, profile), known_as in names.items():
        kept = one_of(campaign, profile if profile in known_as else known_as[0])
        others = [one_of(campaign, name) for name in known_as if name != profile]
        expected[campaign, profile] = (*kept, any(other != kept for other in others))
    return expected


def _run(hours: int, **aliases: str) -> world.Run:
    return world.Run(START + timedelta(hours=hours), aliases)


_ONCE = {"segment": "members", "every": "once"}


# What random worlds seldom show. A pause between two runs; one way of two campaigns in one run; of
# two profiles that a merge made one, the sent message counts, though the other was decided first,
# and the survivor's variant, once it has one.
@example(
    told=people(cart_at(30), cart_at(40), cart_at(110)),
    files={"alpha": plain(cooldown="3d")},
    policy=Policy(),
    world_runs=[_run(31), _run(41), _run(111)],
)
@example(
    told=people(cart_at(30)),
    files={"alpha": plain(), "beta": plain(), "gamma": plain(channel="onsite")},
    policy=Policy(),
    world_runs=[_run(31), _run(32)],
)
@example(
    told=people(
        stays=(
            world.Stay("members", "p3", START, None),
            world.Stay("members", "p2", START + timedelta(hours=30), None),
        )
    ),
    files={"alpha": plain(audience=_ONCE)},
    policy=Policy(),
    world_runs=[_run(2), _run(31), _run(40, p3="p2")],
)
@example(
    told=people(cart_at(30, "p2"), cart_at(34, "p3"), cart_at(38, "p3", "browse"),
                cart_at(50, "p2", "browse")),
    files={
        "alpha": plain(variants=VARIANTS, holdout=50),
        "beta": plain(variants=VARIANTS, audience={"trigger": "browse"}),
        "gamma": plain(variants=VARIANTS, holdout=100),
    },
    policy=Policy(),
    world_runs=[_run(31), _run(39), _run(41, p3="p2"), _run(51, p3="p2")],
)  # fmt: skip
@settings(max_examples=15, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(told=facts(), files=campaigns(), policy=policies(), world_runs=runs())
def test_decisions_are_those_of_the_simulator(
    told: world.Facts, files: dict[str, Campaign], policy: Policy, world_runs: list[world.Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    folder, project = tmp_path_factory.mktemp("arbitration"), Project(DBT_PROJECT)
    simulator, decided = world.Simulator(files, policy, told), set[tuple[str, str]]()
    for number, run in enumerate(world_runs):
        said = simulator.run(number, run)
        decided |= {(key[0], one.profile) for key, one in said.items()}
        expected = {key: one.told for key, one in said.items()}
        found = _build(folder, project, number, run, told, files, policy)
        again = _build(folder, project, number, run, told, files, policy)
        assert found == expected, run
        assert again == found, "the same run twice"
        assert _assigned(folder) == _expected_assignments(decided, files, run.aliases), run


# Local minutes around 29 February, and what becomes of a candidate of each, by the cap's window.
_LEAP = {
    "2028-02-28 23:58": ("", ""),
    "2028-02-28 23:59": ("frequency_cap", ""),  # a second one of that day
    "2028-02-29 00:00": ("", "frequency_cap"),  # a third one of February
    "2028-02-29 23:59": ("frequency_cap", "frequency_cap"),
    "2028-03-01 00:00": ("", ""),
}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_caps_of_days_and_months_over_a_leap_day(zone: str, tmp_path: Path) -> None:
    moments = [world.moment_of(shown, zone) for shown in _LEAP]
    occurrences = [
        world.Occurrence(trigger, who, f"at {at}", at, at, at + timedelta(hours=1))
        for at in moments
        for trigger, who in (("cart", "p0"), ("browse", "p1"))
    ]
    told = replace(people(*occurrences), zones=dict.fromkeys(PEOPLE, zone))
    files = {
        "alpha": plain(caps=[{"counts": "campaign", "limit": 1, "within": "day"}]),
        "beta": plain(
            audience={"trigger": "browse"},
            caps=[{"counts": "campaign", "limit": 2, "within": "month"}],
        ),
    }
    simulator, project = world.Simulator(files, Policy(), told), Project(DBT_PROJECT)
    for number, (moment, reasons) in enumerate(zip(moments, _LEAP.values(), strict=True)):
        run = world.Run(moment, {})
        expected = {key: said.told for key, said in simulator.run(number, run).items()}
        found = _build(tmp_path, project, number, run, told, files, Policy())
        assert found == expected
        new = {key[0]: said[1] for key, said in found.items() if said[3] == moment}
        assert new == dict(zip(("alpha", "beta"), reasons, strict=True)), moment


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_a_message_waits_over_midnight_of_a_leap_day(zone: str, tmp_path: Path) -> None:
    """Quiet from 21:00 to 00:00: at 23:59 it is held for a minute, and then it goes."""
    midnight = world.moment_of("2028-02-29 00:00", zone)
    before = midnight - timedelta(minutes=1)
    one = world.Occurrence("cart", "p0", "one", before, before, midnight + timedelta(hours=1))
    told = replace(people(one), zones=dict.fromkeys(PEOPLE, zone))
    files = {"alpha": plain(quiet_hours={"from": "21:00", "to": "00:00"})}
    project, key = Project(DBT_PROJECT), ("alpha", "message", "p0", "one")
    first = _build(tmp_path, project, 0, world.Run(before, {}), told, files, Policy())
    assert first == {key: ("hold", "quiet_hours", midnight, before)}
    second = _build(tmp_path, project, 1, world.Run(midnight, {}), told, files, Policy())
    assert second == {key: ("send", "", midnight, midnight)}
