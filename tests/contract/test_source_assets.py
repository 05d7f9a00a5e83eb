"""Pulled sources in Dagster: an asset for each entity, what it tells, and what a fault does."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from orchestration.assets.sources import source_assets
from orchestration.automation.jobs import pull_jobs
from orchestration.automation.schedules import pull_schedules
from orchestration.cli import app
from orchestration.connectors.definitions import DefinitionError
from orchestration.connectors.pull import last_pull
from orchestration.connectors.registry import load_sources
from orchestration.connectors.sources.sql import SqlSource
from orchestration.resources.settings import PROJECT_ROOT
from tests.homes import muster_home
from tests.rest_server import serving


def _table(name: str, entity: str, key: str) -> dict[str, object]:
    return {"table": name, "entity": entity, "mapping": {"columns": {key: '"id"'}}}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A source of two tables with two rows each, in a home of its own."""
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    for name in ("orders", "products"):
        connection.execute(f"create table {name} (id integer)")
        connection.execute(f"insert into {name} values (1), (2)")
    source = {
        "name": "till",
        "type": "sql",
        "url": f"sqlite:///{tmp_path / 'shop.db'}",
        "schedule": "*/15 * * * *",
        "fresh_within_minutes": 60,
        "tables": [
            _table("orders", "shop_orders", "order_id"),
            _table("products", "shop_products", "product_id"),
        ],
    }
    file = tmp_path / "sources.yml"
    file.write_text(yaml.safe_dump({"sources": [source]}))
    monkeypatch.setenv("MUSTER_SOURCES", str(file))
    with muster_home(tmp_path / "home"):
        yield connection
    connection.close()


def _materialize(
    *entities: str,
) -> tuple[dg.ExecuteInProcessResult, dict[str, dict[str, object]]]:
    """All assets, or only those of the source `crm` with these entities."""
    keys = [dg.AssetKey(["sources", "crm", entity]) for entity in entities]
    selection = dg.AssetSelection.assets(*keys) if keys else None
    result = dg.materialize(source_assets(), raise_on_error=False, selection=selection)
    found = {}
    for event in result.get_asset_materialization_events():
        metadata = event.step_materialization_data.materialization.metadata
        assert event.asset_key is not None
        found[event.asset_key.to_user_string()] = {
            name: value.value for name, value in metadata.items()
        }
    return result, found


def test_each_entity_is_an_asset_that_tells_rows_bytes_and_cursor(
    shop: sqlite3.Connection,
) -> None:
    (definition,) = source_assets()
    assert definition.keys == {
        dg.AssetKey(["sources", "till", "shop_orders"]),
        dg.AssetKey(["sources", "till", "shop_products"]),
    }
    for spec in definition.specs:
        assert spec.group_name == "sources"
        assert spec.freshness_policy is not None
        assert spec.kinds == {"sql", "dlt"}
    result, found = _materialize()
    assert result.success
    assert found["sources/till/shop_orders"]["dagster/row_count"] == 2
    assert found["sources/till/shop_orders"]["bytes"] > 0  # type: ignore[operator]
    assert "cursor" in found["sources/till/shop_orders"]


def test_each_source_has_a_job_and_its_schedule_runs(shop: sqlite3.Connection) -> None:
    (schedule,) = pull_schedules(pull_jobs())
    assert (schedule.name, schedule.cron_schedule) == ("pull_till_schedule", "*/15 * * * *")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_a_part_that_fails_stops_itself_alone(shop: sqlite3.Connection) -> None:
    shop.execute("drop table orders")
    result, found = _materialize()
    assert not result.success
    assert found["sources/till/shop_products"]["dagster/row_count"] == 2
    assert "sources/till/shop_orders" not in found
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data.description  # type: ignore[union-attr]
    assert description is not None
    assert description.startswith("till/orders: there is no table orders")
    # What does not heal by itself is not asked again.
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_assets_of_one_endpoint_share_its_download_and_can_be_made_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first of two parts of one entity fails.
    broken = {
        "customers": {"parts": {"email_consents": {"mapping": {"columns": {"source": '"x"'}}}}}
    }
    source = {"name": "crm", "type": "shopify", "token": "${CRM_TOKEN}", "endpoints": broken}
    consent = {"state": "subscribed", "consent_updated_at": "2026-02-01T00:00:00Z"}
    customer = {
        "id": 1,
        "updated_at": "2026-03-01T10:00:00Z",
        "email_marketing_consent": consent,
        "sms_marketing_consent": consent,
    }
    file = tmp_path / "sources.yml"
    monkeypatch.setenv("CRM_TOKEN", "secret-token-1")
    monkeypatch.setenv("MUSTER_SOURCES", str(file))
    with serving() as server, muster_home(tmp_path / "home"):
        file.write_text(yaml.safe_dump({"sources": [{**source, "url": server.url}]}))
        server.put("/admin/api/2026-01/customers.json", customer)
        result, found = _materialize("crm_contacts", "crm_consents")
        assert not result.success
        assert list(found) == ["sources/crm/crm_contacts"]
        assert len(server.times_asked("/admin")) == 1
        pulls = [
            last_pull(tmp_path / "home/landing", "crm", name)
            for name in ("email_consents", "sms_consents")
        ]
        assert [pull is None for pull in pulls] == [True, False]
        result, found = _materialize("crm_contacts")
        assert result.success
        assert found["sources/crm/crm_contacts"]["dagster/row_count"] == 0
        assert len(server.times_asked("/admin")) == 2


def test_what_every_part_would_say_is_said_once(
    shop: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = yaml.safe_load((tmp_path / "sources.yml").read_text())["sources"][0]
    (tmp_path / "other.yml").write_text(
        yaml.safe_dump({"sources": [{**source, "url": "sqlite:///${TILL_FOLDER}/shop.db"}]})
    )
    monkeypatch.setenv("MUSTER_SOURCES", str(tmp_path / "other.yml"))
    said = "till/orders: source till needs the environment variable TILL_FOLDER"
    result, found = _materialize()
    assert found == {}
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data.description == said  # type: ignore[union-attr]
    for command in ("test", "pull"):
        done = CliRunner().invoke(app, ["sources", command, "till"])
        assert (done.exit_code, done.output.strip()) == (1, said)


def test_the_code_location_loads_with_sources(shop: sqlite3.Connection) -> None:
    """In a process of its own, as Dagster does it: names of jobs and steps must not collide."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "from orchestration.definitions import defs; r = defs.get_repository_def(); "
            "print(*sorted(job.name for job in r.get_all_jobs()))",
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert "pull_till" in loaded.stdout.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: [{name: a, type: nix}]", "type 'nix' is none of hubspot, kafka"),
        ("sources: {name: a", "line 1: no YAML"),
        ("- name: a", "the file has the sections sources, folders, nothing else"),
        ("source: []", "the file has the sections sources, folders, not source"),
        ("sources: {name: a}", "sources is a list"),
        ("sources: [a]", "sources.yml, sources 1: not a block of settings"),
        (
            "folders: [{folder: a/b, entities: {shop_orders: {colums: {}}}}]",
            "folders 1 (a/b): entities.shop_orders.columns: is needed; "
            "entities.shop_orders.colums: there is no such setting",
        ),
        (
            "folders: [{folder: a/b, entities: {shop_orders: {columns: {total: '\"t\"'}}}}]",
            "folders 1 (a/b): shop_orders needs its key: map order_id",
        ),
        (
            "folders: [{folder: a/b, entities: {shop_orders: {columns: {order_id: 1 +}}}}]",
            "folders 1 (a/b): the mapping of order_id is no SQL expression: 1 +",
        ),
        ("folders: [{folder: a, entities: {}}]", "folders 1 (a): folder: String should match"),
        ("sources: [{name: a, type: sql, url: x, tabels: []}]", "tabels: there is no such setting"),
        ("sources: [{name: a b, type: sql, url: x, tables: []}]", "name: String should match"),
        (
            "sources: [{name: a, type: hubspot, token: x, schedule: every day}]",
            "schedule: String should match",
        ),
        (
            "sources: [{name: a, type: sql, url: x, tables: [{table: t, entity: shop_orders, "
            "mapping: {columns: {order_id: 1 +}}}]}]",
            "the mapping of order_id is no SQL expression: 1 +",
        ),
    ],
)
def test_a_definition_that_cannot_be_meant_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    file = tmp_path / "sources.yml"
    file.write_text(text)
    monkeypatch.setenv("MUSTER_SOURCES", str(file))
    with pytest.raises(DefinitionError) as caught:
        load_sources()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cron", ["", "* * * * *", "*/15 0-6 1,15 * mon-fri", "0 3 * JAN 1"])
def test_cron_lines_as_people_write_them(cron: str) -> None:
    table = _table("t", "shop_orders", "order_id")
    assert SqlSource(name="a", url="x", tables=[table], schedule=cron).schedule == cron
