"""`muster explain decision|silence` on the sample: what is told is what was decided."""

import json

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.campaigns.definitions import load_campaigns
from orchestration.campaigns.explain import explain_decision
from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.silence import explain_silence
from orchestration.cli import app
from orchestration.resources.settings import Settings
from tests.homes import muster_home


def _rows(home: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_each_reason_is_told_with_the_gate_that_failed(sample_home: Settings) -> None:
    """One decision of each reason, as the ledger has it."""
    rows = _rows(
        sample_home,
        """select reason, min_by(campaign, decision_id), min_by(profile_id, decision_id),
            min_by(step || ' ' || occurrence_key, decision_id)
        from campaigns.campaign_decided group by reason""",
    )
    assert {row[0] for row in rows} >= {"", "no_consent", "no_contact_point", "expired",
                                        "converted", "quiet_hours", "holdout"}  # fmt: skip
    campaigns = load_campaigns()
    for reason, campaign, profile, which in rows:
        shown = explain_decision(sample_home, campaigns, str(campaign), str(profile))
        (one,) = (d for d in shown.decisions if f"{d.step} {d.occurrence_key}" == which)
        assert one.reason == reason
        assert one.because
        failed = [gate.name for gate in one.gates if gate.fails]
        if reason in {gate.name for gate in one.gates} and failed:
            # Of several that fail the first is the reason; the order is that of the gates.
            assert failed[0] == reason
            assert one.because == next(g.detail for g in one.gates if g.name == reason and g.fails)
        if one.decision == "send":
            assert failed == []
            assert one.after.startswith("it went out in feed campaigns, as campaigns-")
            assert all(cap.used < cap.most for cap in one.caps)
        assert shown.version == one.version


def test_the_events_are_those_that_made_the_candidate(sample_home: Settings) -> None:
    ((profile,),) = _rows(
        sample_home,
        """select min(profile_id) from campaigns.campaign_decided
        where campaign = 'cart_reminder'""",
    )
    shown = explain_decision(sample_home, load_campaigns(), "cart_reminder", str(profile))
    for one in shown.decisions:
        assert one.events
        assert {event.name for event in one.events} <= {"add_to_cart", "checkout_start"}
        assert max(event.occurred_at for event in one.events) <= one.occurred_at


def test_silence_counts_every_decision_once(sample_home: Settings) -> None:
    ((profile, count),) = _rows(
        sample_home,
        """select profile_id, count(*) from campaigns.campaign_decided group by 1
        order by count(distinct reason) desc, 1 limit 1""",
    )
    shown = explain_silence(sample_home, load_campaigns(), str(profile))
    assert sum(sum(one.outcomes.values()) for one in shown.campaigns) == count
    assert {one.campaign for one in shown.campaigns} == set(load_campaigns().defined)
    assert all(one.because for one in shown.campaigns)
    assert [one.channel for one in shown.reach] == ["email", "sms", "push", "onsite"]


def test_a_campaign_that_never_was_is_named(sample_home: Settings) -> None:
    ((profile,),) = _rows(sample_home, "select min(profile_id) from marts.profile_traits")
    with pytest.raises(CampaignError, match="did you mean 'winback'"):
        explain_decision(sample_home, load_campaigns(), "winbck", str(profile))


def test_the_commands_tell_people_and_machines(sample_home: Settings) -> None:
    ((profile,),) = _rows(
        sample_home,
        """select min(profile_id) from campaigns.campaign_decided
        where campaign = 'cart_reminder' and reason = 'no_consent'""",
    )
    asked = [["explain", "decision", "cart_reminder", str(profile)],
             ["explain", "silence", str(profile)]]  # fmt: skip
    with muster_home(sample_home.home):
        decision, silence = (CliRunner().invoke(app, one) for one in asked)
        machines = [CliRunner().invoke(app, [*one, "--json"]) for one in asked]
    assert decision.exit_code == silence.exit_code == 0
    assert "not sent (no_consent)" in decision.output
    assert "no_consent" in silence.output
    assert [json.loads(one.output)["profile_id"] for one in machines] == [profile, profile]
