"""One small home, built for real: what a file check says is what dbt does, and what releases do."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.connectors.sources.queries import open_connection
from orchestration.resources.dbt import run_dbt
from orchestration.resources.duckdb_functions import register
from orchestration.resources.settings import Settings, load_settings
from orchestration.tracking_plan.check import events_sql
from orchestration.tracking_plan.judgement import reasons_sql
from orchestration.tracking_plan.plan import load_plan
from orchestration.tracking_plan.releases import quarantined
from tests.homes import SAMPLE_END, know_project, muster_home
from tests.unit.test_tracking_plan import PLAN, random_rows

MARK = "someone.private@firm.org"
STAGING = "+tracking_plan_violations stg_web__events"


class Home:
    """A home with a plan of its own."""

    def __init__(self, settings: Settings, plan: Path) -> None:
        self.settings, self.plan = settings, plan
        self.drops = 0

    def drop(self, rows: list[dict[str, Any]]) -> Path:
        """Land a file of web events."""
        self.drops += 1
        path = self.settings.inbox / "web" / "events" / f"{self.drops}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folders = (self.settings.inbox, self.settings.landing, self.settings.working / "dlt")
        land_inbox(*folders, "web")
        return path

    def build(self, select: str) -> None:
        """Models and data tests, by dbt."""
        kinds = [word for kind in ("model", "seed", "test") for word in ("--resource-type", kind)]
        for _ in run_dbt(["build", "--select", select, *kinds], {"as_of": SAMPLE_END}):
            pass

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            register(connection)  # for views of staging
            return connection.execute(query).fetchall()


@pytest.fixture
def home(tmp_path: Path, read_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    plan = tmp_path / "plan.yml"
    plan.write_text(PLAN)
    monkeypatch.setenv("MUSTER_TRACKING_PLAN", str(plan))
    with muster_home(tmp_path / "home") as folder:
        know_project(folder, read_home)
        yield Home(load_settings(), plan)


def _event(number: int, name: str, **more: object) -> dict[str, Any]:
    return {"event_id": f"r{number}", "name": name, "occurred_at": "2026-10-01", **more}


def _judged(path: Path) -> dict[int, str | None]:
    with open_connection() as connection:
        events, _ = events_sql(connection, path, "web/events")
        query = f"select _row_number, {reasons_sql(load_plan()[1])} from ({events})"
        return dict(connection.execute(query).fetchall())


def _check_published(home: Home, judged: list[str | None], names: list[str]) -> None:
    counts = Counter(
        (name, reason)
        for told, name in zip(judged, names, strict=True)
        for reason in (told or "").split("; ")
        if reason
    )
    query = "select event_name, reason, row_count from published.tracking_plan_violations"
    assert {(name, reason): rows for name, reason, rows in home.rows(query)} == counts


def _check_nothing_personal_is_published(home: Home) -> None:
    """But for the one address of an event that counts, where contact points belong."""
    tables = """select table_name from information_schema.tables
        where table_schema = 'published' and table_name <> 'profile_contact_points'"""
    for (table,) in home.rows(tables):
        found = f"select count(*) from published.{table} as row where row::varchar like '%{MARK}%'"
        assert home.rows(found) == [(0,)], table


def test_dbt_the_file_check_and_releases_agree(home: Home) -> None:
    seed = int(os.environ.get("MUSTER_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    rows = random_rows(random.Random(seed), 500)
    private = {"properties": {"phone": MARK, "note": MARK}, "search_query": MARK}
    rows += [_event(1, "page_view", email=MARK, **private), _event(2, f"saw {MARK}")]
    rows += [_event(3, "order_done"), _event(4, "order_done", value="much")]
    rows += [_event(5, "product_view", product_id="p1"), _event(6, "product_view")]
    path = home.drop(rows)
    home.build("*")

    # The same verdict, row by row, from the file and from the warehouse.
    judged = _judged(path)
    base = "select _row_number, _rejection_reason from staging.base_web__events"
    assert dict(home.rows(base)) == judged
    names = [str(row["name"] or "").strip().lower() or "(none)" for row in rows]
    names = ["(not a name)" if "@" in name else name for name in names]
    _check_published(home, [judged[number] for number in range(1, len(rows) + 1)], names)
    _check_nothing_personal_is_published(home)

    # A mended plan releases by itself; the dry run knows how many.
    mended = yaml.safe_load(PLAN)
    mended["events"]["order_done"] = {"description": "An order.", "owner": "shop"}
    home.plan.write_text(yaml.safe_dump(mended))
    waiting = quarantined(home.settings.landing, home.settings.warehouse, load_plan()[1])
    passing = [line for line in waiting if line.passing]
    unknown = "name is not in the tracking plan"
    assert [(p.name, p.reason, p.rows, p.passing) for p in passing] == [
        ("order_done", unknown, 2, 1)
    ]

    # A release lets events through that the plan still rejects, of the past only.
    done = CliRunner().invoke(app, [
        "plan", "release", "Product_View", "--reason", "required property value is missing",
        "--by", "ann", "--why", "the app did not send it",
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    home.drop([_event(7, "product_view", product_id="p1")])
    home.build(STAGING)
    staged = "select event_id, _released from staging.stg_web__events where event_id like 'r%'"
    assert sorted(home.rows(staged)) == [("r1", False), ("r3", False), ("r5", True)]
    kept = """select json_extract_string(record, '$.event_id'), reason from staging.quarantine
        where json_extract_string(record, '$.event_id') like 'r%' order by 1"""
    assert home.rows(kept) == [
        ("r2", unknown),
        ("r4", "property value is not a number"),
        ("r6", "required property product_id is missing"),
        ("r7", "required property value is missing"),
    ]

    # What cannot be released, and a release with nothing to release, are told.
    for arguments, message in (
        (["order_don"], "no event 'order_don' is in quarantine"),
        (["product_view", "--reason", "x"], "no product_view is in quarantine because 'x'"),
        (["page_view", "--reason", "event_id is missing"], "nothing can be made of such"),
        (["product_view", "--until", "2026-01-01"], "none of these events would pass"),
    ):
        told = ["--by", "ann", "--why", "a test"]
        done = CliRunner().invoke(app, ["plan", "release", *arguments, *told])
        assert done.exit_code == 2
        assert message in done.output.replace("\n", " ")
    records = f"read_parquet('{home.settings.landing}/muster/plan_releases/*.parquet')"
    assert duckdb.sql(f"select event_name, released_by, why from {records}").fetchall() == [
        ("product_view", "ann", "the app did not send it")
    ]
