"""Runs `full_build` in this process, as `muster run` does, and tells what came of it."""

import warnings
from dataclasses import dataclass, field

import dagster as dg

from orchestration.assets.published import SNAPSHOT
from orchestration.automation.dead_runs import end_dead_runs
from orchestration.resources.settings import Settings


@dataclass
class Outcome:
    """A finished run: `failed` names what stopped it, `warned` checks that did not."""

    success: bool
    run_id: str
    published: bool = False
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


def start_at_the_beginning(instance: dg.DagsterInstance) -> None:
    """Let the daemon that retries runs begin with a cursor, for want of which it warns."""
    from dagster._daemon.auto_run_reexecution import event_log_consumer as consumer

    consumer._persist_cursors(instance, dict.fromkeys(consumer.DAGSTER_EVENT_TYPES, 0))


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance under `MUSTER_HOME/dagster`, the same that `dagster dev` shows."""
    import os

    settings.dagster.mkdir(exist_ok=True)
    config = settings.dagster / "dagster.yaml"
    is_new = not config.exists()
    if is_new:
        config.write_text(INSTANCE_CONFIG)
    os.environ["DAGSTER_HOME"] = str(settings.dagster)
    instance = dg.DagsterInstance.get()
    if is_new:
        start_at_the_beginning(instance)
    end_dead_runs(instance)
    return instance


INSTANCE_CONFIG = """\
# Made by Muster where there was none; edit it as you like.
telemetry:
  enabled: false
# No dialogue about newsletters on the first visit.
nux:
  enabled: false
event_log_storage:
  module: orchestration.resources.event_log
  class: EventLog
  config: {base_dir: {env: DAGSTER_HOME}}
concurrency:
  pools:
    # One slot for each pool: one process writes the warehouse, one loads, one emits.
    default_limit: 1
    granularity: op
run_retries:
  # A run whose process was killed is started once more; a failed check would only fail again.
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
"""


def outcome_of(instance: dg.DagsterInstance, run_id: str) -> Outcome:
    """What a run's event log says about its checks and steps."""
    found = Outcome(False, run_id)
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            name = f"{check.asset_key.to_user_string()}: {check.check_name}"
            words = f"{name}: {check.description}" if check.description else name
            if check.passed:
                found.passed += 1
            elif check.severity == dg.AssetCheckSeverity.WARN:
                found.warned.append(words)
            else:
                found.failed.append(words)
        elif event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            failure = event.step_failure_data.user_failure_data
            text = (failure.description if failure else None) or (cause.message if cause else "")
            found.failed.append(f"{event.step_key}: {(text or '').strip()}")
        elif event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key == SNAPSHOT:
            found.published = True
        elif event.event_type_value == "PIPELINE_SUCCESS":
            found.success = True
    found.success = found.success and not found.failed
    return found


def run_full_build(settings: Settings, as_of: str, full_refresh: bool) -> Outcome:
    """Execute the job; a failed check is an outcome, not an exception.

    Args:
        settings: where everything stands.
        as_of: the moment to evaluate at, or empty for the time of the run.
        full_refresh: passed on to dbt.
    """
    # The asset-check APIs announce themselves as beta on every import; nothing to act on.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    from orchestration.definitions import defs

    with open_instance(settings) as instance:
        job = defs.resolve_job_def("full_build")
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "resources": {"build": {"config": {"as_of": as_of, "full_refresh": full_refresh}}},
                "loggers": {"progress": {}},
            },
        )
        return outcome_of(instance, result.run_id)
