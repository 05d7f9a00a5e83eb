"""Simulated decisions of random campaigns, against the simulator in plain Python run by run."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.campaigns.fields import Campaign, Policy
from orchestration.campaigns.placing import put_campaigns
from orchestration.campaigns.simulation.outcome import outcome
from orchestration.campaigns.simulation.replay import put_past
from orchestration.campaigns.simulation.rounds import Span, simulate
from orchestration.rendering.project import Project
from orchestration.resources.settings import DBT_PROJECT, Settings
from orchestration.segments.world import World, open_world
from tests import campaign_world as world
from tests.campaign_cases import (
    START,
    WEEK,
    campaigns,
    cart_at,
    facts,
    insert,
    loaded,
    people,
    plain,
    policies,
    put_facts,
    put_ledger,
)

END = START + timedelta(minutes=WEEK)


def _world(folder: Path, told: world.Facts, files: dict[str, Campaign], policy: Policy) -> World:
    """As after a build at the end, of which the ledger knows nothing."""
    home = Settings(folder)
    home.working.mkdir(parents=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        put_facts(connection, told, 0, world.Run(END + timedelta(days=30), {}))
        put_ledger(connection, Project(DBT_PROJECT), home.ledger)
        insert(connection, "ledger.campaign_pauses",
               "number bigint, changed_at timestamp, campaign varchar, action varchar, "
               "reason varchar", [(1, START, "alpha", "pause", "")])  # fmt: skip
        insert(connection, "main.dbt_builds", "number bigint, build_id varchar, as_of timestamp",
               [(1, "b", END)])  # fmt: skip
    made = open_world(home)
    put_past(made, START)
    put_campaigns(made, loaded(files, policy))
    for name in ("campaign_triggers", "campaign_conversions", "segment_stays"):
        made.put(name, f"from warehouse.{made.project.models[name].schema}.{name}")
    return made


# A message that waits keeps its group's place.
@example(
    told=people(cart_at(30), cart_at(32, trigger="browse")),
    files={
        "alpha": plain(priority=3, group="group", schedule={"at": "02:30"}),
        "beta": plain(priority=1, group="group", audience={"trigger": "browse"}),
    },
    policy=Policy(),
    every=timedelta(hours=2),
)
# The policy says what the campaign says, in other words.
@example(
    told=people(cart_at(30), cart_at(40), cart_at(50)),
    files={
        "alpha": plain(tags=["some"], caps=[{"counts": "tag:some", "limit": 2, "within": "7d"}])
    },
    policy=Policy.model_validate({"caps": [{"counts": "tag:some", "limit": 2, "within": "1w"}]}),
    every=timedelta(hours=2),
)
@settings(max_examples=15, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(
    told=facts(),
    files=campaigns(),
    policy=policies(),
    every=st.sampled_from((timedelta(minutes=45), timedelta(hours=2), timedelta(hours=24))),
)
def test_a_simulation_decides_as_run_after_run_does(
    told: world.Facts, files: dict[str, Campaign], policy: Policy, every: timedelta,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    told = replace(told, occurrences=[replace(one, known_from=0) for one in told.occurrences])
    expected: dict[tuple[str, str, str, str], world.Decision] = {}
    simulator, moment, number, sent = world.Simulator(files, policy, told), START, 0, 0
    while moment <= END:
        expected = simulator.run(number, world.Run(moment, {}))
        moment, number = moment + every, number + 1
    made = _world(tmp_path_factory.mktemp("simulation"), told, files, policy)
    span = Span(START, END, every)
    simulate(made, span)
    rows = made.connection.execute(
        """select campaign, step, profile_id, occurrence_key, unnest(max_by(
            {'decision': decision, 'reason': reason, 'send_at': send_at, 'at': decided_at},
            decided_at))
        from simulated.decisions group by 1, 2, 3, 4"""
    ).fetchall()
    assert {row[:4]: row[4:] for row in rows} == {key: one.told for key, one in expected.items()}
    sent = sum(one.decision == "send" for one in expected.values())
    counted = outcome(made, span)
    assert counted.all_sent == sum(counted.all_days.values()) == sent
    assert sum(map(sum, counted.hours.values())) == sent
    assert sum(many * people for many, people in counted.messages.items()) == sent
    assert sum(sum(one.values()) for one in counted.outcomes.values()) == len(expected)


@pytest.mark.parametrize(
    ("moment", "run"),
    [
        (START, 0),
        (START + timedelta(seconds=1), 1),
        (START + timedelta(minutes=45), 1),
        (START - timedelta(days=1), 0),
        (START + timedelta(minutes=90, microseconds=1), 3),
    ],
)
def test_the_first_run_not_before_a_moment(moment: datetime, run: int) -> None:
    span = Span(START, END, timedelta(minutes=45))
    at = span.run_at(f"timestamp '{moment}'")
    row = duckdb.sql(f"select {at}").fetchone()
    assert row == (START + run * span.every,)
