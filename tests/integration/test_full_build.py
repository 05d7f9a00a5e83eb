"""The whole job on the sample: the same again, rebuilt from nothing, and blocked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.automation.run import run_full_build
from orchestration.connectors.compaction import compact
from orchestration.feeds.definitions import feed_named
from orchestration.feeds.emitted import ledger_of
from orchestration.predictions.definitions import load_predictions
from orchestration.publication.builds import BuildRecord, ForeignBuildError, recorded_build
from orchestration.publication.contract import read_contracts
from orchestration.publication.snapshot import newest, publish, snapshot_ids
from orchestration.resources.settings import DBT_PROJECT, PUBLISHED_MODELS, Settings, load_settings
from orchestration.summary import print_summary
from tests.homes import SAMPLE_END, checksums, know_project, muster_home

pytestmark = pytest.mark.builds(6)


def test_every_segment_and_trigger_has_somebody(sample_home: Settings) -> None:
    manifest = newest(sample_home.published)
    assert manifest is not None
    folder = sample_home.published / "snapshots" / manifest.snapshot_id
    sizes = dict(
        duckdb.sql(f"select segment, size from '{folder}/segment_catalog.parquet'").fetchall()
    )
    interests = {name for name in sizes if name.startswith("interested_in_")}
    assert len(interests) == 8  # one for each category of the shop
    clusters = {name for one in load_predictions().clusters.values() for name in one.names}
    predicted = {"likely_to_churn", "likely_to_buy", "rising_value", *clusters}
    assert {sizes.pop(name) for name in predicted} == {0}, "there is no model"
    assert set(sizes) - interests == {
        "cart_abandoners",
        "category_enthusiasts",
        "content_explorers",
        "frequent_visitors",
        "high_value",
        "lapsed",
        "loyal",
        "new_visitors",
        "recent_visitors",
        "vip",
    }
    assert all(0 < size < manifest.tables["profiles"].rows for size in sizes.values())
    assert manifest.tables["trigger_candidates"].rows > 0


def test_no_record_is_lost_between_landing_and_staging(sample_home: Settings) -> None:
    manifest = newest(sample_home.published)
    assert manifest is not None
    events = manifest.stages["web_events"]
    assert events["unreadable"] > 0
    assert events["quarantined"] > events["unreadable"]
    assert events["staged"] < events["landed"]


def test_a_second_run_changes_nothing_even_after_compaction(sample_copy: Settings) -> None:
    """The one file of events becomes ten of the same load first, so that there is what to join."""
    before = newest(sample_copy.published)
    (landed,) = (sample_copy.landing / "web" / "web_events").glob("*.parquet")
    load = landed.name.rsplit(".", 2)[0]
    for part in range(10):
        duckdb.sql(
            f"copy (select * from read_parquet('{landed}') where _row_number % 10 = {part}) "
            f"to '{landed.with_name(f'{load}.part{part}.parquet')}' (format parquet)"
        )
    landed.unlink()
    (done,) = compact(sample_copy.landing, sample_copy.dlt, grace_seconds=0)
    assert (done.table, done.files_before, done.files_after) == ("web_events", 10, 1)
    assert run_full_build(sample_copy, SAMPLE_END, full_refresh=False).success
    after = newest(sample_copy.published)
    assert after is not None
    assert after.snapshot_id == "000002"
    assert checksums(after) == checksums(before)
    ledger = ledger_of(feed_named("segments"), sample_copy.ledger)
    look = ledger.look()
    assert look is not None and look.snapshot_id == "000002"
    assert {one.snapshot_id for one in ledger.emissions()} == {"000001"}


def test_a_deleted_warehouse_is_built_again_to_the_same_tables(sample_copy: Settings) -> None:
    before = checksums(newest(sample_copy.published))
    sample_copy.warehouse.unlink()
    shutil.rmtree(sample_copy.working)
    assert run_full_build(sample_copy, SAMPLE_END, full_refresh=True).success
    assert checksums(newest(sample_copy.published)) == before
    assert len(snapshot_ids(sample_copy.published)) == 2


def test_a_failed_check_stops_what_is_downstream_and_keeps_the_last_snapshot(
    sample_copy: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A staged record that lost its origin is an error; the model is broken as an analyst might."""
    before = newest(sample_copy.published)
    landed = next((sample_copy.landing / "shop" / "shop_refunds").glob("*.parquet"))
    broken = landed.with_suffix(".broken")
    duckdb.sql(
        f"copy (select * replace (null::varchar as _source_file) from read_parquet('{landed}')) "
        f"to '{broken}' (format parquet)"
    )
    broken.replace(landed)
    outcome = run_full_build(sample_copy, SAMPLE_END, full_refresh=False)
    assert not outcome.success
    assert any("landing/shop_refunds" in words for words in outcome.failed)
    assert newest(sample_copy.published) == before
    print_summary(sample_copy, outcome)
    assert "Nothing was published; readers keep snapshot 000001." in capsys.readouterr().out
    with duckdb.connect(str(sample_copy.published / "current.duckdb"), read_only=True) as reader:
        assert reader.sql("select count(*) > 0 from profiles").fetchall() == [(True,)]


def test_an_empty_inbox_builds_an_empty_world(sample_home: Settings, tmp_path: Path) -> None:
    with muster_home(tmp_path / "home") as home:
        know_project(home, sample_home.home)
        settings = load_settings()
        outcome = run_full_build(settings, SAMPLE_END, full_refresh=False)
        assert outcome.success, outcome.failed
        manifest = newest(settings.published)
        assert manifest is not None and manifest.tables["profiles"].rows == 0
        assert manifest.tables["segment_catalog"].rows == 22  # segments without tags


def test_dbt_alone_builds_the_warehouse_from_landing(sample_copy: Settings) -> None:
    """An analyst needs nothing but dbt; what it builds is what the job published."""
    before = newest(sample_copy.published)
    sample_copy.warehouse.unlink()
    command = ["dbt", "build", "--quiet", "--vars", f"{{as_of: '{SAMPLE_END}'}}"]
    built = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *command[1:]],
        cwd=DBT_PROJECT,
        env={**os.environ, "DBT_TARGET_PATH": str(sample_copy.working / "alone")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout
    assert built.stdout.strip() == "", "a build that succeeds has nothing to say"
    assert before is not None
    tables = list(read_contracts(PUBLISHED_MODELS).values())
    again = publish(
        sample_copy.warehouse, sample_copy.published, tables, BuildRecord(before.as_of, ()), {}
    )
    expected, found = checksums(before), checksums(again)
    # What tests said is in the warehouse, and known when a command ends.
    assert expected.pop("quality_status") != found.pop("quality_status")
    assert found == expected


def test_tables_of_two_moments_are_not_published(sample_copy: Settings) -> None:
    """An analyst's `dbt build` in the middle of a run; the run's own rows frame it."""
    insert = """insert into main.dbt_builds
        select max(number) + 1, ?, max(as_of), [] from main.dbt_builds"""
    with duckdb.connect(str(sample_copy.warehouse)) as connection:
        for build_id in ("ours", "ours", "theirs", "ours"):
            connection.execute(insert, [build_id])
    with pytest.raises(ForeignBuildError, match="somebody else during this build"):
        recorded_build(sample_copy.warehouse, "ours")
    assert recorded_build(sample_copy.warehouse, "theirs again").as_of == SAMPLE_END


def test_segments_of_another_run_are_not_published(sample_copy: Settings) -> None:
    """The last dbt step alone, as one may pick it in the graph."""
    from orchestration.definitions import defs

    job = dg.define_asset_job("last_step", selection=dg.AssetSelection.groups("membership"))
    before = checksums(newest(sample_copy.published))
    with dg.DagsterInstance.ephemeral() as instance:
        resolved = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
        done = resolved.resolve_job_def("last_step").execute_in_process(
            instance=instance, raise_on_error=False
        )
        (failed,) = done.get_step_failure_events()
    assert "are published only with the run that built them" in str(failed.event_specific_data)
    assert checksums(newest(sample_copy.published)) == before
