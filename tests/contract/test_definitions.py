"""Names that schedules, alerts and people rely on: changing one is a decision, not an accident."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRun
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.utils import make_new_run_id

from orchestration.automation.feed_sensors import feed_trouble_sensor
from orchestration.automation.sensors import inbox_sensor
from orchestration.connectors.contract import entities
from orchestration.connectors.sources.file_drop import land_inbox
from orchestration.feeds import words
from orchestration.resources.build import Build, parse_moment
from orchestration.resources.settings import PROJECT_ROOT, Settings, load_settings
from tests.homes import muster_home


@pytest.fixture(scope="module")
def repository(sample_home: Settings) -> dg.RepositoryDefinition:
    with muster_home(sample_home.home):
        from orchestration.definitions import defs

        return defs.get_repository_def()


def test_jobs_schedules_and_sensors(repository: dg.RepositoryDefinition) -> None:
    assert {job.name for job in repository.get_all_jobs()} == {
        "__ASSET_JOB",
        "emit_campaigns",
        "emit_segments",
        "full_build",
        "landing_compaction",
        "model_training",
    }
    assert [(one.name, one.cron_schedule) for one in repository.schedule_defs] == [
        ("hourly_build", "0 * * * *"),
        ("nightly_compaction", "30 3 * * *"),
        ("weekly_training", "0 4 * * 1"),
    ]
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "campaigns_feed_sensor",
        "dead_run_sensor",
        "feed_trouble_sensor",
        "inbox_sensor",
        "model_drift_sensor",
        "segments_feed_sensor",
    }


def test_a_build_that_died_is_done_again_as_a_whole(repository: dg.RepositoryDefinition) -> None:
    """By default only its last steps would be, at another moment than the tables before them."""
    assert repository.get_job("full_build").run_tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_the_graph_goes_from_inbox_to_feed(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    feed = dg.AssetKey(["feeds", "segments"])
    upstream = graph.get_ancestor_asset_keys(feed)
    assert dg.AssetKey(["inbox"]) in upstream
    for name in entities():
        assert graph.get(dg.AssetKey(["landing", name])).child_keys, f"nothing reads {name}"
    assert dg.AssetKey(["published", "snapshot"]) in upstream
    assert dg.AssetKey(["segments", "seg_high_value"]) in upstream


def test_a_build_makes_every_model(repository: dg.RepositoryDefinition) -> None:
    """Steps name folders; a folder that none of them names would never be built."""
    from orchestration.assets.dbt import Translator
    from orchestration.resources.dbt import manifest

    parsed, translator = manifest(), Translator()
    built = repository.get_job("full_build").asset_layer.executable_asset_keys
    for unique_id in parsed["nodes"]:
        if unique_id.startswith(("model.", "seed.")):
            assert translator.get_asset_spec(parsed, unique_id, None).key in built, unique_id


def test_a_build_scores_and_trains_nothing(repository: dg.RepositoryDefinition) -> None:
    build = repository.get_job("full_build").asset_layer.executable_asset_keys
    trained = repository.get_job("model_training").asset_layer.executable_asset_keys
    scores, model = dg.AssetKey(["models", "scores"]), dg.AssetKey(["models", "behaviour_cluster"])
    assert scores in build and model not in build
    assert model in trained and scores not in trained
    assert scores in repository.asset_graph.get_ancestor_asset_keys(
        dg.AssetKey(["marts", "profile_traits"])
    )


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(
    repository: dg.RepositoryDefinition,
) -> None:
    for key in repository.asset_graph.materializable_asset_keys:
        node = repository.asset_graph.get(key)
        assert node.group_name and node.group_name != "default", key
        assert node.owners and node.kinds and node.description, key


def test_groups_are_the_stages(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == {
        "campaigns",
        "feeds",
        "intermediate",
        "landing",
        "mappings",
        "membership",
        "models",
        "profiles",
        "published",
        "segments",
        "staging",
        "triggers",
    }


def test_every_stage_has_blocking_expectations(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    covered = {key.asset_key for key in graph.asset_check_keys if key.name == "expectations"}
    for key in graph.asset_check_keys:
        if key.name == "expectations":
            # A segment that fails is held alone.
            assert graph.get(key).blocking == (key.asset_key.path[0] != "segments"), key
    for schema in ("landing", "staging", "marts", "segments", "triggers", "published"):
        assert any(key.path[0] == schema for key in covered), schema


def test_dbt_unit_tests_are_checks(repository: dg.RepositoryDefinition) -> None:
    from orchestration.resources.dbt import manifest

    checks = {key.name for key in repository.asset_graph.asset_check_keys}
    unit_tests = {unique_id.split(".")[-1] for unique_id in manifest()["unit_tests"]}
    assert unit_tests
    assert unit_tests <= checks


def test_definitions_load_without_a_warning(sample_home: Settings) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import orchestration.definitions"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stderr == ""


def _tick(
    sensor: dg.SensorDefinition,
    cursor: str | None = None,
    running: dg.DagsterRunStatus | None = None,
) -> SensorExecutionData:
    with dg.DagsterInstance.ephemeral() as instance:
        if running:
            instance.add_run(
                DagsterRun(job_name="full_build", run_id=make_new_run_id(), status=running)
            )
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        return sensor.evaluate_tick(context)


def test_the_inbox_sensor_starts_one_build_for_each_new_file(tmp_path: Path) -> None:
    with muster_home(tmp_path):
        settings = load_settings()
        assert _tick(inbox_sensor).skip_message == "no new file in the inbox"
        path = settings.inbox / "web" / "events" / "a.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text('{"event_id": "e1"}\n')
        first = _tick(inbox_sensor)
        assert len(first.run_requests or []) == 1
        assert not _tick(inbox_sensor, first.cursor).run_requests
        path.write_text('{"event_id": "e1"}\n{"event_id": "e2"}\n')
        changed = _tick(inbox_sensor, first.cursor)
        assert changed.run_requests
        assert not _tick(inbox_sensor, first.cursor, dg.DagsterRunStatus.STARTED).run_requests
        refused = settings.inbox / "web" / "events" / "b.csv"
        refused.write_text("no key\n1\n")
        both = _tick(inbox_sensor, changed.cursor)
        assert both.run_requests
        land_inbox(settings.inbox, settings.landing, settings.working / "dlt", "web")
        # The load is there, and no snapshot of it: a build failed, and another is asked for, once.
        failed = _tick(inbox_sensor, both.cursor)
        assert failed.run_requests
        assert "2 files or loads wait" in (_tick(inbox_sensor, failed.cursor).skip_message or "")


def test_a_landed_and_published_file_asks_for_nothing(sample_copy: Settings) -> None:
    assert _tick(inbox_sensor).skip_message == "no new file in the inbox"
    refused = sample_copy.inbox / "web" / "events" / "b.csv"
    refused.write_text("no key\n1\n")
    assert _tick(inbox_sensor).run_requests


def test_the_feed_sensor_starts_an_emission_for_what_is_new(
    repository: dg.RepositoryDefinition, sample_copy: Settings, tmp_path: Path
) -> None:
    sensor = repository.get_sensor_def("segments_feed_sensor")
    assert "nothing new" in (_tick(sensor).skip_message or "")
    folder = sample_copy.ledger / "feeds" / "segments"
    (folder / "look.json").unlink()
    started = _tick(sensor)
    assert [request.tags["muster/feed"] for request in started.run_requests or []] == ["segments"]
    assert not _tick(sensor, started.cursor).run_requests
    assert _tick(sensor, None).run_requests  # a lost cursor
    # A run that was killed, or failed for itself, is asked for again some time later.
    asked = json.loads(started.cursor or "")
    assert _tick(sensor, json.dumps({**asked, "at": asked["at"] - 601})).run_requests
    assert not _tick(sensor, None, dg.DagsterRunStatus.STARTED).run_requests
    words.say(folder, "pause", "a test", 1)
    assert "a test" in (_tick(sensor).skip_message or "")
    with muster_home(tmp_path / "empty"):
        assert _tick(sensor).skip_message == "nothing has been published yet"


def test_troubles_of_feeds_are_told_once(sample_copy: Settings) -> None:
    quiet = _tick(feed_trouble_sensor)
    assert quiet.skip_message == "no feed has trouble"
    words.say(sample_copy.ledger / "feeds" / "segments", "pause", "a test", 1)
    told = _tick(feed_trouble_sensor, quiet.cursor)
    assert "feed segments: paused by" in (told.skip_message or "")
    assert "paused by" in (told.cursor or "")


def test_moments() -> None:
    assert parse_moment("2026-11-01") == datetime(2026, 11, 1, tzinfo=UTC)
    assert parse_moment("2026-11-01T02:00:00+02:00") == datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="'yesterday' is no time; write for example"):
        parse_moment("yesterday")
    with dg.DagsterInstance.ephemeral() as instance:
        assert Build(as_of="2026-11-01").moment(instance, "any") == "2026-11-01T00:00:00Z"
