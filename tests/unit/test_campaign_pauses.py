"""Pauses of campaigns: what was said last counts, and the model reads what the command wrote."""

from pathlib import Path

import duckdb
import pytest

from orchestration.campaigns.names import CampaignError
from orchestration.campaigns.pauses import paused, say
from orchestration.rendering.project import Project
from orchestration.rendering.renderer import Renderer
from orchestration.resources.settings import DBT_PROJECT


def _of_the_model(ledger: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse; create schema ledger")
        connection.execute(
            "create view ledger.campaign_pauses as "
            f"from read_parquet('{ledger}/campaign_pauses/*.parquet')"
        )
        sql = Renderer(Project(DBT_PROJECT), connection).render("campaign_pauses_now").sql
        return dict(connection.execute(f"select campaign, reason from ({sql})").fetchall())


def test_what_was_said_last_counts(tmp_path: Path) -> None:
    assert paused(tmp_path) == {}
    say(tmp_path, "cart", "pause", "the shop's down")
    say(tmp_path, "news", "pause")
    assert paused(tmp_path) == _of_the_model(tmp_path) == {"cart": "the shop's down", "news": ""}
    say(tmp_path, "cart", "resume")
    assert paused(tmp_path) == _of_the_model(tmp_path) == {"news": ""}
    say(tmp_path, "cart", "pause", "again")
    assert paused(tmp_path) == _of_the_model(tmp_path) == {"cart": "again", "news": ""}


def test_what_is_so_already_is_told(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="cart is not paused"):
        say(tmp_path, "cart", "resume")
    say(tmp_path, "cart", "pause")
    with pytest.raises(CampaignError, match="cart is paused already"):
        say(tmp_path, "cart", "pause")
    assert len(list((tmp_path / "campaign_pauses").glob("*"))) == 1
