"""The event log is Dagster's, file by file; only engines are made once."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.automation.run import open_instance
from orchestration.resources import event_log
from orchestration.resources.settings import load_settings
from tests.homes import muster_home


def test_what_is_stored_is_read_by_dagsters_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = event_log.create_engine
    monkeypatch.setattr(
        event_log, "create_engine", lambda url, **more: made.append(url) or real(url, **more)
    )

    @dg.asset
    def number() -> int:
        return 1

    with muster_home(tmp_path), open_instance(load_settings()) as instance:
        assert type(instance.event_log_storage) is event_log.EventLog
        runs = [dg.materialize([number], instance=instance) for _ in range(2)]
        told = {run.run_id: len(instance.all_logs(run.run_id)) for run in runs}
    assert len(made) == len(set(made)) == 3  # two runs, and what is asked for over all of them
    own = SqliteEventLogStorage(str(tmp_path / "dagster" / "history" / "runs"))
    for run_id, count in told.items():
        assert len(own.get_logs_for_run(run_id)) == count > 5
    assert own.get_latest_materialization_events([dg.AssetKey("number")])[dg.AssetKey("number")]
